/** Signatures, refusals, rights and pace by tables. Not proven: OVH's own limits, which are not published. */
import { describe, expect, test } from "vitest";
import { backOff, mayPass, missingRights, pace, refusal, signature, tokenUrl } from "./request.ts";

test("the signature is the published one", () => {
  const keys = { applicationKey: "k", applicationSecret: "app-secret", consumerKey: "consumer-key" };
  const request = {
    method: "POST",
    url: "https://api.us.ovhcloud.com/1.0/order/cart",
    body: '{"ovhSubsidiary":"US"}',
    timestamp: 1791331200,
  };
  expect(signature(keys, request)).toBe("$1$f107694ad0c3089f21d93dad15266e97d4e57695");
});

test.each([
  [
    '{"class":"Client::NotFound","message":"This service does not exist"}',
    "Client::NotFound: This service does not exist",
  ],
  [
    '{"errorCode":"INVALID_SIGNATURE","httpCode":"400 Bad Request","message":"Invalid signature"}',
    "INVALID_SIGNATURE: Invalid signature",
  ],
  ['{"message":"This service is expired"}', "This service is expired"],
  ["<html>\n502</html>", "<html> 502</html>"],
  ["", "no text"],
  ["null", "no text"],
])("%j is told as %j", (text, told) => {
  expect(refusal(text === "null" ? "" : text)).toBe(told);
});

test.each([
  [200, false],
  [400, false],
  [403, false],
  [404, false],
  [408, true],
  [429, true],
  [460, false],
  [500, true],
  [503, true],
])("%i may pass: %s", (status, expected) => {
  expect(mayPass(status)).toBe(expected);
});

test.each([
  [1, null, 0, 500],
  [1, null, 1, 1000],
  [4, null, 1, 8000],
  [9, null, 1, 30_000],
  [1, "7", 0, 7000],
  [1, "3600", 0, 60_000],
  [2, "soon", 1, 2000],
])("attempt %i, Retry-After %j, random %d: %d ms", (attempt, retryAfter, random, expected) => {
  expect(backOff(attempt, retryAfter, random)).toBe(expected);
});

describe("rights", () => {
  const needed = [
    { method: "GET", path: "/vps*" },
    { method: "POST", path: "/me/order/*/pay" },
  ] as const;

  test.each<[string, { method: string; path: string }[], number]>([
    ["everything", ["GET", "POST"].map((method) => ({ method, path: "/*" })), 0],
    ["exactly these", [...needed], 0],
    ["only reading", [{ method: "GET", path: "/*" }], 1],
    [
      "one VPS only",
      [
        { method: "GET", path: "/vps/a" },
        { method: "POST", path: "/me/*" },
      ],
      1,
    ],
    ["nothing", [], 2],
  ])("with %s", (_, rules, count) => {
    expect(missingRights(needed, rules)).toHaveLength(count);
  });

  test("are asked for at one address", () => {
    expect(tokenUrl(needed)).toBe(
      "https://api.ovh.com/createToken/?GET=%2Fvps*&POST=%2Fme%2Forder%2F*%2Fpay",
    );
  });
});

describe("pace", () => {
  test("lets a burst go at once, and the rest one by one as the minute passes", () => {
    let sent: number[] = [];
    const times = Array.from({ length: 5 }, () => {
      const next = pace(sent, 1_000_000, 3);
      sent = next.sent;
      return next.at - 1_000_000;
    });
    expect(times).toEqual([0, 0, 0, 60_000, 60_000]);
  });

  test("never lets more than the budget go in any minute", () => {
    let sent: number[] = [];
    const all: number[] = [];
    let now = 1_000_000;
    for (let i = 0; i < 200; i++) {
      const next = pace(sent, now, 10);
      sent = next.sent;
      all.push(next.at);
      now += (i * 7919) % 9000;
      if (next.at > now) now = next.at;
    }
    for (const time of all)
      expect(all.filter((each) => each > time - 60_000 && each <= time).length).toBeLessThanOrEqual(10);
  });
});
