/** Proves that the key follows the content. */
import { expect, test } from "vitest";
import { contentKey } from "./cache.ts";

test("is 16 hexadecimal characters, the same for the same inputs", () => {
  expect(contentKey({ a: [1, "x"] })).toMatch(/^[0-9a-f]{16}$/);
  expect(contentKey({ a: [1, "x"] })).toBe(contentKey({ a: [1, "x"] }));
});

test("changes with any input", () =>
  expect(contentKey({ a: [1, "x"] })).not.toBe(contentKey({ a: [1, "y"] })));
