/** Proves what is accepted as a record and how it is written; not that the server answers. */
import { expect, test } from "vitest";
import { checkName, findNameserver, recordLine } from "./dns.ts";

test("writes one line per address", () =>
  expect(recordLine("a.geoclic.test", ["10.77.0.10", "10.77.0.11"])).toBe(
    "10.77.0.10 a.geoclic.test\n10.77.0.11 a.geoclic.test\n",
  ));

test("writes an IPv6 address as it is", () =>
  expect(recordLine("a.geoclic.test", ["2001:db8::1"])).toBe("2001:db8::1 a.geoclic.test\n"));

test.each([
  "10.77.0",
  "10.77.0.256",
  "10.77.0.1 x",
  "::1::",
  "fe80::1%eth0",
  "",
])("fails for the address '%s'", (address) =>
  expect(() => recordLine("a.geoclic.test", [address])).toThrow(
    `got '${address}', expected an IPv4 or IPv6 address`,
  ));

test.each(["a.geoclic.test", "b.ville-2.geoclic.test"])("accepts the name %s", (name) =>
  expect(() => checkName(name)).not.toThrow());

test.each([
  "geoclic.test",
  "acme.geoclic.test",
  "../x.geoclic.test",
  "A.geoclic.test",
  "a.geoclic.fr",
  "-a.geoclic.test",
])("fails for the name %s", (name) =>
  expect(() => checkName(name)).toThrow(`got '${name}', expected a name below geoclic.test`));

test.each([
  ["search x\nnameserver 10.1.2.3\n", "10.1.2.3"],
  ["nameserver 127.0.0.53\nnameserver 192.0.2.1\n", "192.0.2.1"],
  ["nameserver ::1\n", "9.9.9.9"],
])("finds a name server that containers reach in %j", (text, expected) =>
  expect(findNameserver(text)).toBe(expected));
