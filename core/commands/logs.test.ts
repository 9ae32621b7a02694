/** Options of `logs` and the wrappers of remote commands, hostile values included. Not proven: what a real Docker makes of them (test/lab). */
import { expect, test } from "vitest";
import { logsCommand } from "./logs.ts";
import { toShell, untilClosed, withinSeconds } from "./shell.ts";

const release = { project: "deploy", services: { api: {}, db: {} } } as unknown as Parameters<
  typeof logsCommand
>[0];
const choice = { service: "api", lines: 50, follow: false };

const hostile = [
  "; reboot",
  "it's",
  '"',
  "$(reboot)",
  "`reboot`",
  "api\nreboot",
  "--follow",
  "-f",
  "é".repeat(5000),
  "",
  "api\0",
  "__proto__",
  "constructor",
];

test("asks for the last lines of a service, and ends with its time", () => {
  expect(toShell(logsCommand(release, { ...choice, since: "10m" }))).toBe(
    "sudo -n timeout --kill-after=5 60 docker compose -p deploy logs --no-color --no-log-prefix --tail 50 --since 10m -- api",
  );
});

test("follows under a command that ends with its input", () => {
  const words = logsCommand(release, { ...choice, follow: true });
  expect(words.slice(0, 4)).toEqual(["sudo", "-n", "sh", "-c"]);
  expect(words.slice(5)).toEqual(
    "sh docker compose -p deploy logs --no-color --no-log-prefix --tail 50 --follow -- api".split(" "),
  );
});

test.each(hostile)("refuses the service %j, and lists those there are", (service) => {
  expect(() => logsCommand(release, { ...choice, service })).toThrow(/it has: api, db\) \(SERVICE_UNKNOWN\)/);
});

test.each([
  ...hostile,
  "10",
  "10d",
  "yesterday",
  "2026-11-23 10:00",
  "1h; reboot",
])("refuses the time %j", (since) => {
  expect(() => logsCommand(release, { ...choice, since })).toThrow("OPTION_INVALID");
});

test.each([
  "30s",
  "10m",
  "2h",
  "2026-11-23",
  "2026-11-23T10:00:00Z",
  "2026-11-23T10:00:00+01:00",
])("takes the time %s", (since) => {
  expect(logsCommand(release, { ...choice, since })).toContain(since);
});

test.each([
  withinSeconds.bind(undefined, 1),
  untilClosed,
])("wraps nothing that is not run by sudo", (wrap) => {
  expect(() => wrap(["docker", "ps"])).toThrow(RangeError);
});
