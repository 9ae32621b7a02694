/** Lines of a running operation, by tables. Not proven: how a terminal draws them. */
import { expect, test } from "vitest";
import { expectedSeconds, type OperationEvent, readOperation, withoutSecrets } from "./journal.ts";
import { clientLines } from "./lines.ts";

const begin: OperationEvent = {
  kind: "begin",
  id: "20261123T100000-0000",
  verb: "update",
  stack: "prod",
  actor: "Jeanne",
  request: {},
  pid: 1,
  host: "h",
  time: 0,
};
const plan: OperationEvent = {
  kind: "plan",
  waves: [["ville-a"], ["b", "c"]],
  targets: { "ville-a": "r", b: "r", c: "r" },
  time: 0,
};
const view = (...events: OperationEvent[]) => {
  const made = readOperation([begin, plan, ...events], true);
  if (!made) throw new Error("no operation");
  return made;
};

test("one line a client: mark, name, step or outcome, seconds, cause", () => {
  const made = view(
    { kind: "step", client: "ville-a", step: "delivery", time: 1000 },
    { kind: "step-end", client: "ville-a", step: "delivery", ok: true, time: 3000 },
    { kind: "client", client: "ville-a", outcome: "done", release: "r", time: 11_000 },
    { kind: "step", client: "b", step: "activation", time: 12_000 },
  );
  expect(clientLines(made, 15_000, undefined, "en")).toEqual([
    "✓  ville-a  done  r  10 s",
    "…  b        activation  3 s",
    "·  c        waiting",
  ]);
  expect(clientLines(made, 15_000, undefined, "fr")[2]).toBe("·  c        en attente");
});

const first: OperationEvent = { kind: "client", client: "ville-a", outcome: "done", time: 1 };
test.each([
  ["two waves of 100 s", [], 100, "about 3 min left"],
  ["one of them", [first], 100, "about 2 min left"],
  ["no history", [], undefined, undefined],
])("what is left: %s", (_, events, expected, line) => {
  const lines = clientLines(view(...events), 0, expected, "en");
  expect(lines.find((each) => each.includes("min left"))).toBe(line);
});

test("history: the median of clients that were done, of the same verb", () => {
  const done = (client: string, seconds: number): OperationEvent[] => [
    { kind: "step", client, step: "activation", time: 0 },
    { kind: "client", client, outcome: "done", time: seconds * 1000 },
  ];
  const failed: OperationEvent = { kind: "client", client: "x", outcome: "failed", time: 900_000 };
  const made = view(...done("ville-a", 10), ...done("b", 30), ...done("c", 20), failed);
  expect(expectedSeconds([made], "update")).toBe(20);
  expect(expectedSeconds([made], "rollback")).toBeUndefined();
});

test("a request is kept without what is secret", () => {
  expect(
    withoutSecrets({ all: true, adminPassword: "x", apiToken: "y", release: undefined, name: "z" }),
  ).toEqual({
    all: true,
    name: "z",
  });
});

test("lines that are no events, or of a kind not known yet, do not end the reading", () => {
  expect(readOperation([], true)).toBeUndefined();
  expect(readOperation([{ kind: "line", text: "x", time: 1 }], true)).toBeUndefined();
});
