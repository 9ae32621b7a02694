/** When a convergence counts as one, with an engine in memory. Not proven: Pulumi's own events (see test/peers/fleet.test.ts). */
import { expect, test } from "vitest";
import { stringify } from "yaml";
import type { Engine, EngineRun, ResourceChange } from "../core/engine/port.ts";
import { describe as told } from "../core/errors.ts";
import { memoryStack } from "../test/helpers/stack-memory.ts";
import { convergeClients } from "./converge-clients.ts";
import type { Operation } from "./operation.ts";

const release = "aaaaaaaaaaaa";
const change = (client: string, step: string): ResourceChange => ({ client, step, operation: "create" });

async function converge(
  run: Partial<EngineRun>,
  { activated = {}, pin }: { activated?: Readonly<Record<string, string>>; pin?: string } = {},
) {
  const client = (name: string, index: number) => ({
    ...{ name, domain: `${name}.geoclic.fr`, email: `a@${name}.fr`, town: name, ip: `10.0.0.${index + 1}` },
    ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    ...(pin === undefined ? {} : { release: pin }),
  });
  const file = memoryStack(
    stringify({
      config: {
        "geoclic-fleet:role": "fleet",
        "geoclic-fleet:suite": { path: "." },
        "geoclic-fleet:clients": ["a", "b"].map(client),
      },
    }),
  );
  const engine: Engine = {
    idle: async () => {},
    redo: async () => {},
    activated: async () => new Map(Object.entries(activated)),
    preview: async () => [change("a", "delivery"), change("a", "activation")],
    up: async () => ({ changes: [], done: [], failures: [], ...run }),
  };
  const outcomes: string[] = [];
  const operation = {
    ...{ id: "op", cancelled: new AbortController().signal, cancelFile: "/cancel" },
    ...{ plan: () => {}, wave: () => {}, step: () => {}, stepEnd: () => {}, line: () => {} },
    client: (name: string, outcome: string, { cause = "" }: { cause?: string | undefined } = {}) =>
      outcomes.push([name, outcome, cause].filter(Boolean).join(" ")),
    refuseCancelled: () => {},
  } as unknown as Operation;
  const context = { engine, file, describe: (error: Parameters<typeof told>[0]) => told(error, "en") };
  return { converged: await convergeClients(context, operation, { clients: ["a"] }), outcomes };
}

const everything = [change("a", "delivery"), change("a", "activation")];

test("everything that was to be done was done, and the release runs", async () => {
  const made = await converge(
    { changes: everything, done: everything },
    { activated: { a: release }, pin: release },
  );
  expect(made).toEqual({ converged: ["a"], outcomes: ["a done"] });
});

test.each<[string, Partial<EngineRun>, Parameters<typeof converge>[1], RegExp]>([
  [
    "steps that were never begun, without a failure",
    {},
    { activated: { a: release } },
    /without these steps: delivery, activation/,
  ],
  [
    "a step that another client's failure left out",
    {
      changes: everything,
      done: everything.slice(0, 1),
      failures: [{ client: "b", step: "x", message: "b fails" }],
    },
    { activated: { a: release } },
    /without these steps: activation/,
  ],
  ["nothing that is online afterwards", { changes: everything, done: everything }, {}, /activation/],
  [
    "another release than the pin",
    { changes: everything, done: everything },
    { activated: { a: "bbbbbbbbbbbb" }, pin: release },
    /activation/,
  ],
  [
    "a failure of its own",
    { failures: [{ client: "a", step: "base", message: "disk full" }] },
    { activated: { a: release } },
    /disk full/,
  ],
])("%s is a failure", async (_, run, state, cause) => {
  const { converged, outcomes } = await converge(run, state);
  expect(converged).toEqual([]);
  expect(outcomes).toEqual([expect.stringMatching(/^a failed /)]);
  expect(outcomes[0]).toMatch(cause);
});
