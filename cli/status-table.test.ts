/** What `status` shows of a town. Not proven: how it looks in a terminal. */
import { expect, test } from "vitest";
import { ClientFacts } from "../core/facts/client.ts";
import type { ClientStatus } from "../verbs/read-status.ts";
import { statusLines } from "./status-table.ts";

const row = (monitor: unknown): ClientStatus => ({
  name: "ville",
  domain: "ville.fr",
  ip: "10.0.0.1",
  reach: "10.0.0.1",
  url: "https://ville.fr",
  health: "healthy",
  release: "aaaaaaaaaaaa",
  desiredRelease: "aaaaaaaaaaaa",
  health_http: "200",
  ssl_expiry: "",
  ssh_ok: true,
  facts: ClientFacts.parse({ monitor }),
});
const health = (monitor: unknown, language: "fr" | "en") =>
  statusLines([row(monitor)], language).split("\t")[1];

const problems = [
  { code: "FIREWALL_OFF", item: "", text: "the table inet geoclic is not in force" },
  { code: "SERVICE_DOWN", item: "api: unhealthy", text: "api: unhealthy" },
  { code: "MONITOR_SILENT", item: "95 min", text: "no check ended for 95 min" },
];

test("the monitor's findings, in the reader's language", () => {
  expect(health({ checkedAt: null, problems }, "fr")).toBe(
    "en bonne santé, pare-feu arrêté, ne tourne pas bien : api: unhealthy, aucun contrôle depuis : 95 min",
  );
  expect(health({ checkedAt: null, problems }, "en")).toBe(
    "healthy, firewall off, not running well: api: unhealthy, no check for: 95 min",
  );
});

test("a report of an older server, or a finding that is not known here, keeps its own words", () => {
  expect(health({ problems: [{ code: "DISK_FULL", text: "/ is 95 % full" }] }, "en")).toBe(
    "healthy, disk nearly full: / is 95 % full",
  );
  expect(health({ problems: [{ code: "NEW_ONE", text: "something" }] }, "fr")).toBe(
    "en bonne santé, NEW_ONE: something",
  );
});

test.each([null, { problems: [] }])("nothing is added where nothing was found: %j", (monitor) => {
  expect(health(monitor, "en")).toBe("healthy");
});
