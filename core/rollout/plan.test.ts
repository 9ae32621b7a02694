/** Plans compared by tables. Not proven: that a rollout plans again in its turn (see wiring/update.test.ts). */
import { expect, test } from "vitest";
import { type PlanData, planDifferences, planHash } from "./plan.ts";

const plan = (
  waves: readonly (readonly string[])[],
  targets: Readonly<Record<string, string>>,
  running: Readonly<Record<string, string>> = {},
): PlanData => ({
  waves,
  targets: new Map(Object.entries(targets)),
  running: new Map(Object.entries(running)),
});

const confirmed = plan([["a"], ["b"]], { a: "new", b: "new" }, { a: "old", b: "old" });

test.each<[string, PlanData, string[]]>([
  [
    "the same, told in another order",
    plan([["a"], ["b"]], { b: "new", a: "new" }, { b: "old", a: "old" }),
    [],
  ],
  [
    "a town that runs something else now",
    plan([["a"], ["b"]], { a: "new", b: "new" }, { a: "old", b: "other" }),
    ["b: other → new (old → new)"],
  ],
  [
    "another release",
    plan([["a"], ["b"]], { a: "newer", b: "newer" }, { a: "old", b: "old" }),
    ["a: old → newer (old → new)", "b: old → newer (old → new)"],
  ],
  [
    "a town more",
    plan([["a"], ["b", "c"]], { a: "new", b: "new", c: "new" }, { a: "old", b: "old" }),
    ["c: - → new (-)"],
  ],
  ["a town less", plan([["a"]], { a: "new" }, { a: "old", b: "old" }), ["b: - (old → new)"]],
  ["other waves", plan([["b"], ["a"]], { a: "new", b: "new" }, { a: "old", b: "old" }), ["b → a (a → b)"]],
  [
    "a town that others brought there meanwhile",
    plan([["a"], ["b"]], { a: "new", b: "new" }, { a: "old", b: "new" }),
    [],
  ],
  ["all of them", plan([["a"], ["b"]], { a: "new", b: "new" }, { a: "new", b: "new" }), []],
  ["one that is there and therefore left out", plan([["a"]], { a: "new" }, { a: "old", b: "new" }), []],
])("%s", (_, now, differences) => {
  expect(planDifferences(confirmed, now)).toEqual(differences);
});

test("the hash is that of what is done, in which waves, to whom", () => {
  const same = plan([["a"], ["b"]], { b: "new", a: "new" }, { b: "old", a: "old" });
  expect(planHash(same)).toBe(planHash(confirmed));
  for (const other of [
    plan([["a", "b"]], { a: "new", b: "new" }, { a: "old", b: "old" }),
    plan([["a"], ["b"]], { a: "new", b: "newer" }, { a: "old", b: "old" }),
    plan([["a"], ["b"]], { a: "new", b: "new" }, { a: "old" }),
  ])
    expect(planHash(other)).not.toBe(planHash(confirmed));
});
