/** What a tree's hash tells apart. Not proven: that sha256 cut to 48 bits never meets another by chance. */
import { expect, test } from "vitest";
import { below, shortHash, type TreeEntry, treeHash } from "./tree.ts";

const file = (path: string, digest = "d", executable = false): TreeEntry => ({
  kind: "file",
  path,
  digest,
  executable,
  bytes: 1,
});
const link = (path: string, target: string): TreeEntry => ({ kind: "link", path, target });

test.each<[string, TreeEntry[], TreeEntry[]]>([
  ["content", [file("a", "1")], [file("a", "2")]],
  ["the executable bit", [file("a", "1")], [file("a", "1", true)]],
  ["a name", [file("a")], [file("b")]],
  ["a link's target", [link("l", "a")], [link("l", "b")]],
  ["a link from a file", [link("a", "- d")], [file("a")]],
  ["where a link's name ends", [link("a", "b c")], [link("a b", "c")]],
  ["where an entry ends", [link("a", "x\nlink b y")], [link("a", "x"), link("b", "y")]],
  ["an entry more", [file("a")], [file("a"), file("b")]],
  ["nothing", [], [file("a")]],
])("%s makes another hash", (_, one, other) => {
  expect(treeHash(one)).not.toBe(treeHash(other));
});

test("the order of entries and the size do not", () => {
  const entries = [file("a"), link("l", "a"), file("b/c", "2")];
  expect(treeHash([...entries].reverse())).toBe(treeHash(entries));
  expect(treeHash([{ ...file("a"), bytes: 2 } as TreeEntry])).toBe(treeHash([file("a")]));
});

test("parts are told apart", () => {
  expect(shortHash("ab", "c")).not.toBe(shortHash("a", "bc"));
  expect(shortHash("a", "")).not.toBe(shortHash("a"));
  expect(shortHash("a")).toMatch(/^[0-9a-f]{12}$/);
});

test.each([
  ["api", ["api/x", "api/y/z"]],
  ["api/x", ["api/x"]],
  ["ap", []],
  [".", ["api/x", "api/y/z", "apiary"]],
])("below %s", (path, expected) => {
  const entries = [file("api/x"), file("api/y/z"), file("apiary")];
  expect(below(entries, path).map((entry) => entry.path)).toEqual(expected);
});
