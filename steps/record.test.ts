/** A client's record, looked up and published, against a zone in memory. Not proven: OVH's own manners (see test/peers). */
import { describe, expect, test } from "vitest";
import type { ZoneRecord } from "../core/dns/record.ts";
import { FleetError } from "../core/errors.ts";
import { type FakeOptions, fakeContext } from "../test/helpers/fake-context.ts";
import { checkRecord } from "./check-record.ts";
import { publishRecord } from "./publish-record.ts";

const name = { client: "ville", domain: "ville.geoclic.fr", zone: "geoclic.fr", ip: "10.0.0.1" };
const input = {
  domain: name.domain,
  zone: name.zone,
  ip: name.ip,
  record: 5,
  nameServers: ["10.0.0.53:53", "10.0.0.54:53"],
};
const a = (target: string, id = 5): ZoneRecord => ({ id, fieldType: "A", subDomain: "ville", target });

async function failure(work: Promise<unknown>): Promise<FleetError> {
  const error = await work.then(
    () => new Error("it succeeded, expected a failure"),
    (cause: unknown) => cause,
  );
  if (error instanceof FleetError) return error;
  throw error;
}

describe("before a record is made", () => {
  test("asks for that name only, writes nothing, and remembers the address", async () => {
    const asked: string[] = [];
    const context = fakeContext({
      records: (subDomain) => {
        asked.push(subDomain);
        return [];
      },
    });
    expect(await checkRecord(context, name, undefined)).toBe('{"domain":"ville.geoclic.fr","ip":"10.0.0.1"}');
    expect(asked).toEqual(["ville"]);
    expect(context.sent).toEqual([]);
  });

  test.each<[string, string | undefined]>([
    ["nothing is remembered", undefined],
    ["another name is remembered", '{"domain":"old.geoclic.fr","ip":"10.0.0.9"}'],
    ["what is remembered cannot be read", "{"],
  ])("refuses another address when %s", async (_, former) => {
    const context = fakeContext({ records: () => [a("10.0.0.9")] });
    expect(await failure(checkRecord(context, name, former))).toMatchObject({
      code: "RECORD_CONFLICT",
      place: { client: "ville", step: "record" },
    });
  });

  test("takes its own former address for its own", async () => {
    const context = fakeContext({ records: () => [a("10.0.0.9")] });
    const former = '{"domain":"ville.geoclic.fr","ip":"10.0.0.9"}\n';
    expect(await checkRecord(context, name, former)).toContain("10.0.0.1");
  });
});

describe("after a record is made", () => {
  const published = (context: { sent: readonly string[] }) =>
    context.sent.filter((line) => line.startsWith("refresh")).length;

  test("asks each of the zone's servers by itself, and OVH for nothing but the name", async () => {
    const asked: string[] = [];
    const context = fakeContext({
      a: (servers) => {
        asked.push(servers.join());
        return ["10.0.0.1"];
      },
    });
    await publishRecord(context, input);
    expect(asked.sort()).toEqual(["10.0.0.53:53", "10.0.0.54:53"]);
    expect(context.sent).toEqual([]);
    expect(context.reported.join()).toContain("ville.geoclic.fr → 10.0.0.1");
  });

  test("waits for the declared IPv6 address too, and takes no other", async () => {
    const ipv6 = { ...input, ipv6: "2001:db8::5", recordIpv6: 6 };
    await publishRecord(fakeContext({ aaaa: ["2001:db8::5"] }), ipv6);
    for (const aaaa of [[], ["2001:db8::6"], ["2001:db8::5", "2001:db8::6"]])
      expect(await failure(publishRecord(fakeContext({ aaaa }), ipv6))).toMatchObject({
        code: "DNS_UNPUBLISHED",
      });
    expect(await failure(publishRecord(fakeContext({ aaaa: ["2001:db8::5"] }), input))).toMatchObject({
      code: "DNS_UNPUBLISHED",
    });
  });

  test("takes the servers that the zone names when none are given", async () => {
    const asked = new Set<string>();
    const context = fakeContext({
      a: (servers) => {
        asked.add(servers.join());
        return ["10.0.0.1"];
      },
    });
    await publishRecord(context, { ...input, nameServers: [] });
    expect([...asked]).toEqual(["10.0.0.53:53"]);
  });

  test("publishes the zone once when its servers stay behind", async () => {
    const context = fakeContext({
      a: (_, sent) => (sent.includes("refresh geoclic.fr") ? ["10.0.0.1"] : []),
    });
    await publishRecord(context, input);
    expect(published(context)).toBe(1);
  });

  test("waits only when somebody else published it meanwhile", async () => {
    let asks = 0;
    const context = fakeContext({
      a: () => (++asks > 60 ? ["10.0.0.1"] : []),
      refreshed: Number.POSITIVE_INFINITY,
    });
    await publishRecord(context, input);
    expect(published(context)).toBe(0);
    expect(context.reported.join()).toContain("meanwhile");
  });

  test("waits for every server, not for one", async () => {
    const behind = (servers: readonly string[], sent: readonly string[]) =>
      servers[0] === "10.0.0.54:53" && sent.length === 0 ? ["10.0.0.9"] : ["10.0.0.1"];
    const context = fakeContext({ a: behind });
    await publishRecord(context, input);
    expect(published(context)).toBe(1);
  });

  test("removes what only repeats it, and publishes that", async () => {
    const context = fakeContext({ records: () => [a("10.0.0.1", 4), a("10.0.0.1", 5), a("10.0.0.1", 9)] });
    await publishRecord(context, input);
    expect(context.sent).toEqual([
      "remove record 4 of geoclic.fr",
      "remove record 9 of geoclic.fr",
      "refresh geoclic.fr",
    ]);
  });

  test.each<[string, FakeOptions["a"], string]>([
    ["nobody answers it", [], "DNS_MISSING"],
    ["they answer another address", ["10.0.0.9"], "DNS_ELSEWHERE"],
    ["they are silent", new Error("timeout of 10.0.0.53"), "timeout of 10.0.0.53"],
  ])("fails when %s", async (_, answer, cause) => {
    const context = fakeContext(answer === undefined ? {} : { a: answer });
    const error = await failure(publishRecord(context, input));
    expect(error.code).toBe("DNS_UNPUBLISHED");
    expect(error.message).toContain(cause);
    expect(published(context)).toBe(1);
  });

  test("fails when the zone names no server", async () => {
    const context = { ...fakeContext(), nameServersOf: async () => [] };
    expect((await failure(publishRecord(context, { ...input, nameServers: [] }))).code).toBe(
      "ZONE_SERVERS_UNKNOWN",
    );
  });
});
