/** Proves the numbering of servers; not their creation. */
import { expect, test } from "vitest";
import { containerName, firstFreeNumber, isServerNumber, serverIp, serverReach } from "./server.ts";

test.each([
  [[], 10],
  [[10, 11, 13], 12],
  [Array.from({ length: 40 }, (_, index) => index + 10), 60],
])("gives the first free number after %j", (taken, expected) =>
  expect(firstFreeNumber(taken)).toBe(expected));

test("fails when all numbers are taken", () =>
  expect(() => firstFreeNumber(Array.from({ length: 251 }, (_, index) => index))).toThrow("All 231 numbers"));

test.each([9, 50, 58, 59, 251, 10.5, Number.NaN])("refuses number %d", (number) =>
  expect(isServerNumber(number)).toBe(false));

test("derives address, reach and container from number and name", () =>
  expect([serverIp(12), serverReach(12), containerName("vannes")]).toEqual([
    "10.77.0.12",
    "127.0.10.12",
    "geoclic-lab-server-vannes",
  ]));
