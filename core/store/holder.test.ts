/** Who lives, by tables. Not proven: that /proc tells the truth. */
import { expect, test } from "vitest";
import { type Identity, isSeenAlive, silenceMilliseconds, silenceWatch } from "./holder.ts";

const own: Identity = { machine: "m", boot: "b", namespace: "pid:[1]", pid: 10, started: "100" };
const other = { ...own, pid: 20, started: "200" };
const startOf = (pid: number) => ({ 10: "100", 20: "200" })[pid];

test.each<[string, Partial<Identity>, boolean | undefined, boolean | undefined]>([
  ["a process that lives", {}, true, true],
  ["one that has ended", { pid: 30 }, false, false],
  ["one whose number was given again", { started: "150" }, false, false],
  ["a container's, whose numbers are its own", { namespace: "pid:[2]" }, undefined, undefined],
  ["a former boot's", { boot: "a" }, false, undefined],
  ["another machine's", { machine: "n" }, undefined, undefined],
  ["another machine's of the same boot id", { machine: "n", pid: 30 }, undefined, undefined],
])("%s", (_, more, onOneMachine, shared) => {
  const seen = (isOneMachine: boolean) => isSeenAlive(own, { ...other, ...more }, isOneMachine, startOf);
  expect([seen(true), seen(false)]).toEqual([onOneMachine, shared]);
});

test("silence is counted from when it was first seen, anew at each beat, and for each by itself", () => {
  let now = 1_000_000;
  const isSilent = silenceWatch(() => now);
  const [a, b] = [
    { id: "a", beat: 1 },
    { id: "b", beat: 1 },
  ];
  expect(isSilent(a)).toBe(false);
  now += silenceMilliseconds - 1;
  expect([isSilent(a), isSilent(b)]).toEqual([false, false]);
  now += 1;
  expect([isSilent(a), isSilent(b)]).toEqual([true, false]);
  expect(isSilent({ id: "a", beat: 2 })).toBe(false);
  now += silenceMilliseconds - 1;
  expect(isSilent({ id: "a", beat: 2 })).toBe(false);
});
