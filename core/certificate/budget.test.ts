/** When a spent budget is free again, and which events count. Not proven: Let's Encrypt's own counting. */
import { expect, test } from "vitest";
import { type AcmeEvent, acmeBudget, registeredDomain, relevantEvents } from "./budget.ts";

const now = Date.UTC(2026, 10, 23);
const hour = 3_600_000;
const event = (hoursAgo: number, outcome: AcmeEvent["outcome"] = "issued"): AcmeEvent => ({
  domain: "a.geoclic.fr",
  server: "s",
  time: now - hoursAgo * hour,
  outcome,
});

test.each([
  ["exactly spent: when the oldest ends", [4, 3, 2, 1].map((h) => event(h)), 164],
  ["in any order", [1, 4, 2, 3].map((h) => event(h)), 164],
  ["overspent: when enough have ended", [6, 5, 4, 3, 2, 1].map((h) => event(h)), 164],
  ["failures: within the hour", [0.5, 0.4, 0.3, 0.2].map((h) => event(h, "failed")), 0.5],
])("%s", (_, events, hours) => {
  const budget = acmeBudget(events, "a.geoclic.fr", "s", now);
  expect(budget).toMatchObject({ ok: false, until: now + hours * hour });
  if (budget.ok) return;
  expect(acmeBudget(events, "a.geoclic.fr", "s", budget.until - 1).ok).toBe(false);
  expect(acmeBudget(events, "a.geoclic.fr", "s", budget.until).ok).toBe(true);
});

test("failures count before certificates, and say what they are", () => {
  const events = [0.5, 0.4, 0.3, 0.2].flatMap((h) => [event(h, "failed"), event(h)]);
  expect(acmeBudget(events, "a.geoclic.fr", "s", now)).toMatchObject({
    limit: "4 failures per name and hour",
    used: 4,
  });
});

test("events older than a week are forgotten", () => {
  const kept = event(167);
  expect(relevantEvents([event(169), kept, event(168)], now)).toEqual([kept]);
});

test.each([
  ["geoclic.fr", "geoclic.fr"],
  ["ville.geoclic.fr", "geoclic.fr"],
  ["a.b.geoclic.fr", "geoclic.fr"],
  ["notgeoclic.fr", "notgeoclic.fr"],
])("%s belongs to %s", (domain, family) => {
  expect(registeredDomain(domain)).toBe(family);
});
