/** Which releases stay on the operator's machine. Not proven here: that the others go, and nothing else (see adapters). */
import { describe, expect, test } from "vitest";
import type { OperationView } from "../operation/journal.ts";
import { namedByOperations, pinsIn, superfluous } from "./retention.ts";

const day = 86_400_000;
const now = 1000 * day;
const id = (number: number) => number.toString(16).padStart(12, "0");
const held = (count: number, age: (number: number) => number) =>
  Array.from({ length: count }, (_, number) => ({ id: id(number), lastUse: now - age(number) * day }));

describe("superfluous", () => {
  test("are neither the ten that were used last, nor what was used within a fortnight", () => {
    const old = held(12, (number) => 100 + number);
    expect(superfluous(old, new Set(), now)).toEqual([id(10), id(11)]);
    expect(superfluous(old.toReversed(), new Set(), now)).toEqual([id(10), id(11)]);
    expect(
      superfluous(
        held(40, () => 13),
        new Set(),
        now,
      ),
    ).toEqual([]);
    expect(
      superfluous(
        held(40, () => 15),
        new Set(),
        now,
      ),
    ).toHaveLength(30);
    expect(superfluous([], new Set(), now)).toEqual([]);
  });

  test("is nothing that anybody names, and what is named takes no other's place away", () => {
    const old = held(15, (number) => 100 + number);
    expect(superfluous(old, new Set([id(12), id(0)]), now)).toEqual([id(10), id(11), id(13), id(14)]);
  });

  test("is nothing that will be used: a clock that was ahead", () => {
    expect(
      superfluous(
        held(20, () => -50),
        new Set(),
        now,
      ),
    ).toEqual([]);
  });
});

describe("journals name", () => {
  const view = (
    began: number,
    state: OperationView["state"],
    targets: Record<string, string>,
    clients: OperationView["clients"] = [],
  ) => ({ began, state, targets, clients }) as unknown as OperationView;
  const ran = (client: string, release?: string) => ({
    client,
    outcome: "done" as const,
    steps: [],
    ...(release === undefined ? {} : { release }),
  });

  test("the targets of what has not ended well, however old, of every town", () => {
    for (const state of ["running", "interrupted", "failed", "cancelled"] as const)
      expect(namedByOperations([view(1, state, { a: id(1), b: id(2) })])).toEqual(new Set([id(1), id(2)]));
    expect(namedByOperations([view(1, "succeeded", { a: id(1) })])).toEqual(new Set());
  });

  test("what a town runs and the release before it, over repetitions and in whatever order they are read", () => {
    const operations = [
      view(1, "succeeded", { a: id(1), b: id(1) }, [ran("a"), ran("b")]),
      view(2, "succeeded", { a: id(2) }, [ran("a")]),
      view(3, "succeeded", { a: id(3) }, [ran("a", id(3))]),
      view(4, "succeeded", { a: id(3) }, [ran("a")]),
    ];
    const expected = new Set([id(1), id(2), id(3)]);
    expect(namedByOperations(operations)).toEqual(expected);
    expect(namedByOperations(operations.toReversed())).toEqual(expected);
    // Of town b nothing else is known; without it the first one is nobody's.
    expect(namedByOperations(operations.slice(1))).toEqual(new Set([id(2), id(3)]));
  });

  test("nothing of a town that was left as it was", () => {
    const client = { client: "a", outcome: "offline" as const, steps: [] };
    expect(namedByOperations([view(1, "succeeded", { a: id(1) }, [client])])).toEqual(new Set());
  });
});

test("pins are found in a file as it is written, and in one that is broken", () => {
  const text = `config:
  geoclic-fleet:release: ${id(1)}
  geoclic-fleet:clients:
    - { name: a, release: '${id(2)}' }
    - name: b
      "release": "${id(3)}" # since Monday
    - [broken
      release: present
      secure: ${id(4)}
`;
  expect(pinsIn(text)).toEqual([id(1), id(2), id(3)]);
});
