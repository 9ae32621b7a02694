/**
 * The emulated OVH by itself, in memory: credentials, errors, orders by the clock, records before and after a refresh,
 * faults. What it does to the lab is seen in test/lab. Not proven: that OVH does the same; the facts are those that are
 * published or reported.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { authorize, labCredentials, signature } from "./credentials.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
import { type Hooks, noHooks } from "./world.ts";

let clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
const published: string[] = [];
const done: string[] = [];

const hooks: Hooks = {
  ...noHooks(),
  rebuild: async ({ os, publicSshKey }) => void done.push(`rebuild ${os} ${publicSshKey}`),
  terminate: async (serviceName) => void done.push(`terminate ${serviceName}`),
  publish: async (_, addresses, gone) => {
    published.push(
      ...[...addresses].map(([name, targets]) => `${name} ${targets.join()}`),
      ...gone.map((name) => `-${name}`),
    );
  },
};
const start = async (options: EmulatorOptions = {}) => {
  emulator = await startEmulator({ hooks, now: () => clock, ...options });
  emulator.addZone("geoclic.test");
};

beforeEach(() => start());
afterEach(async () => {
  await emulator.close();
  published.length = 0;
  done.length = 0;
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API says
  readonly value: any;
  readonly queryId: string | null;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  change: Record<string, string> = {},
): Promise<Answer> {
  const url = emulator.url + path;
  const text = body === undefined ? "" : JSON.stringify(body);
  const timestamp = String(Math.floor(clock / 1000));
  const { applicationKey, applicationSecret, consumerKey } = labCredentials;
  const answer = await fetch(url, {
    method,
    headers: {
      "X-Ovh-Application": applicationKey,
      "X-Ovh-Consumer": consumerKey,
      "X-Ovh-Timestamp": timestamp,
      "X-Ovh-Signature": signature(applicationSecret, consumerKey, method, url, text, timestamp),
      ...change,
    },
    ...(text === "" ? {} : { body: text }),
  });
  return { status: answer.status, value: await answer.json(), queryId: answer.headers.get("x-ovh-queryid") };
}

const get = async (path: string) => (await call("GET", path)).value;

describe("credentials", () => {
  test("the signature is OVH's", () => {
    expect(
      signature(
        "app-secret",
        "consumer-key",
        "POST",
        "https://api.us.ovhcloud.com/1.0/order/cart",
        '{"ovhSubsidiary":"US"}',
        1791331200,
      ),
    ).toBe("$1$f107694ad0c3089f21d93dad15266e97d4e57695");
  });

  test.each<[string, Record<string, string>, number, string]>([
    ["another application", { "X-Ovh-Application": "x" }, 403, "INVALID_KEY"],
    ["another consumer", { "X-Ovh-Consumer": "x" }, 403, "INVALID_CREDENTIAL"],
    ["another signature", { "X-Ovh-Signature": `$1$${"0".repeat(40)}` }, 400, "INVALID_SIGNATURE"],
    ["no consumer", { "X-Ovh-Consumer": "" }, 403, "NOT_CREDENTIAL"],
  ])("%s", async (_, change, status, errorCode) => {
    const answer = await call("GET", "/me", undefined, change);
    expect(answer).toMatchObject({ status, value: { errorCode } });
    expect(answer.queryId).toMatch(/^EU\.ext-1\.[0-9a-f]{8}\.\d+\.[0-9a-f]{10}$/);
  });

  test("a clock that is a minute off is refused", () => {
    const url = "http://x/1.0/me";
    const headers = {
      "x-ovh-application": labCredentials.applicationKey,
      "x-ovh-consumer": labCredentials.consumerKey,
      "x-ovh-timestamp": "1000",
      "x-ovh-signature": signature(
        labCredentials.applicationSecret,
        labCredentials.consumerKey,
        "GET",
        url,
        "",
        1000,
      ),
    };
    const request = { method: "GET", url, path: "/me", body: new Uint8Array(), headers };
    expect(() => authorize(labCredentials, request, 1059)).not.toThrow();
    expect(() => authorize(labCredentials, request, 1061)).toThrow("Query out of time");
  });

  test("a right that was not given is named", async () => {
    await emulator.close();
    await start({ credentials: { ...labCredentials, rules: [{ method: "GET", path: "/domain/zone*" }] } });
    expect((await call("GET", "/domain/zone/geoclic.test")).status).toBe(200);
    expect(await call("GET", "/vps")).toMatchObject({
      status: 403,
      value: { errorCode: "NOT_GRANTED_CALL" },
    });
    expect((await call("GET", "/auth/details")).value.allowedRoutes).toEqual([
      { method: "GET", path: "/domain/zone*" },
    ]);
  });
});

test.each([
  ["GET", "/nothing", 404, "Got an invalid (or empty) URL"],
  ["GET", "/vps/vps-unknown1.vps.ovh.net", 404, "This service does not exist"],
  ["GET", "/domain/zone/other.test", 404, "This service does not exist"],
  ["GET", "/domain/zone/geoclic.test/record/42", 404, "The requested object (id = 42) does not exist"],
])("%s %s: %i %s", async (method, path, status, message) => {
  expect(await call(method, path)).toMatchObject({ status, value: { class: "Client::NotFound", message } });
});

describe("records", () => {
  const root = "/domain/zone/geoclic.test";
  const make = (fieldType: string, target: string, subDomain = "ville") =>
    call("POST", `${root}/record`, { fieldType, subDomain, target, ttl: 0 });

  test("resolve after a refresh, not before", async () => {
    const { value } = await make("A", "203.0.113.10");
    expect(value).toMatchObject({ zone: "geoclic.test", subDomain: "ville", target: "203.0.113.10", ttl: 0 });
    expect(published).toEqual([]);
    expect(await get(`${root}/record?fieldType=A&subDomain=ville`)).toEqual([value.id]);
    await call("POST", `${root}/refresh`);
    expect(published).toEqual(["ville.geoclic.test 203.0.113.10"]);
    await call("DELETE", `${root}/record/${value.id}`);
    await call("POST", `${root}/refresh`);
    expect(published.at(-1)).toBe("-ville.geoclic.test");
  });

  test("keep their id when they change; what is not named stays", async () => {
    const { value } = await make("A", "203.0.113.10");
    await call("PUT", `${root}/record/${value.id}`, { target: "203.0.113.11" });
    expect(await get(`${root}/record/${value.id}`)).toMatchObject({
      target: "203.0.113.11",
      subDomain: "ville",
    });
  });

  test("take doubles and an alias beside an address without a word, and tell it in the zone's status only", async () => {
    await make("A", "203.0.113.10");
    expect((await make("A", "203.0.113.10")).status).toBe(200);
    expect((await get(`${root}/status`)).isDeployed).toBe(true);
    expect((await make("CNAME", "other.fr.")).status).toBe(200);
    expect(await get(`${root}/status`)).toMatchObject({
      isDeployed: false,
      errors: ["ville: CNAME and other data"],
    });
  });

  test("quote texts, raise short times to live, refuse what is no address", async () => {
    expect((await make("TXT", "hello")).value.target).toBe('"hello"');
    const short = await call("POST", `${root}/record`, { fieldType: "A", target: "203.0.113.9", ttl: 5 });
    expect(short.value).toMatchObject({ ttl: 60, subDomain: "" });
    expect((await make("A", "somewhere")).status).toBe(400);
  });

  test("lose an id by a fault, but not the record", async () => {
    emulator.faults.add({ method: "POST", path: `${root}/record`, fault: { kind: "idZero" }, times: 1 });
    expect((await make("A", "203.0.113.10")).value.id).toBe(0);
    expect(await get(`${root}/record`)).toHaveLength(1);
  });
});

describe("an order", () => {
  const configurations = [
    ["vps_datacenter", "GRA"],
    ["vps_os", "Debian 13"],
  ] as const;
  const cart = async (
    planCode: string,
    options: readonly string[] = [],
    labels = configurations as readonly (readonly [string, string])[],
  ) => {
    const { cartId } = (await call("POST", "/order/cart", { ovhSubsidiary: "FR" })).value;
    await call("POST", `/order/cart/${cartId}/assign`);
    const plan = { duration: "P1M", pricingMode: "default", quantity: 1 };
    const { itemId } = (await call("POST", `/order/cart/${cartId}/vps`, { ...plan, planCode })).value;
    for (const [label, value] of labels)
      await call("POST", `/order/cart/${cartId}/item/${itemId}/configuration`, { label, value });
    for (const option of options)
      await call("POST", `/order/cart/${cartId}/vps/options`, { ...plan, planCode: option, itemId });
    return cartId as string;
  };

  test("goes through checking and delivering to a VPS whose delivery blocks a rebuild unseen", async () => {
    const cartId = await cart("vps-2025-model1");
    expect((await get(`/order/cart/${cartId}/checkout`)).orderId).toBeNull();
    const { orderId, prices } = (await call("POST", `/order/cart/${cartId}/checkout`)).value;
    expect(prices).toMatchObject({ withoutTax: { value: 5.52 }, withTax: { value: 6.62 } });
    expect(await get(`/me/order/${orderId}/status`)).toBe("notPaid");
    await call("POST", `/me/order/${orderId}/pay`, { paymentMethod: { id: 123_456 } });
    const [detail] = await get(`/me/order/${orderId}/details`);
    expect(await get(`/me/order/${orderId}/status`)).toBe("checking");
    clock += 3000;
    expect(await get(`/me/order/${orderId}/status`)).toBe("delivering");
    expect((await get(`/me/order/${orderId}/details/${detail}`)).domain).toBe("");
    clock += 10_000;
    expect(await get(`/me/order/${orderId}/status`)).toBe("delivered");
    const { domain } = await get(`/me/order/${orderId}/details/${detail}`);
    expect(domain).toMatch(/^vps-[0-9a-f]{8}\.vps\.ovh\.net$/);
    expect(await get(`/vps/${domain}/tasks`)).toEqual([]);
    const images: string[] = await get(`/vps/${domain}/images/available`);
    const named = await Promise.all(images.map((id) => get(`/vps/${domain}/images/available/${id}`)));
    const imageId = named.find(({ name }) => name === "Debian 13")?.id;
    const rebuild = () =>
      call("POST", `/vps/${domain}/rebuild`, {
        imageId,
        publicSshKey: "ssh-ed25519 A",
        doNotSendPassword: true,
      });
    expect(await rebuild()).toMatchObject({
      status: 400,
      value: { message: expect.stringContaining("running tasks") },
    });
    clock += 10_000;
    const task = await rebuild();
    expect(task).toMatchObject({ status: 200, value: { type: "reinstallVm", state: "todo" } });
    expect(done).toEqual(["rebuild Debian 13 ssh-ed25519 A"]);
    clock += 1000;
    expect((await get(`/vps/${domain}/tasks/${task.value.id}`)).state).toBe("doing");
    expect((await get(`/vps/${domain}`)).state).toBe("installing");
    clock += 10_000;
    expect((await get(`/vps/${domain}/tasks/${task.value.id}`)).state).toBe("done");
  });

  test.each<[string, () => Promise<string>, string]>([
    [
      "no datacenter",
      () => cart("vps-2025-model1", [], [["vps_os", "Debian 13"]]),
      "vps_datacenter is missing",
    ],
    ["no system", () => cart("vps-2025-model1", [], [["vps_datacenter", "GRA"]]), "vps_os is missing"],
    [
      "a system that is not sold",
      () =>
        cart(
          "vps-2025-model1",
          [],
          [
            ["vps_datacenter", "GRA"],
            ["vps_os", "BeOS"],
          ],
        ),
      "vps_os is missing",
    ],
    [
      "no mandatory option",
      () => cart("vps-2027-model1"),
      "Mandatory options are missing: option-auto-backup",
    ],
    ["an unknown plan", () => cart("vps-1999"), "Cart is empty"],
  ])("is refused with %s", async (_, make, message) => {
    const cartId = await make();
    const answer = await call("POST", `/order/cart/${cartId}/checkout`);
    expect(answer).toMatchObject({ status: 400, value: { message: expect.stringContaining(message) } });
    expect(emulator.state.checkouts).toBe(0);
  });

  test("with its options costs what all of them cost, and is checked out once", async () => {
    const cartId = await cart("vps-2027-model1", [
      "option-auto-backup-2027-1-model1",
      "option-storage-local-2027-model1",
    ]);
    expect((await call("POST", `/order/cart/${cartId}/checkout`)).value.prices.withoutTax.value).toBe(5.2);
    expect(await call("POST", `/order/cart/${cartId}/checkout`)).toMatchObject({ status: 400 });
    expect(emulator.state.checkouts).toBe(1);
  });

  test("whose answer is lost is made all the same", async () => {
    const cartId = await cart("vps-2025-model1");
    emulator.faults.add({
      method: "POST",
      path: "/order/cart/*/checkout",
      fault: { kind: "dropAfterEffect" },
      times: 1,
    });
    await expect(call("POST", `/order/cart/${cartId}/checkout`)).rejects.toThrow();
    expect(emulator.state.checkouts).toBe(1);
    expect(await get("/me/order")).toHaveLength(1);
    expect((await get(`/order/cart/${cartId}`)).readOnly).toBe(true);
  });
});

test("a contract ends by the token of a mail that takes its time, and the service is expired then", async () => {
  const vps = emulator.addVps({
    serviceName: "vps-0a1b2c3d.vps.ovh.net",
    model: "vps-2025-model1",
    datacenter: "GRA",
    os: "Debian 13",
    ips: [],
  });
  const root = `/vps/${vps.serviceName}`;
  const before = await get("/me/notification/email/history");
  await call("POST", `${root}/terminate`);
  expect(await get("/me/notification/email/history")).toEqual(before);
  clock += 5000;
  const id = (await get("/me/notification/email/history")).at(-1);
  const { body } = await get(`/me/notification/email/history/${id}`);
  const token = /confirmTerminate\?id=[0-9a-zA-Z]+&token=([0-9a-zA-Z]+)/.exec(body)?.[1];
  expect((await call("POST", `${root}/confirmTermination`, { token: "wrong" })).status).toBe(400);
  expect((await call("POST", `${root}/confirmTermination`, { token })).status).toBe(200);
  expect(done).toEqual([`terminate ${vps.serviceName}`]);
  expect((await call("GET", root)).status).toBe(460);
  expect(await get("/vps")).toEqual([]);
});

describe("faults", () => {
  test("an answer of trouble has no effect, and passes", async () => {
    emulator.faults.add({ method: "GET", path: "/vps", fault: { kind: "status", status: 429 }, times: 2 });
    const statuses = [await call("GET", "/vps"), await call("GET", "/vps"), await call("GET", "/vps")];
    expect(statuses.map(({ status }) => status)).toEqual([429, 429, 200]);
  });

  test("too many in a second are refused", async () => {
    await emulator.close();
    await start({ requestsPerSecond: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await call("GET", "/vps")).status);
    clock += 1001;
    statuses.push((await call("GET", "/vps")).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
  });
});

test("what was done is still there after a restart, and no id comes twice", async () => {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-ovh-"));
  try {
    await emulator.close();
    await start({ stateFile: join(folder, "state.json") });
    const record = { fieldType: "A", subDomain: "a", target: "203.0.113.1" };
    const first = (await call("POST", "/domain/zone/geoclic.test/record", record)).value.id;
    await emulator.close();
    await start({ stateFile: join(folder, "state.json") });
    expect(await get("/domain/zone/geoclic.test/record")).toEqual([first]);
    const second = (await call("POST", "/domain/zone/geoclic.test/record", record)).value.id;
    expect(second).toBeGreaterThan(first);
  } finally {
    await rm(folder, { recursive: true });
  }
});
