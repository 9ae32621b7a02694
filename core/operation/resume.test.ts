/** What may be resumed, by tables. Not proven: that it is looked at again in the turn (see verbs/update/update.test.ts). */
import { expect, test } from "vitest";
import type { ClientView, OperationState, OperationView } from "./journal.ts";
import { caughtUpLater } from "./resume.ts";

const client = (name: string, outcome: ClientView["outcome"], release?: string): ClientView => ({
  client: name,
  ...(outcome === undefined ? {} : { outcome }),
  ...(release === undefined ? {} : { release }),
  steps: [],
});

const operation = (
  began: number,
  state: OperationState,
  targets: Readonly<Record<string, string>>,
  clients: readonly ClientView[] = [],
): OperationView => ({
  ...{ id: `at-${began}`, verb: "update", stack: "s", actor: "x", request: {}, pid: 1, host: "h" },
  ...{ state, began, waves: [Object.keys(targets)], wave: 1, targets, clients },
});

const cut = operation(10, "interrupted", { a: "one", b: "one" }, [client("a", "done", "one")]);

test.each<[string, readonly OperationView[], readonly string[]]>([
  ["nothing came since", [operation(5, "succeeded", { b: "zero" }, [client("b", "done", "zero")])], []],
  [
    "a later one brought a client to the same release",
    [operation(20, "succeeded", { b: "one" }, [client("b", "done", "one")])],
    ["b"],
  ],
  [
    "a later one failed with the client",
    [operation(20, "failed", { b: "two" }, [client("b", "failed")])],
    [],
  ],
  [
    "the client went elsewhere and came back",
    [
      operation(30, "succeeded", { b: "one" }, [client("b", "unchanged")]),
      operation(20, "succeeded", { b: "two" }, [client("b", "done", "two")]),
    ],
    ["b"],
  ],
  ["a backup came since", [operation(20, "succeeded", {}, [client("b", "done")])], []],
])("goes on when %s", (_, others, caughtUp) => {
  expect(caughtUpLater(cut, [cut, ...others])).toEqual(caughtUp);
});

test("months later it does not take a client back", () => {
  const later = operation(99, "succeeded", { b: "two" }, [client("b", "done", "two")]);
  expect(() => caughtUpLater(cut, [later, cut])).toThrow(
    expect.objectContaining({
      code: "OPERATION_OVERTAKEN",
      values: expect.objectContaining({ clients: "b (two, at-99)" }),
    }),
  );
});

test.each<OperationState>(["running", "succeeded"])("one that is %s is not gone on with", (state) => {
  expect(() => caughtUpLater({ ...cut, state }, [])).toThrow(
    expect.objectContaining({ code: "OPERATION_NOT_RESUMABLE" }),
  );
});

test.each<OperationState>(["interrupted", "failed", "cancelled"])("one that is %s is", (state) => {
  expect(caughtUpLater({ ...cut, state }, [])).toEqual([]);
});
