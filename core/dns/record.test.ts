/** What may stand beside a client's address record, by tables. Not proven: what resolvers make of it. */
import { describe, expect, test } from "vitest";
import { checkRecords, doubles, subDomainOf, type ZoneRecord } from "./record.ts";

const question = { domain: "ville.geoclic.fr", zone: "geoclic.fr", ip: "10.0.0.1" };
const record = (fieldType: string, target: string, id = 1): ZoneRecord => ({
  id,
  fieldType,
  subDomain: "ville",
  target,
});

describe("allowed", () => {
  test.each<[string, ZoneRecord[], string?]>([
    ["nothing", []],
    ["the record itself", [record("A", "10.0.0.1")]],
    ["twice the same", [record("A", "10.0.0.1"), record("A", "10.0.0.1", 2)]],
    ["the client's former address", [record("A", "10.0.0.9")], "10.0.0.9"],
    [
      "texts and certification authorities",
      [record("TXT", '"x"'), record("CAA", '0 issue "letsencrypt.org"', 2)],
    ],
  ])("%s", (_, records, former) => {
    expect(() =>
      checkRecords({ ...question, ...(former ? { former: { ip: former } } : {}) }, records),
    ).not.toThrow();
  });
});

describe("refused", () => {
  test.each<[string, ZoneRecord[], string]>([
    ["another address", [record("A", "10.0.0.2", 7)], "A 10.0.0.2 (7)"],
    ["a second address", [record("A", "10.0.0.1"), record("A", "10.0.0.2", 2)], "A 10.0.0.2 (2)"],
    ["an IPv6 address", [record("AAAA", "2001:db8::1")], "AAAA 2001:db8::1 (1)"],
    ["an alias", [record("CNAME", "old.host.fr.")], "CNAME old.host.fr. (1)"],
    ["a tree of aliases", [record("DNAME", "old.host.fr.")], "DNAME old.host.fr. (1)"],
    ["a delegation", [record("NS", "ns.elsewhere.fr.")], "NS ns.elsewhere.fr. (1)"],
  ])("%s", (_, records, got) => {
    expect(() => checkRecords(question, records)).toThrow(got);
    expect(() => checkRecords(question, records)).toThrow("RECORD_CONFLICT");
  });
});

describe("with an IPv6 address that is declared", () => {
  const own = { ...question, ipv6: "2001:db8::1" };
  test.each([
    ["its record", [record("A", "10.0.0.1"), record("AAAA", "2001:db8::1")]],
    ["its record in another form", [record("AAAA", "2001:0DB8::0:1")]],
  ])("takes %s", (_, records) => {
    expect(() => checkRecords(own, records)).not.toThrow();
  });

  test("refuses another one, unless it was the client's own before", () => {
    const records = [record("AAAA", "2001:db8::2", 7)];
    expect(() => checkRecords(own, records)).toThrow("AAAA 2001:db8::2 (7)");
    expect(() => checkRecords({ ...own, former: { ipv6: "2001:db8::2" } }, records)).not.toThrow();
  });

  test("only repetitions of it are doubles of it", () => {
    const records = [
      record("AAAA", "2001:db8::1", 1),
      record("AAAA", "2001:DB8::1", 2),
      record("A", "10.0.0.1", 3),
    ];
    expect(doubles(records, { id: 1, address: "2001:db8::1" })).toEqual([2]);
  });
});

test("only repetitions of the own address are doubles", () => {
  const records = [
    record("A", "10.0.0.1", 1),
    record("A", "10.0.0.1", 2),
    record("A", "10.0.0.2", 3),
    record("TXT", "10.0.0.1", 4),
  ];
  expect(doubles(records, { id: 2, address: "10.0.0.1" })).toEqual([1]);
});

test("a subdomain is what stands before the zone", () => {
  expect(subDomainOf("a.b.geoclic.fr", "geoclic.fr")).toBe("a.b");
});
