/**
 * Buying a server from an OVH in memory: cut at each request, gone on with by another machine or account, with lists that
 * come late. Not proven: OVH's own answers (see test/peers/order.test.ts for an emulation over HTTP).
 */
import { describe, expect, test } from "vitest";
import { FleetError } from "../../core/errors.ts";
import type { OrderEvent, OrderLine } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";
import type { Ovh } from "../../core/ovh/port.ts";
import { MemoryOvh, type MemoryVps, plan } from "../../test/helpers/ovh-memory.ts";
import { type OrderOptions, type OrderWish, orderServer } from "./order-server.ts";

class Killed extends Error {}

const wish: OrderWish = {
  client: {
    ...{ name: "ville", domain: "ville.geoclic.test", email: "a@ville.fr", town: "Ville" },
    ...{ dns: "managed", canary: false },
  },
  ssh: { user: "debian", port: 22 },
  reach: "{1}.{2}.{3}.{4}",
  ...{ plan, datacenter: "GRA", os: "Debian 13" },
};
const usual: OrderOptions = { waitMinutes: 60, maxCents: 2000 };
const key = "ssh-ed25519 FLEET";
const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;

/** Folder of a machine's journals, by client. */
type Machine = Map<string, OrderLine[]>;

interface Run {
  readonly machine: Machine;
  readonly account?: string;
  readonly client?: string;
  readonly options?: Partial<OrderOptions>;
  /** Request, or line of the journal, at which the process dies. */
  readonly cut?: { readonly at: number; readonly when: "before" | "after" };
  readonly change?: Partial<OrderContext>;
  /** Awaited before each effect: who else acts in between. */
  readonly turn?: () => Promise<void>;
}

/** An account with a town that lives, on a server that was ordered long ago, and one that was taken over by its address. */
function world() {
  const ovh = new MemoryOvh();
  const day = 86_400_000;
  const living = ovh.own("ours", "lyon", ovh.now - 100 * day);
  const imported = ovh.own("ours", "", ovh.now - 50 * day);
  const registry: { name: string; serviceName: string }[] = [
    { name: "lyon", serviceName: living.serviceName },
    { name: "aix", serviceName: imported.address },
  ];
  let effects = 0;
  return { ovh, living, imported, registry, run, effects: () => effects };

  async function run({ machine, account = "ours", client = "ville", options, cut, change, turn }: Run) {
    let count = 0;
    const effect = async <T>(work: () => Promise<T>): Promise<T> => {
      count += 1;
      effects = count;
      await turn?.();
      if (cut?.at === count && cut.when === "before") throw new Killed();
      const result = await work();
      if (cut?.at === count && cut.when === "after") throw new Killed();
      return result;
    };
    const port = ovh.open(account);
    const send =
      (method: "get" | "post" | "put" | "delete"): Ovh["get"] =>
      (path, request) =>
        effect(() => port[method](path, request));
    const lines = () => machine.get(client) ?? [];
    const at = (host: string) => [...ovh.servers.values()].find(({ address }) => address === host);
    const context: OrderContext = {
      ovh: { ...port, get: send("get"), post: send("post"), put: send("put"), delete: send("delete") },
      journal: {
        file: `orders/${client}.jsonl`,
        read: async () => lines(),
        write: (event: OrderEvent) =>
          effect(async () => {
            machine.set(client, [...lines(), { time: new Date(ovh.now).toISOString(), ...event }]);
          }),
        otherOrders: async () =>
          [...machine].flatMap(([name, all]) =>
            all.flatMap((line) =>
              line.event === "ordered" && name !== client ? [{ client: name, orderId: line.orderId }] : [],
            ),
          ),
      },
      publicKey: async () => key,
      scanHostKey: async () => ({ hostKey, fingerprint: "SHA256:x" }),
      logIn: async ({ host }) => {
        if (at(host)?.key !== key) throw new FleetError("SSH_REFUSED", { host, port: 22, user: "debian" });
      },
      declaredServer: async (name) => registry.find((each) => each.name === name)?.serviceName,
      declare: (entry) =>
        effect(
          async () =>
            void registry.push({ name: String(entry.name), serviceName: String(entry.serviceName) }),
        ),
      whoKnows: async (serviceName, addresses) => {
        const declared = registry.find((each) => [serviceName, ...addresses].includes(each.serviceName));
        if (declared) return "Pulumi.prod.yaml";
        const named = (all: readonly OrderLine[]) =>
          all.some((line) => line.event === "delivered" && line.serviceName === serviceName);
        return [...machine].find(([name, all]) => name !== client && named(all))?.[0];
      },
      confirm: async () => true,
      confirmService: async () => true,
      now: () => ovh.now,
      sleep: async (milliseconds) => {
        ovh.now += milliseconds;
      },
      report: () => {},
      ...change,
    };
    const made = { ...wish, client: { ...wish.client, name: client } };
    return orderServer(context, client, made, { ...usual, ...options }).then(
      () => undefined,
      (error: Error) => error,
    );
  }
}

/** A first run that dies as soon as something is so, in a world of its own. */
async function cutUntil(
  when: "before" | "after",
  isSo: (made: ReturnType<typeof world> & { readonly machine: Machine }) => boolean,
) {
  for (let at = 1; at < 100; at += 1) {
    const made = { ...world(), machine: new Map() as Machine };
    await made.run({ machine: made.machine, cut: { at, when } });
    if (isSo(made)) return made;
  }
  throw new Error("it never came to that");
}

const noted =
  (event: OrderEvent["event"]) =>
  ({ machine }: { readonly machine: Machine }) =>
    machine.get("ville")?.some((line) => line.event === event) === true;

/** Disks that hold a town, or may. */
function untouched(...servers: readonly MemoryVps[]): void {
  for (const { serviceName, rebuilds } of servers)
    expect(`${serviceName} ${rebuilds}`).toBe(`${serviceName} 0`);
}

const requests = await (async () => {
  const { run, effects } = world();
  expect(await run({ machine: new Map() })).toBeUndefined();
  return effects();
})();

test("the whole flow is what is cut below", () => {
  expect(requests).toBeGreaterThan(35);
});

describe("cut anywhere, then gone on with: at most one checkout, and nobody's disk is emptied", () => {
  const cuts = Array.from({ length: requests }, (_, index) => index + 1).flatMap((at) =>
    (["before", "after"] as const).map((when) => ({ at, when })),
  );
  const others = ["the same machine", "another machine", "another account"] as const;
  const strangers = ["nobody else", "another town's order of the same minute"] as const;

  test.each(
    others.flatMap((who) =>
      strangers.flatMap((also) => [0, 45, 600].map((delay) => [who, also, delay] as const)),
    ),
  )("by %s, with %s, lists %i s late", async (who, also, delay) => {
    for (const cut of cuts) {
      const { ovh, living, imported, registry, run } = world();
      const machine: Machine = new Map();
      ovh.listDelay = delay;
      await run({ machine, cut });
      ovh.listDelay = 0;
      // Of a machine whose journals nobody here has.
      const stranger = also === "nobody else" ? [] : [ovh.own("ours", "bourg")];
      ovh.listDelay = delay;
      const second: Run = {
        machine: who === "another machine" ? new Map() : machine,
        account: who === "another account" ? "theirs" : "ours",
      };
      const said: (string | undefined)[] = [];
      for (const next of [second, { machine }, second, { machine }]) {
        said.push((await run(next))?.message);
        expect(ovh.checkouts, `${cut.when} ${cut.at}, then ${said.join("; ")}`).toBeLessThanOrEqual(1);
        untouched(living, imported, ...stranger);
        ovh.now += 1_800_000;
      }
      if (who !== "the same machine" || also !== "nobody else") continue;
      expect(said, `${cut.when} ${cut.at}`).toEqual([said[0], undefined, undefined, undefined]);
      expect(registry.map(({ name }) => name)).toEqual(["lyon", "aix", "ville"]);
      expect([...ovh.servers.values()].at(-1)).toMatchObject({ displayName: "ville", rebuilds: 1 });
    }
  });
});

describe("two machines that order for one town at the very same time", () => {
  /** Effects until the checkout, and the two behind it: later ones change no purchase. */
  const first = (async () => {
    const { ovh, run, effects } = world();
    let until = 0;
    await run({
      machine: new Map(),
      turn: async () => {
        if (ovh.checkouts === 0) until = effects();
      },
    });
    return until + 2;
  })();

  /** `order`: whose effect is next, 0 or 1; then the first to its end, then the other. */
  async function race(order: readonly number[]) {
    const made = world();
    const machines: Machine[] = [new Map(), new Map()];
    const runs = machines.map((machine) => stepped((turn) => made.run({ machine, turn })));
    for (const who of order) await runs[who]?.step();
    for (const run of runs) while (await run.step());
    const said = (await Promise.all(runs.map(({ ended }) => ended))) as (FleetError | undefined)[];
    const told = said.map((error) => error?.code ?? "bought");
    expect(made.ovh.checkouts, `${order.join("")}: ${told.join(", ")}`).toBeLessThanOrEqual(1);
    untouched(made.living, made.imported);
    for (const code of told) expect(["bought", "ORDER_RIVAL", "ORDER_ELSEWHERE"]).toContain(code);
    expect(told.filter((code) => code === "bought")).toHaveLength(made.ovh.checkouts);
    return { ...made, machines, told };
  }

  test("one of them halted at any request, then the other at any: at most one checkout, and who does not buy is told", async () => {
    const all = await first;
    const told = new Set<string>();
    for (let one = 0; one <= all; one += 1)
      for (let other = 0; other <= all; other += 1) {
        const raced = await race([...Array(one).fill(0), ...Array(other).fill(1)]);
        told.add(raced.told.join(", "));
      }
    // Each of them happens: the test would see nothing where only one ever tried.
    for (const outcome of ["bought, ORDER_ELSEWHERE", "ORDER_RIVAL, bought", "ORDER_RIVAL, ORDER_RIVAL"])
      expect([...told]).toContain(outcome);
  }, 300_000);

  test("request by request, in any order", async () => {
    let seed = 7;
    for (let round = 0; round < 300; round += 1) {
      const order = Array.from({ length: 2 * (await first) }, () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
        return (seed >> 16) % 2;
      });
      await race(order);
    }
  }, 300_000);

  test("both refused, either buys a quarter of an hour later, and the other does not", async () => {
    const all = await first;
    const inStep = Array.from({ length: 2 * all }, (_, index) => index % 2);
    const { ovh, run, machines, told } = await race(inStep);
    expect(told).toEqual(["ORDER_RIVAL", "ORDER_RIVAL"]);
    expect(await run({ machine: machines[0] ?? new Map() })).toMatchObject({ code: "ORDER_RIVAL" });
    ovh.now += 16 * 60_000;
    expect(await run({ machine: machines[1] ?? new Map() })).toBeUndefined();
    ovh.now += 16 * 60_000;
    const late = await run({ machine: machines[0] ?? new Map() });
    expect([(late as FleetError | undefined)?.code, ovh.checkouts]).toEqual(["ORDER_DECLARED", 1]);
  });

  test("a run that goes on with its own cart of yesterday is seen by one that begins", async () => {
    for (let halt = 0; halt < 60; halt += 1) {
      const made = await cutUntil("after", noted("checkingOut"));
      made.ovh.now += 3_600_000;
      const resumed = stepped((turn) => made.run({ machine: made.machine, turn }));
      for (let step = 0; step < halt; step += 1) await resumed.step();
      const begun = stepped((turn) => made.run({ machine: new Map(), turn }));
      // It comes to just before its checkout, then the other one ends, then it goes on.
      for (let step = 0; step < (await first) - 3; step += 1) await begun.step();
      while (await resumed.step());
      while (await begun.step());
      expect(made.ovh.checkouts, `halted at ${halt}`).toBeLessThanOrEqual(1);
    }
  });

  test("a run that was cut does not stand in the way of the same machine", async () => {
    const made = await cutUntil("before", ({ ovh }) =>
      [...ovh.carts.values()].some(({ items }) => items > 0),
    );
    expect(made.ovh.checkouts).toBe(0);
    expect(await made.run({ machine: made.machine })).toBeUndefined();
    expect(made.ovh.checkouts).toBe(1);
  });
});

/** A run that does one effect at each `step`, which tells whether there was one. */
function stepped<T>(run: (turn: () => Promise<void>) => Promise<T>) {
  let go = Promise.withResolvers<void>();
  let here = Promise.withResolvers<boolean>();
  const ended = run(async () => {
    const { promise } = go;
    here.resolve(true);
    await promise;
  }).finally(() => here.resolve(false));
  return {
    ended,
    async step(): Promise<boolean> {
      if (!(await here.promise)) return false;
      const former = go;
      [go, here] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
      former.resolve();
      await here.promise;
      return true;
    },
  };
}

describe("a server that somebody has is never set up anew", () => {
  /** A checkout whose answer was lost. */
  const lost = () => cutUntil("after", ({ ovh }) => ovh.checkouts > 0);

  test.each<[string, (made: Awaited<ReturnType<typeof lost>>) => MemoryVps]>([
    ["an old town's, which the registry names", ({ living }) => living],
    ["one that the registry names by its address", ({ imported }) => imported],
  ])("typed: the order of %s", async (_, of) => {
    const made = await lost();
    const vps = of(made);
    const error = await made.run({
      machine: made.machine,
      options: { orderId: made.ovh.orderOf(vps.serviceName) },
    });
    expect(error).toMatchObject({ code: "ORDER_NOT_IT" });
    untouched(made.living, made.imported);
    expect(vps.displayName).not.toBe("ville");
    // Nothing of it is in the journal: the right one still goes.
    expect(await made.run({ machine: made.machine })).toBeUndefined();
  });

  test.each<[string, string, (made: Awaited<ReturnType<typeof lost>>, vps: MemoryVps) => void]>([
    [
      "another client declares",
      "Pulumi.prod.yaml",
      ({ registry }, { serviceName }) => registry.push({ name: "x", serviceName }),
    ],
    [
      "another client declares by its address",
      "Pulumi.prod.yaml",
      ({ registry }, { address }) => registry.push({ name: "x", serviceName: address }),
    ],
    ["has another name", "displayName: bourg", (_, vps) => void Object.assign(vps, { displayName: "bourg" })],
    [
      "has this client's name, which no run here gave it",
      "displayName: ville",
      (_, vps) => void Object.assign(vps, { displayName: "ville" }),
    ],
    [
      "is older than the order",
      "creation: 2026-11-20, asked: 2026-11-23T09:00:00.000Z",
      (_, vps) => void Object.assign(vps, { created: Date.UTC(2026, 10, 20) }),
    ],
    [
      "another journal names",
      "bourg",
      ({ machine }, { serviceName }) =>
        void machine.set("bourg", [{ event: "delivered", serviceName, time: "2026-11-23T09:00:00Z" }]),
    ],
  ])("typed: of the checkout's minute, but %s", async (_, evidence, spoil) => {
    const made = await lost();
    const vps = made.ovh.own("ours", "");
    spoil(made, vps);
    const before = vps.displayName;
    const options = { orderId: made.ovh.orderOf(vps.serviceName) };
    const error = await made.run({ machine: made.machine, options });
    expect(error).toMatchObject({
      code: "ORDER_SERVICE_TAKEN",
      values: { server: vps.serviceName, evidence },
    });
    untouched(vps, made.living, made.imported);
    expect(vps.displayName).toBe(before);
  });

  test("typed: another journal's order, and an order before anything was bought", async () => {
    const made = await lost();
    const vps = made.ovh.own("ours", "");
    const orderId = made.ovh.orderOf(vps.serviceName);
    made.machine.set("bourg", [{ event: "ordered", orderId, time: "2026-11-23T09:00:00Z" }]);
    expect(await made.run({ machine: made.machine, options: { orderId } })).toMatchObject({
      code: "ORDER_NOT_IT",
      values: { evidence: "orders/bourg.jsonl" },
    });
    const fresh = world();
    const other = fresh.ovh.own("ours", "");
    const error = await fresh.run({
      machine: new Map(),
      options: { orderId: fresh.ovh.orderOf(other.serviceName) },
    });
    expect(error).toMatchObject({ code: "ORDER_NOT_BEGUN" });
    expect(fresh.ovh.checkouts).toBe(0);
    untouched(other, vps);
  });

  test("typed: without the service's name typed, nothing is noted and nothing is done", async () => {
    const made = await lost();
    const bought = made.ovh.orders.at(-1);
    const shown: string[] = [];
    const before = made.machine.get("ville")?.length;
    const error = await made.run({
      machine: made.machine,
      options: { orderId: bought?.orderId ?? 0 },
      change: {
        confirmService: async (name) => {
          shown.push(name);
          return false;
        },
      },
    });
    expect(error).toMatchObject({ code: "NOT_CONFIRMED" });
    expect(shown).toEqual([bought?.serviceName]);
    expect(made.machine.get("ville")).toHaveLength(before ?? 0);
    const right = { machine: made.machine, options: { orderId: bought?.orderId ?? 0 } };
    expect(await made.run(right)).toBeUndefined();
    expect(made.ovh.servers.get(bought?.serviceName ?? "")?.rebuilds).toBe(1);
  });

  test("delivered and noted, then declared by somebody before it was set up", async () => {
    const made = await cutUntil("after", noted("delivered"));
    const { machine } = made;
    const vps = [...made.ovh.servers.values()].at(-1);
    made.registry.push({ name: "x", serviceName: vps?.serviceName ?? "" });
    expect(await made.run({ machine })).toMatchObject({ code: "ORDER_SERVICE_TAKEN" });
    expect(vps).toMatchObject({ rebuilds: 0, displayName: vps?.serviceName });
  });
});

describe("a checkout whose outcome is not known", () => {
  test("is not decided while OVH may list another order of the same minute", async () => {
    const { ovh, run, machine } = await cutUntil("after", ({ ovh: { checkouts } }) => checkouts > 0);
    const stranger = ovh.own("ours", "");
    for (const order of ovh.orders)
      if (order.serviceName !== stranger.serviceName) order.listedFrom = ovh.now + 45_000;
    const error = await run({ machine });
    expect(error).toMatchObject({ code: "ORDER_AMBIGUOUS" });
    expect(error?.message).toContain(String(ovh.orderOf(stranger.serviceName)));
    untouched(stranger);
  });

  test("is lost while its cart is closed, though it is older than carts live", async () => {
    const { ovh, run, machine } = await cutUntil("after", ({ ovh: { checkouts } }) => checkouts > 0);
    for (const order of ovh.orders) order.listedFrom = Number.POSITIVE_INFINITY;
    for (const cart of ovh.carts.values()) cart.expire += 90 * 86_400_000;
    ovh.now += 30 * 3_600_000;
    expect(await run({ machine, options: { buyAgain: true } })).toMatchObject({ code: "ORDER_LOST" });
    expect(ovh.checkouts).toBe(1);
  });

  /** The cart was about to be checked out, and OVH does not know it any more. */
  async function forgotten(hours: number) {
    const made = await cutUntil("before", noted("checkingOut"));
    made.ovh.now += hours * 3_600_000;
    made.ovh.carts.clear();
    return made;
  }

  test("younger than the cart lives, it is lost, never `nothing was bought`", async () => {
    const { ovh, run, machine } = await forgotten(3);
    const before = ovh.checkouts;
    expect(await run({ machine, options: { buyAgain: true } })).toMatchObject({ code: "ORDER_LOST" });
    expect(ovh.checkouts).toBe(before);
  });

  test("older, nothing is bought again but by the very words", async () => {
    const { ovh, run, machine } = await forgotten(30);
    const before = ovh.checkouts;
    const error = await run({ machine });
    expect(error).toMatchObject({ code: "ORDER_UNCERTAIN" });
    expect(error?.message).toMatch(/look at the orders and servers since then.*--buy-again/);
    expect(ovh.checkouts).toBe(before);
    expect(await run({ machine, options: { buyAgain: true } })).toBeUndefined();
    expect(ovh.checkouts).toBe(before + 1);
  });

  test("with other credentials nothing is looked at nor bought", async () => {
    const { ovh, run, machine } = await forgotten(30);
    const before = ovh.checkouts;
    const error = await run({ machine, account: "theirs", options: { buyAgain: true } });
    expect(error).toMatchObject({ code: "ORDER_OTHER_ACCOUNT", values: { account: "ours", got: "theirs" } });
    expect(ovh.checkouts).toBe(before);
  });
});

test("a server of the client's name that nobody here ordered stops the purchase, days later too", async () => {
  const { ovh, run } = world();
  expect(await run({ machine: new Map() })).toBeUndefined();
  ovh.now += 3 * 86_400_000;
  const other = world();
  other.ovh.own("ours", "ville");
  expect(await other.run({ machine: new Map() })).toMatchObject({ code: "ORDER_ELSEWHERE" });
  expect(other.ovh.checkouts).toBe(0);
});

test("host keys are looked for with one connection each, and ever more slowly while the server refuses", async () => {
  const { ovh, run } = world();
  let scans = 0;
  const logIns: number[] = [];
  const error = await run({
    machine: new Map(),
    change: {
      scanHostKey: async () => {
        scans += 1;
        return { hostKey, fingerprint: "SHA256:x" };
      },
      logIn: async ({ host }) => {
        logIns.push(ovh.now);
        const cause =
          logIns.length === 4 ? "kex_exchange_identification: Connection closed by remote host" : "publickey";
        throw new FleetError("SSH_REFUSED", { host, port: 22, user: "debian", cause });
      },
    },
  });
  expect(error).toMatchObject({ code: "ORDER_UNREACHED" });
  expect(scans).toBe(1);
  // A penalty of 5 s for each refused log-in, worn off by the time that passes, never adds up to the 15 s that shut out.
  let penalty = 0;
  for (const [index, at] of logIns.entries()) {
    penalty = Math.max(0, penalty - (at - (logIns[index - 1] ?? at)) / 1000) + 5;
    expect(penalty).toBeLessThan(15);
  }
  expect((logIns[4] ?? 0) - (logIns[3] ?? 0)).toBe(60_000);
});
