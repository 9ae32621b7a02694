/**
 * Buying a server from the emulated OVH over HTTP, cut everywhere: never two orders, never two rebuilds, always resumed.
 * The sleeps are short; SSH is imitated. Not proven: OVH itself, and a real server's first contact (see test/lab).
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openOvh } from "../../outside/ovh/client.ts";
import { whoKnows } from "../../outside/known-servers.ts";
import { orderedClients, orderJournal } from "../../outside/ovh/order-journal.ts";
import { FleetError } from "../../core/errors.ts";
import { reachOfAddress } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";
import type { Ovh } from "../../core/ovh/port.ts";
import { labCredentials } from "../../lab/ovh/credentials.ts";
import { type Emulator, startEmulator } from "../../lab/ovh/emulator.ts";
import { noHooks } from "../../lab/ovh/world.ts";
import { listOrders } from "../../verbs/order/list-orders.ts";
import { type OrderOptions, orderServer, type OrderWish } from "../../verbs/order/order-server.ts";

const wish: OrderWish = {
  client: {
    name: "ville",
    domain: "ville.geoclic.test",
    email: "a@ville.fr",
    town: `Mairie d'Aix "Côté lac"`,
    dns: "managed",
    canary: false,
  },
  ssh: { user: "debian", port: 22 },
  reach: "127.0.10.{4}",
  plan: "vps-2027-model1",
  datacenter: "GRA",
  os: "Debian 13",
};
const options: OrderOptions = { waitMinutes: 60, maxCents: 2000 };
const clock = { check: 4, deliver: 8, deliverTask: 40, taskHidden: 10, rebuild: 10, reboot: 5, mail: 5 };
const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;

/** The process dies: nothing catches it. */
class Killed extends Error {}

let emulator: Emulator;
let state: string;
let keys: Map<string, string>;
let rebuilds: number;
let declared: Record<string, unknown>[];
let told: string[];

beforeEach(async () => {
  keys = new Map();
  rebuilds = 0;
  declared = [];
  told = [];
  state = await mkdtemp(join(tmpdir(), "geoclic-order-"));
  emulator = await startEmulator({
    clock,
    hooks: {
      ...noHooks(),
      rebuild: async ({ serviceName, publicSshKey }) => {
        rebuilds += 1;
        keys.set(serviceName, publicSshKey ?? "");
      },
    },
  });
});
afterEach(async () => {
  await emulator.close();
  await rm(state, { recursive: true });
});

const environment = () => ({
  OVH_ENDPOINT: emulator.url,
  OVH_APPLICATION_KEY: labCredentials.applicationKey,
  OVH_APPLICATION_SECRET: labCredentials.applicationSecret,
  OVH_CONSUMER_KEY: labCredentials.consumerKey,
  GEOCLIC_OVH_BUDGET: "9999",
});

/** A run of the command; `around` stands between it and OVH or its journal. */
async function context(
  client: string,
  around: { ovh?: (ovh: Ovh) => Ovh; write?: (write: () => Promise<void>) => Promise<void> } = {},
  machine = state,
): Promise<OrderContext> {
  const journal = orderJournal(machine, client);
  const ovh = await openOvh({ env: environment(), state, wait: () => pause(1) });
  let slept = 0;
  return {
    ovh: around.ovh?.(ovh) ?? ovh,
    journal: {
      ...journal,
      write: (event) => around.write?.(() => journal.write(event)) ?? journal.write(event),
    },
    publicKey: async () => "ssh-ed25519 FLEET",
    scanHostKey: async () => ({ hostKey, fingerprint: "SHA256:x" }),
    logIn: async ({ host }) => {
      const server = emulator.state.vps.find(({ ips }) =>
        ips.some((ip) => reachOfAddress(wish.reach, ip) === host),
      );
      if (keys.get(server?.serviceName ?? "") !== "ssh-ed25519 FLEET")
        throw new FleetError("SSH_REFUSED", { user: "debian", host: "h", port: 22, cause: "publickey" });
    },
    whoKnows: async (serviceName, addresses) => {
      const entry = declared.find((each) => each.serviceName === serviceName);
      return entry
        ? "Pulumi.prod.yaml"
        : whoKnows({ project: machine, state: machine, client }, serviceName, addresses);
    },
    confirmService: async () => true,
    declaredServer: async (name) =>
      declared.find((entry) => entry.name === name)?.serviceName as string | undefined,
    declare: async (entry) => void declared.push({ ...entry }),
    confirm: async () => true,
    now: () => Date.now() + slept,
    sleep: async (milliseconds) => {
      slept += milliseconds;
      await pause(4);
    },
    report: (key, values) => void told.push(`${key} ${JSON.stringify(values)}`),
  };
}

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error("it succeeded, expected a failure"),
    (error: Error) => error,
  );
}
const order = async (client = "ville", change: Partial<OrderOptions> = {}) =>
  orderServer(
    await context(client),
    client,
    { ...wish, client: { ...wish.client, name: client } },
    { ...options, ...change },
  );

function proven(): void {
  expect(emulator.state.checkouts).toBe(1);
  expect(emulator.state.orders).toHaveLength(1);
  expect(rebuilds).toBe(1);
  expect(declared).toEqual([
    {
      name: "ville",
      domain: "ville.geoclic.test",
      email: "a@ville.fr",
      town: `Mairie d'Aix "Côté lac"`,
      serviceName: emulator.state.vps[0]?.serviceName,
      reach: expect.stringMatching(/^127\.0\.10\.\d+$/),
      ssh: { user: "debian", port: 22, hostKey },
      dns: "managed",
    },
  ]);
  expect(emulator.state.vps[0]?.displayName).toBe("ville");
}

test("a machine's files are searched for a server as whole words", async () => {
  const server = "vps-0a1b2c3d.vps.ovh.net";
  const places = { project: join(state, "project"), state, client: "ville" };
  const asks = () => whoKnows(places, server, ["10.0.0.1", "2001:db8::1"]);
  const files: [path: string, text: string, found: string | undefined][] = [
    [
      "project/Pulumi.prod.yaml",
      `  - ip: 10.0.0.12\n    name: vps-0a1b2c3d\n    reach: 2001:db8::1:2\n`,
      undefined,
    ],
    ["project/notes.yaml", `serviceName: ${server}\n`, undefined],
    ["orders/ville.jsonl", `{"serviceName":"${server}"}\n`, undefined],
    ["orders/bourg.jsonl", `{"serviceName":"${server}"}\n`, "orders/bourg.jsonl"],
    ["retired/vieux/journal.jsonl", `{"serviceName":"${server}"}\n`, "retired/vieux/journal.jsonl"],
    ["project/Pulumi.old.yaml", `  # serviceName: ${server}\n  : [`, "project/Pulumi.old.yaml"],
    ["project/Pulumi.ip.yaml", `  - ip: 10.0.0.1\n`, "project/Pulumi.ip.yaml"],
  ];
  expect(await asks()).toBeUndefined();
  for (const [path, text, found] of files) {
    await mkdir(join(state, path, ".."), { recursive: true });
    await writeFile(join(state, path), text);
    expect(await asks(), path).toBe(found);
    if (found) await rm(join(state, path));
  }
});

test("buys what was shown, with the options that are demanded, and declares it", async () => {
  await order();
  proven();
  expect(told.map((line) => line.split(" ")[0])).toEqual(
    expect.arrayContaining([
      "order.ordered",
      "order.paid",
      "order.delivered",
      "order.rebuild",
      "order.hostKey",
      "order.declared",
    ]),
  );
  await order();
  proven();
  expect(told.at(-1)).toContain("order.done");
});

/** Every request by which the flow goes, one wrapper for all of them. */
function cutAt(
  number: number,
  how: "before" | "after" | "busy" | "lost",
): { ovh: (ovh: Ovh) => Ovh; count: () => number } {
  let count = 0;
  const wrap =
    (send: Ovh["get"]): Ovh["get"] =>
    async (path, request) => {
      count += 1;
      if (count !== number) return send(path, request);
      if (how === "before") throw new Killed();
      if (how === "busy")
        throw new FleetError("OVH_REFUSED", { method: "*", path, status: 500, query: "x", cause: "busy" });
      await send(path, request);
      if (how === "after") throw new Killed();
      throw new FleetError("OVH_UNREACHABLE", { method: "*", path, cause: "socket hang up" });
    };
  return {
    count: () => count,
    ovh: (ovh) => ({
      get: wrap(ovh.get),
      post: wrap(ovh.post),
      put: wrap(ovh.put),
      delete: wrap(ovh.delete),
      time: ovh.time,
      checkRights: ovh.checkRights,
    }),
  };
}

describe("cut at each of its requests", () => {
  test.each([
    "before",
    "after",
    "busy",
    "lost",
  ] as const)("%s it: never two orders, always resumed", async (how) => {
    let number = 1;
    for (; ; number += 1) {
      const cut = cutAt(number, how);
      const run = await context("ville", { ovh: cut.ovh });
      const error = await failure(orderServer(run, "ville", wish, options));
      const isCut = cut.count() >= number;
      if (isCut) await order();
      try {
        proven();
      } catch (wrong) {
        throw new Error(`request ${number} ${how} (${error.message}): ${(wrong as Error).message}`);
      }
      if (!isCut) break;
      await anew();
    }
    // The whole flow was walked through, not a part of it.
    expect(number).toBeGreaterThan(25);
  });

  /** Another OVH, another journal. */
  async function anew(): Promise<void> {
    emulator.state.orders.length = 0;
    emulator.state.vps.length = 0;
    emulator.state.carts.length = 0;
    emulator.state.checkouts = 0;
    await rm(join(state, "orders"), { recursive: true, force: true });
    keys.clear();
    rebuilds = 0;
    declared = [];
  }

  test.each(["before", "after"] as const)("killed %s each line of its journal", async (when) => {
    for (let number = 1; ; number += 1) {
      let count = 0;
      const write = async (writes: () => Promise<void>) => {
        count += 1;
        if (count !== number) return writes();
        if (when === "after") await writes();
        throw new Killed();
      };
      const run = await context("ville", { write });
      await orderServer(run, "ville", wish, options).catch(() => {});
      if (count >= number) await order();
      proven();
      if (count < number) {
        expect(number).toBeGreaterThan(6);
        break;
      }
      await anew();
    }
  });
});

test("killed again and again, it still ends with one order", async () => {
  for (let number = 1; number < 60; number += 3) {
    const run = await context("ville", { ovh: cutAt(number, number % 2 ? "after" : "before").ovh });
    await orderServer(run, "ville", wish, options).catch(() => {});
  }
  await order();
  proven();
});

test("two towns at once get a server each, also when both answers are lost", async () => {
  const lost = async (name: string) => {
    const client = { ...wish, client: { ...wish.client, name } };
    const losing = (ovh: Ovh): Ovh => ({
      ...ovh,
      post: async (path, request) => {
        const answer = await ovh.post(path, request);
        if (!path.endsWith("/checkout")) return answer;
        throw new Killed();
      },
    });
    await orderServer(await context(name, { ovh: losing }), name, client, options).catch(() => {});
  };
  await lost("ville");
  await lost("bourg");
  const [first, second] = emulator.state.orders.map(({ orderId }) => orderId);
  const error = await failure(order("ville"));
  expect(error.message).toContain(`could be it: ${first}, ${second}`);
  await order("ville", { orderId: first ?? 0 });
  await order("bourg");
  expect(emulator.state.checkouts).toBe(2);
  expect(new Set(declared.map(({ serviceName }) => serviceName)).size).toBe(2);
});

describe("an order whose answer was lost, of two machines and with a wrong number", () => {
  const lost = async () => {
    const losing = (ovh: Ovh): Ovh => ({
      ...ovh,
      post: async (path, request) => {
        const answer = await ovh.post(path, request);
        if (path.endsWith("/checkout")) throw new Killed();
        return answer;
      },
    });
    const before = emulator.state.checkouts;
    await orderServer(await context("ville", { ovh: losing }), "ville", wish, options).catch(() => {});
    expect(emulator.state.checkouts).toBe(before + 1);
  };

  test("is not bought again by a machine that has no journal of it", async () => {
    await lost();
    const other = await mkdtemp(join(tmpdir(), "geoclic-order-"));
    const error = await failure(orderServer(await context("ville", {}, other), "ville", wish, options));
    expect(error).toMatchObject({ code: "ORDER_ELSEWHERE" });
    expect(emulator.state.checkouts).toBe(1);
    await rm(other, { recursive: true });
    await order();
    proven();
    const late = await failure(orderServer(await context("ville", {}, other), "ville", wish, options));
    expect(late).toMatchObject({ code: "ORDER_DECLARED" });
  });

  test("is never taken for a town's that is there", async () => {
    await order("bourg");
    const [bourg] = emulator.state.orders;
    await lost();
    const error = await failure(order("ville", { orderId: bourg?.orderId ?? 0 }));
    expect(error).toMatchObject({ code: "ORDER_NOT_IT", values: { evidence: "orders/bourg.jsonl" } });
    expect(rebuilds).toBe(1);
    // Without its journal the stack file still names it.
    await rm(join(state, "orders/bourg.jsonl"));
    expect(await failure(order("ville", { orderId: bourg?.orderId ?? 0 }))).toMatchObject({
      code: "ORDER_SERVICE_TAKEN",
      values: { evidence: "Pulumi.prod.yaml" },
    });
    expect(emulator.state.vps[0]?.displayName).toBe("bourg");
    expect(rebuilds).toBe(1);
  });
});

describe("nothing is bought", () => {
  const none = () => {
    expect(emulator.state.checkouts).toBe(0);
    expect(declared).toEqual([]);
  };

  test.each<[string, Partial<OrderWish>, Partial<OrderOptions>, string]>([
    ["above the limit", {}, { maxCents: 600 }, "ORDER_TOO_DEAR"],
    ["for a plan that is not sold", { plan: "vps-1999" }, {}, "ORDER_NOT_SOLD"],
    ["for a system that is not sold", { os: "BeOS" }, {}, "ORDER_NOT_SOLD"],
    ["in a datacenter that is full", { datacenter: "WAW" }, {}, "ORDER_NOT_SOLD"],
    ["for a domain that is none", { client: { ...wish.client, domain: "a;reboot" } }, {}, "ORDER_INVALID"],
    ["for a town with a line break", { client: { ...wish.client, town: "a\nb" } }, {}, "ORDER_INVALID"],
    ["for a name that is an option", { client: { ...wish.client, name: "--yes" } }, {}, "ORDER_INVALID"],
    ["for a user that is a command", { ssh: { user: "$(id)", port: 22 } }, {}, "ORDER_INVALID"],
    ["to be reached at a text", { reach: "a b" }, {}, "ORDER_INVALID"],
  ])("%s", async (_, change, limits, code) => {
    const error = await failure(
      orderServer(await context("ville"), "ville", { ...wish, ...change }, { ...options, ...limits }),
    );
    expect(error).toMatchObject({ code, place: { client: "ville", step: "order" } });
    none();
    expect(emulator.audit.filter(({ path }) => path === "/order/cart")).toEqual([]);
  });

  test("without a payment method", async () => {
    emulator.state.paymentMethods.length = 0;
    expect(await failure(order())).toMatchObject({ code: "ORDER_NO_PAYMENT" });
    none();
  });

  test("that was not confirmed", async () => {
    const run = { ...(await context("ville")), confirm: async () => false };
    expect(await failure(orderServer(run, "ville", wish, options))).toMatchObject({
      code: "ORDER_UNCONFIRMED",
    });
    none();
  });

  test("for a town that has a server", async () => {
    declared.push({ name: "ville", serviceName: "10.0.0.1" });
    expect(await failure(order())).toMatchObject({ code: "ORDER_DECLARED" });
    expect(emulator.state.checkouts).toBe(0);
  });

  test("when the cart costs more than what was shown", async () => {
    const dearer = (ovh: Ovh): Ovh => ({
      ...ovh,
      get: async (path, request) => {
        const answer = await ovh.get(path, request);
        if (!path.endsWith("/checkout")) return answer;
        const { prices } = answer as { prices: { withTax: { value: number } } };
        return { ...answer, prices: { withTax: { value: prices.withTax.value + 0.5 } } };
      },
    });
    const run = await context("ville", { ovh: dearer });
    expect(await failure(orderServer(run, "ville", wish, options))).toMatchObject({
      code: "ORDER_PRICE_CHANGED",
    });
    none();
  });

  test("with credentials that may not rebuild", async () => {
    await emulator.close();
    const rules = ["GET", "PUT"].map((method) => ({ method, path: "/*" }));
    emulator = await startEmulator({ clock, credentials: { ...labCredentials, rules } });
    const error = await failure(order());
    expect(error).toMatchObject({ code: "OVH_RIGHTS" });
    expect(error.message).toContain("POST /vps/*/rebuild");
    none();
  });

  test("without its options when nothing was begun", async () => {
    const error = await failure(orderServer(await context("ville"), "ville", undefined, options));
    expect(error).toMatchObject({ code: "ORDER_OPTIONS" });
  });
});

describe("a delivery", () => {
  const stuck = (status: "delivering" | "documentsRequested" | "cancelled" | null) => {
    for (const each of emulator.state.orders) each.stuck = status;
  };
  const begun = async () => {
    const run = await context("ville", {
      write: async (writes) => {
        await writes();
        if (emulator.state.orders.length > 0) throw new Killed();
      },
    });
    await orderServer(run, "ville", wish, options).catch(() => {});
    expect(emulator.state.orders).toHaveLength(1);
  };

  test("that never ends is left at its time, and taken up when it comes", async () => {
    await begun();
    stuck("delivering");
    const error = await failure(order("ville", { waitMinutes: 5 }));
    expect(error.message).toMatch(
      /order \d+ is still delivering after 5 min .*Next: run the same command again later/,
    );
    stuck(null);
    await orderServer(await context("ville"), "ville", undefined, options);
    proven();
  });

  test("that wants documents says so, and goes on after them", async () => {
    await begun();
    await failure(order("ville", { waitMinutes: 0 }));
    stuck("documentsRequested");
    expect(await failure(order())).toMatchObject({ code: "ORDER_DOCUMENTS" });
    stuck(null);
    await order();
    proven();
  });

  test("that was cancelled names its journal", async () => {
    await begun();
    await failure(order("ville", { waitMinutes: 0 }));
    stuck("cancelled");
    const error = await failure(order());
    expect(error).toMatchObject({ code: "ORDER_STOPPED" });
    expect(error.message).toContain("orders/ville.jsonl");
    expect(emulator.state.checkouts).toBe(1);
  });
});

test("a VPS without a server behind it is told, and the next run goes on", async () => {
  const run = { ...(await context("ville")), scanHostKey: () => Promise.reject(new Error("timed out")) };
  expect(await failure(orderServer(run, "ville", wish, options))).toMatchObject({ code: "ORDER_UNREACHED" });
  await order();
  proven();
});

test("the list tells what was bought, and what nobody knows", async () => {
  await order();
  const stranger = emulator.addVps({
    serviceName: "vps-feedbeef.vps.ovh.net",
    model: "vps-2025-model1",
    datacenter: "GRA",
    os: "Debian 13",
    ips: [],
    displayName: "old-town",
  });
  const list = async (name = "vps-0a1b2c3d.vps.ovh.net") =>
    listOrders({
      ovh: (await context("ville")).ovh,
      journals: (await orderedClients(state)).map((client) => ({
        client,
        journal: orderJournal(state, client),
      })),
      declared: [{ name: "other", serviceName: name }],
    });
  const [row] = emulator.state.orders;
  expect(await list()).toEqual([
    { client: "ville", server: row?.serviceName, order: row?.orderId, state: "declared" },
    { client: "old-town", server: stranger.serviceName, state: "orphanServer" },
  ]);
  expect(await list(stranger.serviceName)).toHaveLength(1);
  for (const vps of emulator.state.vps) vps.isTerminated = true;
  expect(await list()).toEqual([
    { client: "ville", server: row?.serviceName, order: row?.orderId, state: "vanished" },
  ]);
});
