/**
 * Rollouts with an engine in memory: waves, pins, failures put back, thresholds, cancellation, going on.
 * Not proven: what Pulumi does with a changed pin (see test/lab/rollout.test.ts).
 */
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type ClientConfig, FleetConfig } from "../../core/config/stack.ts";
import type { ResourceChange, ResourceFailure } from "../../core/engine/port.ts";
import { FleetError, describe as told } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { OperationView } from "../../core/operation/journal.ts";
import type { Release } from "../../core/release/release.ts";
import { pinOf } from "../../core/rollout/pins.ts";
import { memoryStack } from "../../test/helpers/stack-memory.ts";
import type { Operation } from "../operation.ts";
import {
  planResume,
  planRollback,
  planUpdate,
  type UpdateContext,
  type UpdateRequest,
  unprovenOnCanaries,
  update,
} from "./update.ts";

const old = "aaaaaaaaaaaa";
const next = "bbbbbbbbbbbb";
const pace = { waves: [{ count: 2 }, { percent: 100 }], maxFailures: { count: 0 }, soakSeconds: 0 };

interface World {
  /** Failure of a town's activation, by release. */
  readonly fails?: (name: string, release: string) => Partial<ResourceFailure> | undefined;
  readonly offline?: readonly string[];
  /** Towns that something else changed too. */
  readonly alsoTouched?: readonly string[];
  /** Problem of a town as its citizens see it, at a moment. */
  readonly problem?: (name: string, release: string, now: number) => string | undefined;
  readonly activated?: Readonly<Record<string, string>>;
  readonly checkFails?: boolean;
  readonly prunes?: () => { releases: number; images: number; bytes: number };
  /** Beside the one that each release has. */
  readonly migrations?: Readonly<Record<string, readonly string[]>>;
  /** Name of the database's volume, by release. */
  readonly volume?: Readonly<Record<string, string>>;
  /** Called before each `up`, with its number from 1. */
  readonly onUp?: (number: number) => void;
  /** The engine itself fails: at which preview or `up`, counted from 1, and at which town an `up` does. */
  readonly previewBreaks?: number;
  readonly upBreaks?: { readonly number: number; readonly at?: string };
  /** Failures of an `up` besides those of activations. */
  readonly also?: (number: number) => readonly ResourceFailure[];
  /** Steps of a town that its update brings along, and that do not come. */
  readonly skips?: Readonly<Record<string, string>>;
}

async function world(names: readonly string[], setting: World = {}) {
  const events: string[] = [];
  const lines: string[] = [];
  const pruned: string[] = [];
  const controller = new AbortController();
  const activated = new Map(
    Object.entries(setting.activated ?? Object.fromEntries(names.map((name) => [name, old]))),
  );
  const file = memoryStack(
    stringify({
      config: {
        "geoclic-fleet:role": "fleet",
        "geoclic-fleet:suite": { path: "." },
        "geoclic-fleet:clients": names.map(entry),
      },
    }),
  );
  let clock = 0;
  let ups = 0;
  let previews = 0;
  const wanted = async () => {
    const config = await file.read();
    return config.clients
      .filter(({ detached }) => !detached)
      .map((client) => ({ name: client.name, release: pinOf(config, client) ?? next }));
  };
  const context: UpdateContext = {
    file,
    engine: {
      idle: async () => {},
      redo: async () => {},
      activated: async () => new Map(activated),
      preview: async () => {
        previews += 1;
        if (setting.previewBreaks === previews) throw broken("preview");
        const touched = (await wanted()).filter(({ name, release }) => activated.get(name) !== release);
        return [
          ...touched.flatMap(({ name }) =>
            ["activation", ...(setting.skips?.[name] ? [setting.skips[name]] : [])].map((step) => ({
              client: name,
              step,
              operation: "update",
            })),
          ),
          ...(setting.alsoTouched ?? []).map((client) => ({ client, step: "base", operation: "update" })),
        ];
      },
      up: async ({ onStep }) => {
        ups += 1;
        setting.onUp?.(ups);
        const changed = (await wanted()).filter(({ name, release }) => activated.get(name) !== release);
        events.push(
          `up ${changed.map(({ name, release }) => `${name}@${release.slice(0, 1)}`).join(" ") || "-"}`,
        );
        const failures: ResourceFailure[] = [...(setting.also?.(ups) ?? [])];
        const done: ResourceChange[] = [];
        const isBroken = setting.upBreaks?.number === ups;
        if (isBroken && setting.upBreaks?.at === undefined) throw broken("up");
        for (const { name, release } of changed) {
          onStep?.(name, "activation");
          if (isBroken && setting.upBreaks?.at === name) throw broken("up");
          const failure = setting.fails?.(name, release);
          if (failure)
            failures.push({ client: name, step: "activation", message: `${name} fails`, ...failure });
          else {
            activated.set(name, release);
            done.push({ client: name, step: "activation", operation: "update" });
          }
        }
        return { changes: done, done, failures };
      },
    },
    unreached: async ({ name }) =>
      setting.offline?.includes(name)
        ? new FleetError("SSH_UNREACHABLE", { host: name, port: 22, cause: "silence" })
        : undefined,
    problem: async ({ name }, release) => setting.problem?.(name, release, clock),
    releases: {
      folder: "/store",
      present: async () => kept(next),
      read: async (id) => (/^[ab]{12}$/.test(id) ? kept(id) : undefined),
      named: async (name) => {
        if (name === "v1") throw new FleetError("RELEASE_AMBIGUOUS", { name, releases: `${old}, ${next}` });
        return name === "v2" ? next : undefined;
      },
      migrations: async ({ id }) => migrationsOf(id),
      kept: async (id) =>
        /^[ab]{12}$/.test(id)
          ? { release: kept(id), migrations: migrationsOf(id), compose: composeOf(id) }
          : undefined,
      partial: async () => kept("abababababab"),
    },
    checkRelease: async ({ id }) => {
      events.push(`check ${id.slice(0, 1)}`);
      if (setting.checkFails) throw new FleetError("RELEASE_CHECK_FAILED", { release: id, cause: "no" });
      return true;
    },
    prune: async (running) => {
      pruned.push([...running].map((id) => id.slice(0, 1)).join(""));
      return setting.prunes?.() ?? { releases: 0, images: 0, bytes: 0 };
    },
    now: () => clock,
    sleep: async (milliseconds) => {
      clock += milliseconds;
    },
    describe: (error) => told(error, "en"),
    tell: (key, values) => text(key, "en", values),
  };
  const operation: Operation = {
    id: "op",
    cancelled: controller.signal,
    cancelFile: "/cancel",
    plan: () => {},
    wave: (number, clients) => events.push(`wave ${number}: ${clients.join(" ")}`),
    step: () => {},
    stepEnd: () => {},
    line: (text) => void lines.push(text),
    client: (client, outcome, { cause } = {}) =>
      events.push(`${client} ${outcome}${cause ? `: ${cause}` : ""}`),
    refuseCancelled: () => {
      if (controller.signal.aborted) throw new FleetError("CANCELLED", { operation: "op" });
    },
  };
  function migrationsOf(id: string): string[] {
    return ["001_a.sql", ...(setting.migrations?.[id] ?? [])];
  }

  function composeOf(id: string): string {
    return stringify({
      services: { db: { volumes: ["data:/var/lib/postgresql/data"] } },
      volumes: { data: { name: setting.volume?.[id] ?? "town_data" } },
    });
  }

  return {
    context,
    file,
    events,
    lines,
    pruned,
    operation,
    cancel: () => controller.abort(),
    activated,
    pins: async () =>
      Object.fromEntries((await wanted()).map(({ name, release }) => [name, release.slice(0, 1)])),
    config: () => file.read(),
    run: async (request: Partial<UpdateRequest> = {}) => {
      const full = { all: true, ...pace, ...request };
      await update(context, operation, await planUpdate(context, full), full);
    },
  };
}

function broken(verb: string): FleetError {
  return new FleetError("ENGINE_FAILED", { verb, stack: "prod", cause: "the program failed" });
}

function kept(id: string): Release {
  const services = { db: { stateful: true } };
  return {
    id,
    version: "1",
    services,
    adapter: { database: { breaking: ["002_b.sql"] } },
  } as unknown as Release;
}

function entry(name: string, index: number) {
  return {
    name,
    domain: `${name}.geoclic.fr`,
    email: `admin@${name}.fr`,
    town: name,
    ip: `10.0.0.${index + 1}`,
    ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    ...(name.startsWith("canary") ? { canary: true } : {}),
  };
}

describe("waves", () => {
  test("canaries first, then groups; the pins follow; at the end one release is the stack's", async () => {
    const { run, events, pins, config } = await world(["a", "b", "c", "canary"]);
    await run();
    expect(events).toEqual([
      "check b",
      "wave 1: canary",
      "up canary@b",
      "canary done",
      "wave 2: a b",
      "up a@b b@b",
      "a done",
      "b done",
      "wave 3: c",
      "up c@b",
      "c done",
    ]);
    expect(await pins()).toEqual({ a: "b", b: "b", c: "b", canary: "b" });
    expect((await config()).release).toBe(next);
    expect((await config()).clients.every(({ release }) => release === undefined)).toBe(true);
  });

  test("one client: nobody else moves, whatever the suite's tree is now", async () => {
    const { run, events, pins } = await world(["a", "b", "c"]);
    await run({ all: false, clients: ["b"] });
    expect(events).toEqual(["check b", "wave 1: b", "up b@b", "b done"]);
    expect(await pins()).toEqual({ a: "a", b: "b", c: "a" });
  });

  test("who runs the release already is left alone", async () => {
    const { run, events, context } = await world(["a", "b"], { activated: { a: next, b: old } });
    await context.file.edit(({ setValue }) => setValue("release", next));
    await run();
    expect(events).toEqual(["check b", "a unchanged", "wave 1: b", "up b@b", "b done"]);
  });

  test("a release is meant by a tag of the suite too, unless several were made of it", async () => {
    const { run, pins } = await world(["a"]);
    await run({ release: "v2" });
    expect(await pins()).toEqual({ a: "b" });
    await expect(run({ release: "v1" })).rejects.toMatchObject({ code: "RELEASE_AMBIGUOUS" });
    await expect(run({ release: "v3" })).rejects.toMatchObject({ code: "RELEASE_NOT_HELD" });
  });

  test("a release that does not pass its check reaches nobody", async () => {
    const { run, events, pins } = await world(["a"], { checkFails: true });
    await expect(run()).rejects.toThrow("RELEASE_CHECK_FAILED");
    expect(events).toEqual(["check b"]);
    // Nothing was pinned: the entry follows the present tree as before.
    expect(await pins()).toEqual({ a: "b" });
  });

  test("a wave that would touch others stops before it does anything, and lists them", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], { alsoTouched: ["c"] });
    await expect(run({ all: false, clients: ["a"] })).rejects.toThrow(
      /c \(OTHERS_TOUCHED|touch other clients too: c/,
    );
    expect(events).toEqual(["check b", "wave 1: a", expect.stringMatching(/^a skipped: .*OTHERS_TOUCHED/)]);
    expect(await pins()).toMatchObject({ a: "a" });
  });
});

describe("a client that fails", () => {
  test("is put back, told with its cause and the proof, and stops the waves after it", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], {
      fails: (name, release) => (name === "b" && release === next ? { code: "UNHEALTHY" } : undefined),
    });
    await expect(run()).rejects.toThrow(/1 failed, more than the 0 allowed: c were not begun/);
    expect(events).toEqual([
      "check b",
      "wave 1: a b",
      "up a@b b@b",
      "a done",
      "up -",
      `b failed: b fails — put back to ${old}, which is proven to serve`,
      "c skipped",
    ]);
    expect(await pins()).toEqual({ a: "b", b: "a", c: "a" });
  });

  test("within what is allowed, the waves go on", async () => {
    const { run, events } = await world(["a", "b", "c"], {
      fails: (name, release) => (name === "b" && release === next ? {} : undefined),
    });
    await run({ maxFailures: { count: 1 } });
    expect(events).toContain("c done");
  });

  test("as a canary is never allowed", async () => {
    const { run, events } = await world(["canary", "b"], {
      fails: (name, release) => (name === "canary" && release === next ? {} : undefined),
    });
    await expect(run({ maxFailures: { percent: 100 } })).rejects.toThrow("THRESHOLD_PASSED");
    expect(events.filter((event) => event.startsWith("wave"))).toEqual(["wave 1: canary"]);
  });

  test("whose former release does not serve either is told so", async () => {
    const { run, events } = await world(["a"], {
      fails: (_, release) => (release === next ? {} : undefined),
      problem: () => "HTTP 502",
    });
    await run();
    expect(events.at(-1)).toMatch(/a failed: .*not proven to serve: HTTP 502 \(UNDO_UNPROVEN\)/);
  });

  test("is out of reach in the middle: offline, no failure", async () => {
    const { run, events, pins } = await world(["a", "b"], {
      fails: (name, release) =>
        name === "a" && release === next ? { code: "SSH_UNREACHABLE", step: "delivery" } : undefined,
    });
    await run();
    expect(events.find((event) => event.startsWith("a "))).toBe(
      `a offline: a fails — put back to ${old}, which is proven to serve`,
    );
    expect(await pins()).toEqual({ a: "a", b: "b" });
  });

  test("fell ill within the soak is put back", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], {
      problem: (name, release, now) =>
        name === "a" && release === next && now > 8000 ? "HTTP 500" : undefined,
    });
    await expect(run({ soakSeconds: 20, waves: [{ count: 1 }] })).rejects.toThrow("THRESHOLD_PASSED");
    expect(events.slice(2)).toEqual([
      "up a@b",
      "a done",
      "up a@a",
      expect.stringMatching(/^a failed: .*of 4 looks in the 20 s after it 3 found it ill: HTTP 500.*serve$/),
      "b skipped",
      "c skipped",
    ]);
    expect(await pins()).toEqual({ a: "a", b: "a", c: "a" });
  });
});

describe("offline", () => {
  test("skipped and told; the others go on, and its pin stays", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], { offline: ["b"] });
    await run();
    expect(events.filter((event) => event.startsWith("b "))).toEqual([
      expect.stringContaining("b offline: "),
    ]);
    expect(await pins()).toEqual({ a: "b", b: "a", c: "b" });
  });
});

describe("canaries", () => {
  test("out of reach stop what follows, unless somebody does without them", async () => {
    const { run, events, pins } = await world(["canary", "b", "c"], { offline: ["canary"] });
    await expect(run()).rejects.toMatchObject({
      code: "CANARY_UNPROVEN",
      values: { canaries: "canary", left: "b, c", operation: "op" },
    });
    expect(events.slice(1)).toEqual([expect.stringContaining("canary offline: "), "b skipped", "c skipped"]);
    expect(await pins()).toMatchObject({ canary: "b", b: "b", c: "b" });
    await run({ withoutCanary: true });
    expect(events).toContain("b done");
  });

  test("one of two out of reach stops too", async () => {
    const { run, events } = await world(["canary-1", "canary-2", "c"], { offline: ["canary-2"] });
    await expect(run()).rejects.toMatchObject({ code: "CANARY_UNPROVEN", values: { canaries: "canary-2" } });
    expect(events).toContain("canary-1 done");
    expect(events).toContain("c skipped");
  });

  test("cut before their activation stop what follows", async () => {
    const { run, events, pins } = await world(["canary", "b"], {
      fails: (name, release) =>
        name === "canary" && release === next ? { code: "SSH_UNREACHABLE", step: "delivery" } : undefined,
    });
    await expect(run()).rejects.toMatchObject({ code: "CANARY_UNPROVEN" });
    expect(events.at(-1)).toBe("b skipped");
    expect(await pins()).toEqual({ canary: "a", b: "a" });
  });

  test("that their server calls done, but that are not seen healthy, are put back and stop what follows", async () => {
    const { run, events, pins } = await world(["canary", "b"], {
      problem: (name, release) => (name === "canary" && release === next ? "HTTP 502" : undefined),
    });
    await expect(run()).rejects.toMatchObject({ code: "THRESHOLD_PASSED" });
    expect(events.find((event) => event.startsWith("canary"))).toMatch(
      /^canary failed: .*HTTP 502 \(TOWN_UNHEALTHY\).*put back to aaaaaaaaaaaa/,
    );
    expect(await pins()).toEqual({ canary: "a", b: "a" });
  });

  test("on the release already and healthy are proven; ill they are not", async () => {
    const there = { activated: { canary: next, b: old } };
    const well = await world(["canary", "b"], there);
    await well.context.file.edit(({ setValue }) => setValue("release", next));
    await well.run();
    expect(well.events).toContain("canary unchanged");
    expect(well.events).toContain("b done");
    const ill = await world(["canary", "b"], {
      ...there,
      problem: (name) => (name === "canary" ? "HTTP 502" : undefined),
    });
    await ill.context.file.edit(({ clients }) => {
      clients.set("canary", "release", next);
      clients.set("b", "release", old);
    });
    await expect(ill.run()).rejects.toMatchObject({ code: "THRESHOLD_PASSED" });
    expect(ill.events).toContain("b skipped");
  });
});

test("a plan without canaries says which release none of them runs", async () => {
  const there = await world(["canary", "b"], { activated: { canary: next, b: old } });
  const not = await world(["canary", "b"]);
  const said = async ({ context }: typeof not, clients: string[]) =>
    unprovenOnCanaries(await planUpdate(context, { clients, ...pace }), (await context.file.read()).clients);
  expect(await said(not, ["b"])).toEqual([{ release: next, canaries: ["canary"] }]);
  expect(await said(there, ["b"])).toEqual([]);
  expect(await said(not, ["canary", "b"])).toEqual([]);
});

describe("the engine fails", () => {
  test("in its preview: the pins go back, nothing runs, everybody is told", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], { previewBreaks: 1 });
    await expect(run()).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(events.slice(2)).toEqual([
      expect.stringMatching(/^a skipped: .*ENGINE_FAILED/),
      expect.stringMatching(/^b skipped: .*ENGINE_FAILED/),
      "c skipped",
    ]);
    expect(await pins()).toEqual({ a: "a", b: "a", c: "a" });
  });

  test("before anything was begun: the pins go back", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], { upBreaks: { number: 1 } });
    await expect(run()).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(events.filter((event) => event.startsWith("up"))).toHaveLength(1);
    expect(events.at(-1)).toBe("c skipped");
    expect(await pins()).toEqual({ a: "a", b: "a", c: "a" });
  });

  test("in the middle: who arrived stays, who did not is put back, and the failure is told", async () => {
    const { run, events, pins } = await world(["a", "b", "c"], { upBreaks: { number: 1, at: "b" } });
    await expect(run()).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(events).toContain("a done");
    expect(events.find((event) => event.startsWith("b "))).toMatch(
      /^b failed: .*ENGINE_FAILED.*proven to serve$/,
    );
    expect(events.at(-1)).toBe("c skipped");
    expect(await pins()).toEqual({ a: "b", b: "a", c: "a" });
  });

  test("in the put-back: it is told, and the stack file names what ran", async () => {
    const { run, events, pins } = await world(["a"], {
      fails: (_, release) => (release === next ? {} : undefined),
      upBreaks: { number: 2 },
    });
    await run();
    expect(events.at(-1)).toMatch(
      /^a failed: a fails; and putting it back met a failure too: .*UNDO_FAILED.*serve$/,
    );
    expect(await pins()).toEqual({ a: "a" });
  });

  test("for a town in the put-back, also one that was done before", async () => {
    const { run, events } = await world(["a", "b", "c"], {
      fails: (name, release) => (name === "a" && release === next ? {} : undefined),
      also: (number) =>
        number === 2 ? [{ client: "b", step: "schedules", message: "b's timer fails" }] : [],
    });
    await expect(run({ maxFailures: { count: 1 } })).rejects.toMatchObject({ code: "THRESHOLD_PASSED" });
    expect(events).toContain("b done");
    expect(events).toContain("b failed: b's timer fails");
  });

  test("without a word for a town's later steps: that is no success", async () => {
    const { run, events, pins } = await world(["a", "b"], { skips: { a: "schedules" } });
    await run({ maxFailures: { count: 2 } });
    expect(events.find((event) => event.startsWith("a "))).toMatch(
      /^a failed: .*without these steps: schedules/,
    );
    expect(events).toContain("b done");
    expect(await pins()).toEqual({ a: "a", b: "b" });
  });
});

describe("git", () => {
  const fails = (name: string, release: string) => (name === "a" && release === next ? {} : undefined);

  test("is asked for the upstream once, before anything is pinned", async () => {
    const { run, context, events, pins } = await world(["a", "b"]);
    Object.assign(context.file, {
      checkEditable: () =>
        Promise.reject(new FleetError("CHECKOUT_BEHIND", { upstream: "o/m", ahead: 0, behind: 1 })),
    });
    await expect(run()).rejects.toMatchObject({ code: "CHECKOUT_BEHIND" });
    expect(events).toEqual(["check b"]);
    expect(await pins()).toEqual({ a: "b", b: "b" });
  });

  test("that takes no commit of the put-back stops neither it nor what is told", async () => {
    const { run, file, events, activated } = await world(["a", "b"], { fails });
    file.fail(new FleetError("COMMIT_FAILED", { file: "f", cause: "a hook" }), 1, 1);
    await run({ maxFailures: { count: 1 } }).catch(() => {});
    expect(events.find((event) => event.startsWith("a "))).toMatch(/^a failed: a fails.*proven to serve/);
    expect(activated.get("a")).toBe(old);
  });

  test("that refuses the put-back: nothing is run again with the pin that is left, and it is told", async () => {
    const { run, file, events } = await world(["a", "b"], { fails });
    file.fail(new FleetError("STACK_FILE_DIRTY", { file: "f" }), 1, 100);
    await run({ maxFailures: { count: 1 } }).catch(() => {});
    expect(events.filter((event) => event.startsWith("up"))).toEqual(["up a@b b@b"]);
    expect(events.find((event) => event.startsWith("a "))).toMatch(
      /^a failed: .*still names bbbbbbbbbbbb for a: .*PIN_LEFT/,
    );
    expect(events).toContain("b done");
  });

  test("pins that nobody else has are told at the end, whatever the end is", async () => {
    const { run, context, lines } = await world(["a"], { fails: () => ({}) });
    Object.assign(context.file, { standing: async () => ({ upstream: "o/m", ahead: 2, behind: 1 }) });
    await run();
    expect(lines.at(-1)).toMatch(/2 commit\(s\) that o\/m does not have, and 1 came there meanwhile/);
  });
});

describe("a client that never ran anything", () => {
  test("and fails gets the pin that it was declared with, and is not run again", async () => {
    const { run, events, config } = await world(["a"], { activated: {}, fails: () => ({}) });
    await run();
    expect(events.filter((event) => event.startsWith("up"))).toHaveLength(1);
    expect((await config()).clients[0]?.release).toBeUndefined();
    expect(events.at(-1)).toBe("a failed: a fails");
  });
});

test("who was detached or retired meanwhile is left alone, and told", async () => {
  const made = await world(["a", "b", "c"]);
  const request = { all: true, ...pace };
  const plan = await planUpdate(made.context, request);
  await made.context.file.edit(({ clients }) => {
    clients.set("a", "detached", true);
    clients.remove("b");
  });
  await update(made.context, made.operation, plan, { skipCheck: true });
  expect(made.events).toEqual([
    "a skipped: it was detached meanwhile",
    "b skipped: it is no longer declared",
    "wave 2: c",
    "up c@b",
    "c done",
  ]);
});

describe("soak", () => {
  const soaked = (problem: World["problem"], request: Partial<UpdateRequest> = {}) =>
    world(["a", "b"], {
      problem: (name, release, now) => (release === next ? problem?.(name, release, now) : undefined),
    }).then(async ({ run, events, pins }) => {
      await run({ soakSeconds: 60, maxFailures: { count: 1 }, waves: [{ percent: 100 }], ...request }).catch(
        () => {},
      );
      return { events, pins: await pins() };
    });

  test("one answer that is lost is no illness, not even the last one", async () => {
    const { pins } = await soaked((name, _, now) => (name === "a" && now === 60_000 ? "lost" : undefined));
    expect(pins).toEqual({ a: "b", b: "b" });
  });

  test("down most of the time and well at the end is ill; the last wave is watched too", async () => {
    const { events, pins } = await soaked((name, _, now) =>
      name === "a" && now > 0 && now % 15_000 !== 0 ? "HTTP 502" : undefined,
    );
    expect(events.find((event) => event.startsWith("a failed"))).toMatch(
      /of 12 looks in the 60 s after it 8 found/,
    );
    expect(pins).toEqual({ a: "a", b: "b" });
  });

  test("who is ill is put back at once, not at the end", async () => {
    const times: number[] = [];
    const { pins } = await soaked((name, _, now) => {
      if (name === "b") times.push(now);
      return name === "a" && now > 0 ? "HTTP 502" : undefined;
    });
    expect(pins).toEqual({ a: "a", b: "b" });
    expect(times.at(-1)).toBe(60_000);
  });

  test("towns are asked together, so that those that answer late do not stretch it", async () => {
    let most = 0;
    let now = 0;
    const made = await world(
      Array.from({ length: 30 }, (_, index) => `t${index}`),
      {},
    );
    Object.assign(made.context, {
      problem: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((done) => setTimeout(done, 1));
        now -= 1;
      },
    });
    await made.run({ soakSeconds: 5, waves: [{ percent: 100 }] });
    expect(most).toBe(20);
  });
});

describe("cancelled", () => {
  test("between waves: the rest is not begun", async () => {
    const made = await world(["a", "b", "c"], { onUp: (number) => number === 1 && made.cancel() });
    await expect(made.run()).rejects.toThrow("CANCELLED");
    expect(made.events.filter((event) => event.startsWith("wave"))).toEqual(["wave 1: a b"]);
    expect(await made.pins()).toEqual({ a: "b", b: "b", c: "a" });
  });

  test("in a town: it is put back", async () => {
    const made = await world(["a"], {
      fails: (_, release) => {
        made.cancel();
        return release === next ? { code: "CANCELLED" } : undefined;
      },
    });
    await expect(made.run()).rejects.toThrow("CANCELLED");
    expect(made.events).toContain(`a cancelled: a fails — put back to ${old}, which is proven to serve`);
    expect(await made.pins()).toEqual({ a: "a" });
  });
});

describe("going on", () => {
  const view = (clients: OperationView["clients"]): OperationView => ({
    id: "20261123T100000-0000",
    verb: "update",
    stack: "s",
    actor: "x",
    request: { maxFailures: "0", soakSeconds: 0 },
    pid: 1,
    host: "h",
    state: "interrupted",
    began: 0,
    waves: [["a"], ["b", "c"]],
    wave: 2,
    targets: { a: next, b: next, c: next },
    clients,
  });

  test("takes the same releases, without the clients that are done, whatever the tree is now", async () => {
    const { context, operation, events, activated } = await world(["a", "b", "c"]);
    activated.set("a", next);
    await context.file.edit(({ clients }) => {
      for (const [name, release] of [
        ["a", next],
        ["b", next],
        ["c", old],
      ] as const)
        clients.set(name, "release", release);
    });
    const plan = await planResume(context, view([{ client: "a", outcome: "done", steps: [] }]), []);
    await update(context, operation, plan, {});
    expect(events).toEqual(["check b", "a unchanged", "wave 2: b c", "up b@b c@b", "b done", "c done"]);
  });

  test("is refused where the operation never came to its clients", async () => {
    const { context } = await world(["a"]);
    await expect(planResume(context, { ...view([]), waves: [] }, [])).rejects.toThrow(
      "OPERATION_NOT_RESUMABLE",
    );
  });
});

describe("going back", () => {
  test("each to the release that its server names", async () => {
    const { context, operation, events } = await world(["a", "b"], { activated: { a: next, b: next } });
    await context.file.edit(({ setValue }) => setValue("release", next));
    const former = async ({ name }: ClientConfig) => (name === "a" ? old : undefined);
    const request = { clients: ["a"], ...pace };
    const plan = await planRollback({ ...context, former }, request);
    await update(context, operation, plan, { skipCheck: true });
    expect(events).toEqual(["wave 1: a", "up a@a", "a done"]);
    await expect(planRollback({ ...context, former }, { all: true, ...pace })).rejects.toThrow(
      /b · rollback: .*NO_FORMER_RELEASE/,
    );
  });

  test("behind a breaking migration is refused, by either command, and going forth over it is not", async () => {
    const migrations = { [next]: ["002_b.sql"] };
    const { context } = await world(["a"], { activated: { a: next }, migrations });
    const refused = {
      code: "MIGRATION_BREAKING",
      values: { migrations: "002_b.sql" },
      place: { client: "a" },
    };
    const former = async () => old;
    await expect(planRollback({ ...context, former }, { all: true, ...pace })).rejects.toMatchObject(refused);
    await expect(planUpdate(context, { all: true, ...pace, release: old })).rejects.toMatchObject(refused);
    const forth = await world(["a"], { activated: { a: old }, migrations });
    expect((await planUpdate(forth.context, { all: true, ...pace })).rollout.targets.get("a")).toBe(next);
  });
});

describe("what nobody names any more", () => {
  test("goes after a rollout, by what runs then, and is told in one line", async () => {
    const prunes = () => ({ releases: 2, images: 3, bytes: 5 * 2 ** 20 });
    const { run, pruned, lines } = await world(["a", "b"], { prunes, activated: { a: old, b: old } });
    await run({ all: false, clients: ["a"] });
    expect(pruned).toEqual(["ba"]);
    expect(lines.at(-1)).toBe(
      "removed from this machine, since nothing names them: 2 releases, 3 images (5 MiB)",
    );
  });

  test("is not told when there is nothing, and does not fail an update when it cannot go", async () => {
    const quiet = await world(["a"]);
    await quiet.run();
    expect(quiet.lines.join("\n")).not.toContain("removed");
    const prunes = () => {
      throw new Error("EACCES: permission denied");
    };
    const { run, lines, events } = await world(["a"], { prunes });
    await run();
    expect(events).toContain("a done");
    expect(lines.at(-1)).toBe("nothing was removed from this machine's store: EACCES: permission denied");
  });

  test("stays when an update was refused or stopped before it moved anybody", async () => {
    const { run, pruned } = await world(["a"], { checkFails: true });
    await expect(run()).rejects.toMatchObject({ code: "RELEASE_CHECK_FAILED" });
    expect(pruned).toEqual([]);
  });
});

describe("refused before anything is done", () => {
  test("a release whose database would begin on another volume, by either command and for every town", async () => {
    const volume = { [next]: "town_data_2" };
    const { context, events, config } = await world(["a", "b"], {
      activated: { a: next, b: old },
      volume,
    });
    const before = await config();
    const refused = { code: "VOLUMES_CHANGED", values: { services: "db" } };
    await expect(planUpdate(context, { all: true, ...pace })).rejects.toMatchObject({
      ...refused,
      place: { client: "b" },
    });
    const former = async () => old;
    await expect(planRollback({ ...context, former }, { clients: ["a"], ...pace })).rejects.toMatchObject({
      ...refused,
      place: { client: "a" },
    });
    expect([events, await config()]).toEqual([[], before]);
    // Where nothing runs there is nothing to lose.
    const fresh = await world(["a"], { activated: {}, volume });
    expect((await planUpdate(fresh.context, { all: true, ...pace })).rollout.targets.get("a")).toBe(next);
  });

  const hostile = [
    ";id",
    "$(id)",
    "`id`",
    "a'b",
    '"',
    "a\nb",
    "-rf",
    "--all",
    "../x",
    "x".repeat(10_000),
    "",
  ];
  test.each(hostile)("client %j", async (name) => {
    const { run, events } = await world(["a"]);
    const error = await run({ all: false, clients: [name] }).catch((each: unknown) => each);
    expect(error).toMatchObject({ code: "CLIENTS_NOT_FOUND" });
    expect((error as Error).message.length).toBeLessThan(400);
    expect(events).toEqual([]);
  });

  test.each(hostile)("release %j", async (release) => {
    const { run } = await world(["a"]);
    await expect(run({ release })).rejects.toMatchObject({ code: "RELEASE_NOT_HELD" });
  });

  test.each(hostile)("services %j", async (services) => {
    const { run, context } = await world(["a"]);
    Object.assign(context.releases, {
      present: async () => ({ id: next, services: { api: {} }, adapter: { database: { migrations: "m" } } }),
    });
    await expect(run({ services: [services] })).rejects.toMatchObject({ code: "SERVICES_UNKNOWN" });
  });

  test.each([...hostile, "999_none.sql", "m/../x.sql"])("migration %j", async (migration) => {
    const { run, context } = await world(["a"]);
    Object.assign(context.releases, {
      present: async () => ({ id: next, services: {}, adapter: { database: { migrations: "m" } } }),
    });
    await expect(run({ migration })).rejects.toMatchObject({ code: "MIGRATION_UNKNOWN" });
  });

  test.each([
    [{}, "CLIENTS_MISSING"],
    [{ all: true, clients: ["a"] }, "OPTION_INVALID"],
  ])("%j: %s", async (choice, code) => {
    const { context } = await world(["a"]);
    await expect(planUpdate(context, { ...pace, ...choice })).rejects.toMatchObject({ code });
  });
});

test("the configuration of these tests is one that the schema takes", () => {
  expect(
    FleetConfig.safeParse({ role: "fleet", suite: { path: "." }, clients: [entry("a", 0)] }).success,
  ).toBe(true);
});
