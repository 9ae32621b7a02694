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
    expect(() => checkRecords({ ...question, ...(former ? { former } : {}) }, records)).not.toThrow();
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

test("only repetitions of the own address are doubles", () => {
  const records = [
    record("A", "10.0.0.1", 1),
    record("A", "10.0.0.1", 2),
    record("A", "10.0.0.2", 3),
    record("TXT", "10.0.0.1", 4),
  ];
  expect(doubles(records, { id: 2, ip: "10.0.0.1" })).toEqual([1]);
});

test("a subdomain is what stands before the zone", () => {
  expect(subDomainOf("a.b.geoclic.fr", "geoclic.fr")).toBe("a.b");
});
