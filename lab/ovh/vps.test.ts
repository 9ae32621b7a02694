/** Proves what a VPS does: tasks that block each other, rebuilds, restarts, the end of its contract. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { caller } from "./caller.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
import { type Hooks, noHooks } from "./world.ts";

let clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
let done: string[];
let hooks: Hooks;
const name = "vps-0a1b2c3d.vps.ovh.net";
const root = `/vps/${name}`;
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 fleet";
const { call, get } = caller(
  () => emulator.url,
  () => clock,
);
const start = async (options: EmulatorOptions = {}) => {
  emulator = await startEmulator({ hooks, now: () => clock, ...options });
  emulator.addVps({
    ...{
      serviceName: name,
      displayName: "web-1",
      model: "vps-2025-model1",
      datacenter: "GRA",
      os: "Debian 12",
    },
    ips: ["2001:db8::1", "203.0.113.10"],
  });
};
const restart = async (options: EmulatorOptions) => {
  await emulator.close();
  await start(options);
};
beforeEach(() => {
  done = [];
  hooks = {
    ...noHooks(),
    rebuild: async ({ os, ips, publicSshKey }) => void done.push(`rebuild ${os} ${ips} ${publicSshKey}`),
    power: async (_, action) => void done.push(action),
    terminate: async (serviceName) => void done.push(`terminate ${serviceName}`),
  };
  return start();
});
afterEach(() => emulator.close());

async function imageOf(system: string): Promise<string> {
  for (const id of await get(`${root}/images/available`))
    if ((await get(`${root}/images/available/${id}`)).name === system) return id;
  throw new Error(`no image ${system}`);
}
const rebuild = async (change: Record<string, unknown> = {}) =>
  call("POST", `${root}/rebuild`, {
    ...{ imageId: await imageOf("Debian 13"), publicSshKey: key, doNotSendPassword: true },
    ...change,
  });
const busy = {
  status: 400,
  value: {
    class: "Client::BadRequest",
    message: "Action not available while there are running tasks on the VPS",
  },
};
const stateOf = async () => (await get(root)).state;

test("a VPS is shown with all that others read", async () => {
  expect(await get("/vps")).toEqual([name]);
  expect(await get(root)).toMatchObject({
    ...{
      name,
      displayName: "web-1",
      state: "running",
      netbootMode: "local",
      zone: "Region OpenStack: os-gra7",
    },
    ...{ vcore: 4, memoryLimit: 8192, model: { name: "vps-2025-model1", version: "2025v1", disk: 75 } },
    iam: { urn: `urn:v1:eu:resource:vps:${name}` },
  });
  expect(await get(`${root}/datacenter`)).toEqual({ name: "os-gra7", longName: "Gravelines", country: "fr" });
  expect(await get(`${root}/ips`)).toEqual(["2001:db8::1", "203.0.113.10"]);
  expect(await get(`${root}/ips/203.0.113.10`)).toMatchObject({ version: "v4", gateway: "203.0.113.1" });
  expect((await call("GET", `${root}/ips/203.0.113.11`)).status).toBe(404);
  expect((await get(`${root}/images/current`)).name).toBe("Debian 12");
});

test("a name changes at once, and what is null or absent stays", async () => {
  expect((await call("PUT", root, { displayName: "web-2", netbootMode: null })).value).toBeNull();
  await call("PUT", root, {});
  expect(await get(root)).toMatchObject({ displayName: "web-2", netbootMode: "local", state: "running" });
});

test("another netboot mode is a task, and the VPS shows it when that is done", async () => {
  await call("PUT", root, { netbootMode: "rescue" });
  expect(await get(root)).toMatchObject({ netbootMode: "local", state: "rebooting" });
  expect(await call("PUT", root, { netbootMode: "rescue" })).toMatchObject(busy);
  clock += 2000;
  expect(await get(root)).toMatchObject({ netbootMode: "rescue", state: "rescued" });
  expect((await call("PUT", root, { netbootMode: "floppy" })).status).toBe(400);
});

describe("a rebuild", () => {
  test("goes through todo and doing to done, with the key, at the same addresses", async () => {
    const { value: task } = await rebuild();
    expect(task).toMatchObject({ type: "reinstallVm", state: "todo", progress: 0 });
    expect(await stateOf()).toBe("installing");
    expect(done).toEqual([`rebuild Debian 13 2001:db8::1,203.0.113.10 ${key}`]);
    clock += 500;
    expect((await get(`${root}/tasks/${task.id}`)).state).toBe("doing");
    clock += 2500;
    expect((await get(`${root}/tasks/${task.id}`)).state).toBe("done");
    expect(await stateOf()).toBe("running");
    expect((await get(`${root}/images/current`)).name).toBe("Debian 13");
    expect(await get(`${root}/ips`)).toEqual(["2001:db8::1", "203.0.113.10"]);
    expect(await get(`${root}/tasks?type=reinstallVm&state=done`)).toEqual([task.id]);
    expect(await get(`${root}/tasks?state=todo`)).toEqual([]);
  });

  test("is not done before the lab has done it", async () => {
    let finish = () => {};
    const rebuilt = () => new Promise<void>((resolve) => (finish = resolve));
    await restart({ hooks: { ...hooks, rebuild: rebuilt } });
    const { value: task } = await rebuild();
    clock += 1_000_000;
    expect((await get(`${root}/tasks/${task.id}`)).state).toBe("doing");
    finish();
    expect((await get(`${root}/tasks/${task.id}`)).state).toBe("done");
  });

  test("that fails in the lab ends as an error, and the next one may be tried", async () => {
    const fails = async () => {
      throw new Error("no disk");
    };
    await restart({ hooks: { ...hooks, rebuild: fails }, report: () => {} });
    const { value: task } = await rebuild();
    clock += 3000;
    expect((await get(`${root}/tasks/${task.id}`)).state).toBe("error");
    expect((await get(`${root}/images/current`)).name).toBe("Debian 12");
    expect((await rebuild()).status).toBe(200);
  });

  test("takes a key that the account knows by name", async () => {
    await call("POST", "/me/sshKey", { keyName: "fleet", key });
    expect(await get("/me/sshKey")).toEqual(["fleet"]);
    expect((await call("POST", "/me/sshKey", { keyName: "fleet", key })).status).toBe(409);
    expect((await rebuild({ publicSshKey: undefined, sshKey: "other" })).status).toBe(400);
    await rebuild({ publicSshKey: null, sshKey: "fleet" });
    expect(done).toEqual([`rebuild Debian 13 2001:db8::1,203.0.113.10 ${key}`]);
  });

  test.each([
    ["no image", { imageId: null }],
    ["an image of another VPS", { imageId: "45b2f222-ab10-44ed-863f-720942762b6f" }],
    ["what is no key", { publicSshKey: "AAAA" }],
  ])("with %s is refused, and the disk stays", async (_, change) => {
    expect((await rebuild(change)).status).toBe(400);
    expect(done).toEqual([]);
  });

  test("twice at once is one", async () => {
    const answers = await Promise.all([rebuild(), rebuild()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(done).toHaveLength(1);
  });

  test("whose answer is lost has happened once, and blocks another", async () => {
    emulator.faults.add({
      ...{ method: "POST", path: "/vps/*/rebuild", fault: { kind: "dropAfterEffect" }, times: 1 },
    });
    await expect(rebuild()).rejects.toThrow();
    expect(await rebuild()).toMatchObject(busy);
    expect(done).toHaveLength(1);
  });

  test.each([
    ["slowTask", { kind: "slowTask", milliseconds: 60_000 } as const, "doing"],
    ["taskFails", { kind: "taskFails" } as const, "error"],
  ])("with the fault %s", async (_, fault, state) => {
    emulator.faults.add({ method: "POST", path: "/vps/*/rebuild", fault, times: 1 });
    const { value: task } = await rebuild();
    clock += 3000;
    expect((await get(`${root}/tasks/${task.id}`)).state).toBe(state);
  });
});

test("the delivery's own task blocks a rebuild before it is even listed", async () => {
  const terms = { duration: "P1M", pricingMode: "default", quantity: 1 };
  const { cartId } = (await call("POST", "/order/cart", { ovhSubsidiary: "FR" })).value;
  const cart = `/order/cart/${cartId}`;
  await call("POST", `${cart}/assign`);
  const { itemId } = (await call("POST", `${cart}/vps`, { ...terms, planCode: "vps-2025-model1" })).value;
  for (const [label, value] of Object.entries({ vps_datacenter: "GRA", vps_os: "Debian 13" }))
    await call("POST", `${cart}/item/${itemId}/configuration`, { label, value });
  await call("POST", `${cart}/checkout`, { autoPayWithPreferredPaymentMethod: true });
  clock += 8000;
  const fresh = (await get("/vps")).find((each: string) => each !== name);
  const [imageId] = await get(`/vps/${fresh}/images/available`);
  const attempt = () => call("POST", `/vps/${fresh}/rebuild`, { imageId, publicSshKey: key });
  expect(await get(`/vps/${fresh}/tasks`)).toEqual([]);
  expect(await attempt()).toMatchObject(busy);
  clock += 3000;
  const [task] = await get(`/vps/${fresh}/tasks`);
  expect(await get(`/vps/${fresh}/tasks/${task}`)).toMatchObject({ type: "deliverVm", state: "doing" });
  expect(await attempt()).toMatchObject(busy);
  clock += 5000;
  expect((await attempt()).status).toBe(200);
});

test.each([
  ["reboot", "rebootVm", "rebooting", "running"],
  ["stop", "stopVm", "stopping", "stopped"],
] as const)("%s is a task %s, %s and then %s", async (action, type, during, after) => {
  const { value: task } = await call("POST", `${root}/${action}`);
  expect(task).toMatchObject({ type, state: "todo" });
  expect(await stateOf()).toBe(during);
  clock += 2000;
  expect(await stateOf()).toBe(after);
  expect(done).toEqual([action]);
});

test("an API that forgets its tasks knows none that has ended", async () => {
  await restart({ rules: { forgetsTasks: true } });
  const { value: task } = await call("POST", `${root}/reboot`);
  expect(await get(`${root}/tasks`)).toEqual([task.id]);
  clock += 2000;
  expect(await get(`${root}/tasks`)).toEqual([]);
  expect((await call("GET", `${root}/tasks/${task.id}`)).status).toBe(404);
});

test("a contract can end with its term, and that can be taken back", async () => {
  const renew = async () => (await get(`${root}/serviceInfos`)).renew;
  expect(await renew()).toMatchObject({ automatic: true, deleteAtExpiration: false });
  await call("PUT", `${root}/serviceInfos`, { renew: { deleteAtExpiration: true } });
  expect(await renew()).toMatchObject({ automatic: false, deleteAtExpiration: true });
  await call("PUT", `${root}/serviceInfos`, {});
  expect(await renew()).toMatchObject({ deleteAtExpiration: true });
});

describe("a contract that is ended", () => {
  const mails = (): Promise<number[]> => get("/me/notification/email/history");
  const mailedToken = async () => {
    const id = (await mails()).at(-1);
    const { body } = await get(`/me/notification/email/history/${id}`);
    expect(body).toContain(name);
    return /\/billing\/confirmTerminate\?id=[0-9a-zA-Z]+&token=([0-9a-zA-Z]+)/.exec(body)?.[1];
  };
  const confirm = (token: unknown) => call("POST", `${root}/confirmTermination`, { token });

  test("needs the token of a mail that takes its time; the service is expired then", async () => {
    const before = await mails();
    expect(before.length).toBeGreaterThan(0);
    expect(typeof (await call("POST", `${root}/terminate`)).value).toBe("string");
    expect(await mails()).toEqual(before);
    clock += 2000;
    const token = await mailedToken();
    expect(await confirm("wrong")).toMatchObject({ status: 400 });
    expect(await confirm(undefined)).toMatchObject({ status: 400 });
    expect(done).toEqual([]);
    expect((await confirm(token)).status).toBe(200);
    expect(done).toEqual([`terminate ${name}`]);
    expect(await call("GET", root)).toMatchObject({
      status: 460,
      value: { message: "This service is expired" },
    });
    expect((await call("POST", `${root}/terminate`)).status).toBe(460);
    expect(await get("/vps")).toEqual([]);
  });

  test("takes the last token only", async () => {
    await call("POST", `${root}/terminate`);
    clock += 2000;
    const former = await mailedToken();
    await call("POST", `${root}/terminate`);
    clock += 2000;
    expect((await confirm(former)).status).toBe(400);
    expect((await confirm(await mailedToken())).status).toBe(200);
  });

  test("may leave nothing behind", async () => {
    await restart({ rules: { terminated: "gone" } });
    await call("POST", `${root}/terminate`);
    clock += 2000;
    await confirm(await mailedToken());
    expect(await call("GET", root)).toMatchObject({
      status: 404,
      value: { message: "This service does not exist" },
    });
  });

  test("without a token is refused when nobody asked for one", async () =>
    expect((await confirm(null)).status).toBe(400));

  test("waits in the lab for what is being done there", async () => {
    let finish = () => {};
    const rebuilt = () => new Promise<void>((resolve) => (finish = resolve));
    await restart({ hooks: { ...hooks, rebuild: rebuilt } });
    await rebuild();
    await call("POST", `${root}/terminate`);
    clock += 2000;
    await confirm(await mailedToken());
    expect(done).toEqual([]);
    finish();
    await get("/vps");
    await get("/vps");
    expect(done).toEqual([`terminate ${name}`]);
  });
});

test.each([
  "web-1",
  "vps.vps.ovh.net",
  "vps-0a1b2c3d.vps.ovh.fr",
  "VPS-0a1b2c3d.vps.ovh.net",
])("no VPS is named %s", (serviceName) =>
  expect(() =>
    emulator.addVps({ serviceName, model: "", datacenter: "GRA", os: "Debian 13", ips: [] }),
  ).toThrow(`got '${serviceName}'`));

test("a VPS that is added again gets its new addresses and keeps the rest", async () => {
  await call("PUT", root, { displayName: "web-2" });
  emulator.addVps({
    ...{
      serviceName: name,
      model: "vps-2025-model1",
      datacenter: "GRA",
      os: "Debian 13",
      ips: ["203.0.113.99"],
    },
  });
  expect(await get("/vps")).toEqual([name]);
  expect(await get(`${root}/ips`)).toEqual(["203.0.113.99"]);
  expect(await get(root)).toMatchObject({ displayName: "web-2" });
});
