/** Scripts are put in place, by a real shell in a folder of its own. Not proven: a power cut (see docs/harness.md for the server's own). */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askServer } from "../facts/server.ts";
import { installScripts } from "./scripts.ts";

test("scripts come as a tar on standard input, by renames of what is on the disk", () => {
  const [program, option, shell, , script = ""] = installScripts("aaaaaaaaaaaa");
  expect([program, option, shell]).toEqual(["sudo", "-n", "sh"]);
  const lines = script.split("; ");
  const folder = "/opt/geoclic/server.d/aaaaaaaaaaaa";
  const renamed = lines.indexOf(`mv -T ${folder}.partial ${folder}`);
  expect(lines.indexOf(`sync -f ${folder}.partial`)).toBeGreaterThan(
    lines.indexOf(`tar -x --no-same-owner -C ${folder}.partial`),
  );
  expect(renamed).toBeGreaterThan(lines.indexOf(`sync -f ${folder}.partial`));
  expect(lines.indexOf("mv -T /opt/geoclic/server.new /opt/geoclic/server")).toBeGreaterThan(
    lines.indexOf("sync -f /opt/geoclic/server.d"),
  );
});

test("what lies there is whole only while every script has the content that it was sent with", () => {
  const root = mkdtempSync(join(tmpdir(), "geoclic-scripts-"));
  const source = mkdtempSync(join(tmpdir(), "geoclic-source-"));
  writeFileSync(join(source, "activate"), "one\n");
  writeFileSync(join(source, "with blank"), "two\n");
  const input = execFileSync("tar", ["-c", "-C", source, "."]);
  const here = (script: string) => script.replaceAll("/opt/geoclic", root);
  const install = () => execFileSync("sh", ["-c", here(installScripts("aaaaaaaaaaaa")[4] ?? "")], { input });
  const [, , question = ""] = askServer;
  const ask = () => {
    const own = here(question).replace("LC_ALL=C sudo -n true || exit 1; ", "");
    const told = execFileSync("sh", ["-c", own], { encoding: "utf8" });
    return told.split("\n").filter((line) => /^FACT_(SCRIPTS|WHOLE)/.test(line));
  };
  const whole = ["FACT_SCRIPTS=aaaaaaaaaaaa", "FACT_WHOLE=yes"];
  expect(ask()).toEqual(["FACT_SCRIPTS="]);
  install();
  expect(readlinkSync(join(root, "server"))).toBe("server.d/aaaaaaaaaaaa");
  expect(ask()).toEqual(whole);
  for (const cut of ["activate", ".sums"]) {
    writeFileSync(join(root, "server", cut), "");
    expect(ask()).toEqual(["FACT_SCRIPTS=aaaaaaaaaaaa"]);
    install();
    expect(ask()).toEqual(whole);
  }
  expect(readdirSync(join(root, "server.d"))).toEqual(["aaaaaaaaaaaa"]);
  expect(readFileSync(join(root, "server/with blank"), "utf8")).toBe("two\n");
});
