/**
 * Proves the frame of the emulated OVH: unknown things, bodies that are none, the audit, and what a restart leaves. Not
 * proven: that OVH does the same; the facts are those that are published or reported.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { caller } from "./caller.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
import { noHooks, quickClock } from "./world.ts";

let clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
let folder: string;
const { call, get } = caller(
  () => emulator.url,
  () => clock,
);
const start = async (options: EmulatorOptions = {}) => {
  emulator = await startEmulator({ now: () => clock, stateFile: join(folder, "state.json"), ...options });
  emulator.addZone("geoclic.test");
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-ovh-"));
  await start();
});
afterEach(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

test.each([
  ["GET", "/nothing", "Got an invalid (or empty) URL"],
  ["GET", "/", "Got an invalid (or empty) URL"],
  ["PATCH", "/vps", "Got an invalid (or empty) URL"],
  ["GET", "/vps/%E0%A4%A/ips", "Got an invalid (or empty) URL"],
  ["GET", "/vps/vps-unknown1.vps.ovh.net", "This service does not exist"],
  ["GET", "/domain/zone/other.test", "This service does not exist"],
  ["GET", "/domain/zone/geoclic.test/record/42", "The requested object (id = 42) does not exist"],
  ["GET", "/me/order/42", "The requested object (orderId = 42) does not exist"],
  ["GET", "/me/notification/email/history/42", "The requested object (id = 42) does not exist"],
])("%s %s: 404 %s", async (method, path, message) => {
  const answer = await call(method, path);
  expect(answer.status).toBe(404);
  expect(answer.value).toEqual({ class: "Client::NotFound", message });
  expect(answer.queryId).toMatch(/^EU\.ext-1\.[0-9a-f]{8}\.\d+\.[0-9a-f]{10}$/);
});

test.each(["{", "[1]", '"text"', "7"])("a body %s is refused", async (text) =>
  expect(await call("POST", "/domain/zone/geoclic.test/record", undefined, { text })).toMatchObject({
    status: 400,
    value: { message: "Invalid JSON received" },
  }));

test("the account has what an order needs, and a mail from the first day", async () => {
  expect(await get("/me")).toMatchObject({ nichandle: "ab12345-ovh", ovhSubsidiary: "FR" });
  expect(await get("/me/payment/method?default=true")).toEqual([123_456]);
  expect(await get("/auth/currentCredential")).toMatchObject({ status: "validated" });
  const [mail] = await get("/me/notification/email/history");
  expect((await get(`/me/notification/email/history/${mail}`)).body).not.toContain("confirmTerminate");
});

test("every request is audited, refused ones too", async () => {
  const body = { fieldType: "A", subDomain: "a", target: "wrong" };
  const headers = { "User-Agent": "test/1" };
  const { queryId } = await call("POST", "/domain/zone/geoclic.test/record", body, { headers });
  await call("GET", "/domain/zone/geoclic.test/record?subDomain=a");
  expect(emulator.audit).toEqual([
    {
      ...{ time: clock, method: "POST", path: "/domain/zone/geoclic.test/record", status: 400, queryId },
      ...{ body: JSON.stringify(body), userAgent: "test/1" },
    },
    expect.objectContaining({ path: "/domain/zone/geoclic.test/record?subDomain=a", status: 200 }),
  ]);
});

test("a client that goes away in the middle of its request harms nobody", async () => {
  const text = '{"fieldType"';
  const headers = { "Content-Length": "100" };
  const answer = call("POST", "/domain/zone/geoclic.test/record", undefined, { text, headers });
  const cut = new Promise((_, reject) => setTimeout(reject, 50, new Error("still waiting")));
  await expect(Promise.race([answer, cut])).rejects.toThrow();
  expect((await call("GET", "/vps")).status).toBe(200);
});

test("what was done is still there after a restart, and no id comes twice", async () => {
  const record = { fieldType: "A", subDomain: "a", target: "203.0.113.1" };
  const first = (await call("POST", "/domain/zone/geoclic.test/record", record)).value.id;
  await call("DELETE", `/domain/zone/geoclic.test/record/${first}`);
  const second = (await call("POST", "/domain/zone/geoclic.test/record", record)).value.id;
  await call("POST", "/me/sshKey", { keyName: "k", key: "ssh-ed25519 A" });
  await emulator.close();
  await start();
  expect(await get("/domain/zone/geoclic.test/record")).toEqual([second]);
  expect(await get("/me/sshKey")).toEqual(["k"]);
  const third = (await call("POST", "/domain/zone/geoclic.test/record", record)).value.id;
  expect(new Set([first, second, third]).size).toBe(3);
  expect(await readdir(folder)).toEqual(["state.json"]);
});

async function order(): Promise<number> {
  const terms = { duration: "P1M", pricingMode: "default", quantity: 1 };
  const root = `/order/cart/${(await call("POST", "/order/cart", { ovhSubsidiary: "FR" })).value.cartId}`;
  await call("POST", `${root}/assign`);
  const { itemId } = (await call("POST", `${root}/vps`, { ...terms, planCode: "vps-2025-model1" })).value;
  for (const [label, value] of Object.entries({ vps_datacenter: "GRA", vps_os: "Debian 13" }))
    await call("POST", `${root}/item/${itemId}/configuration`, { label, value });
  const { orderId } = (await call("POST", `${root}/checkout`, { autoPayWithPreferredPaymentMethod: true }))
    .value;
  return orderId;
}

test("a crash in the middle of a delivery and of a rebuild: both go on, with the same machine", async () => {
  const done: string[] = [];
  const finish: (() => void)[] = [];
  const never = () => new Promise<never>((_, reject) => finish.push(() => reject(new Error("killed"))));
  const crashed = await startEmulator({
    ...{ now: () => clock, stateFile: join(folder, "state.json"), report: () => {} },
    hooks: {
      ...noHooks(),
      deliver: ({ serviceName }) => {
        done.push(`deliver ${serviceName}`);
        return never();
      },
      rebuild: ({ serviceName }) => {
        done.push(`rebuild ${serviceName}`);
        return never();
      },
    },
  });
  const whole = emulator;
  emulator = crashed;
  const owned = "vps-0a1b2c3d.vps.ovh.net";
  emulator.addVps({
    serviceName: owned,
    model: "",
    datacenter: "GRA",
    os: "Debian 12",
    ips: ["203.0.113.9"],
  });
  const orderId = await order();
  clock += 8000;
  const [imageId] = await get(`/vps/${owned}/images/available`);
  const { id } = (await call("POST", `/vps/${owned}/rebuild`, { imageId })).value;
  clock += 100_000;
  expect(await get(`/me/order/${orderId}/status`)).toBe("delivering");
  const before = done.slice().sort();

  await start({
    hooks: {
      ...noHooks(),
      deliver: async ({ serviceName }) => {
        done.push(`deliver ${serviceName}`);
        return ["203.0.113.10"];
      },
      rebuild: async ({ serviceName }) => void done.push(`rebuild ${serviceName}`),
    },
  });
  expect(await get(`/me/order/${orderId}/status`)).toBe("delivered");
  expect((await get(`/vps/${owned}/tasks/${id}`)).state).toBe("done");
  expect(done.slice(before.length).sort()).toEqual(before);
  for (const reject of finish) reject();
  await crashed.close();
  await whole.close();
});

test("two VPSes never share an address, and each waits for nobody", async () => {
  await emulator.close();
  await start({ clock: quickClock, now: Date.now });
  const real = caller(() => emulator.url, Date.now);
  clock = Date.now();
  const orders = [await order(), await order()];
  const statuses = () => Promise.all(orders.map((id) => real.get(`/me/order/${id}/status`)));
  const end = Date.now() + 5000;
  while ((await statuses()).some((status) => status !== "delivered") && Date.now() < end);
  expect(await statuses()).toEqual(["delivered", "delivered"]);
  const names: string[] = await real.get("/vps");
  const ips = await Promise.all(names.map((name) => real.get(`/vps/${name}/ips`)));
  expect(new Set(ips.flat()).size).toBe(4);
});

test("a lab that takes its time holds no request up", async () => {
  await emulator.close();
  let finish = () => {};
  const deliver = () => new Promise<string[]>((resolve) => (finish = () => resolve(["203.0.113.1"])));
  await start({ hooks: { ...noHooks(), deliver } });
  const orderId = await order();
  clock += 8000;
  expect(await get(`/me/order/${orderId}/status`)).toBe("delivering");
  expect(await get("/vps")).toEqual([]);
  finish();
  await emulator.tick();
  expect(await get(`/me/order/${orderId}/status`)).toBe("delivered");
});
