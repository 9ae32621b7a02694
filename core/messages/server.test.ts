/** What a server tells, in French. Not proven: that the sentences are good French. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { serverFailure } from "../commands/ssh.ts";
import { type FleetError, describe as inLanguage, readDescribed } from "../errors.ts";
import { findingText } from "./catalogue.ts";
import { serverFrench } from "./server.ts";

const folder = resolve(import.meta.dirname, "../../assets/server/geoclic_server");
const sources = readdirSync(folder)
  .filter((name) => name.endsWith(".py"))
  .map((name) => readFileSync(join(folder, name), "utf8"));
/** Codes of failures, and of what certbot's words mean. */
const codes = new Set(
  sources.flatMap((text) =>
    [
      ...text.matchAll(/Failure\(\s*"([A-Z0-9_]+)"/g),
      ...text.matchAll(/^ +(?:\()?r".*", "([A-Z0-9_]+)", "[^"]*"\),$/gm),
      ...text.matchAll(/\b(?:refused|_in_one_transaction)\(.*, "([A-Z0-9_]+)"\)/g),
    ].map(([, code = ""]) => code),
  ),
);

test("every code that a server's commands raise has its French, and no other", () => {
  expect(codes.size).toBeGreaterThan(60);
  expect([...codes].sort()).toEqual(Object.keys(serverFrench).sort());
});

test("every finding of the monitor has its words", () => {
  const monitor = readFileSync(join(folder, "monitor.py"), "utf8");
  const found = new Set([...monitor.matchAll(/_problem\("([A-Z_]+)"/g)].map(([, code = ""]) => code));
  expect(found.size).toBeGreaterThan(12);
  for (const code of [...found, "INGRESS_REFUSES", "CERTIFICATE_BROKEN"])
    for (const language of ["fr", "en"] as const)
      expect([code, findingText(code, language)]).toEqual([code, expect.stringMatching(/./)]);
});

const told = (line: string) => serverFailure("ville", "base", line) as FleetError;

test("a failure says in French what and what next, and keeps what the server found", () => {
  const error = told("error DISK_FULL [ville] base.space: / has 1 GiB free. Next: free space.");
  expect(inLanguage(error, "fr")).toBe(
    "ville · base (base.space): plus assez de place sur le serveur (/ has 1 GiB free) (DISK_FULL). " +
      "À faire : libérez de la place (anciennes sauvegardes) ou prenez un serveur plus grand, puis relancez.",
  );
  expect(inLanguage(error, "en")).toBe(
    "ville · base (base.space): / has 1 GiB free (DISK_FULL). Next: free space.",
  );
});

test("a command that the server names stays in the French next action", () => {
  const error = told("error RENEWAL_UNFIT [ville] base: x. Next: run `certbot delete --cert-name a.fr`.");
  expect(inLanguage(error, "fr")).toContain("À faire : run `certbot delete --cert-name a.fr`.");
});

test("an unknown code is told as it is", () => {
  expect(inLanguage(told("error NEW_ONE [ville] base: x. Next: y."), "fr")).toBe(
    "ville · base: x (NEW_ONE). À faire : y.",
  );
});

test.each(["fr", "en"] as const)("the code of a line that was told is read back, in %s", (language) => {
  const server = told("error UNHEALTHY [ville] activation: x (Y). Next: look (Z). Next: again.");
  expect(readDescribed(inLanguage(server, language))).toBe("UNHEALTHY");
  expect(readDescribed("no failure at all")).toBeUndefined();
});
