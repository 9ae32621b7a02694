/** What a retirement does over real connections and files: downloads, the fleet's key, its journal. */
import { createHash, randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { download } from "../../outside/download.ts";
import { retirementJournal } from "../../outside/retirement-journal.ts";
import { removeKeys } from "../../core/keys/authorized-keys.ts";
import { type SshServer, startSshServer } from "../helpers/ssh-server.ts";

let server: SshServer;
let folder: string;
beforeAll(async () => {
  server = await startSshServer();
  folder = await mkdtemp(join(tmpdir(), "geoclic-retire-"));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("download", () => {
  test("brings bytes as they are, readable by the operator alone", async () => {
    const content = randomBytes(3_000_000);
    const source = join(folder, "source.bin");
    await writeFile(source, content);
    const file = join(folder, "new", "copy.bin");
    const got = await download(server.target, "retire", ["cat", source], file, server.env);
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(got).toEqual({ bytes: content.length, sha256 });
    expect(
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    ).toBe(sha256);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "new"))).mode & 0o777).toBe(0o700);
  });

  test.each<[string, string, string]>([
    ["fails with words of its own", "echo half; echo no such backup >&2; exit 1", "SSH_FAILED"],
    ["is refused by sudo", "echo 'sudo: a password is required' >&2; exit 1", "SUDO_MISSING"],
  ])("leaves nothing of a command that %s", async (_, script, code) => {
    const file = join(folder, "failed", "copy.bin");
    await expect(
      download(server.target, "retire", ["sh", "-c", script], file, server.env),
    ).rejects.toMatchObject({ code });
    expect(await readdir(join(folder, "failed"))).toEqual([]);
  });

  test("leaves nothing of a connection that is cut", async () => {
    const file = join(folder, "cut", "copy.bin");
    const going = download(server.target, "retire", ["sh", "-c", "echo half; sleep 30"], file, server.env);
    const ended = expect(going).rejects.toMatchObject({ name: "FleetError" });
    await expect
      .poll(() => readFile(`${file}.partial`, "utf8").catch(() => ""), { timeout: 10_000 })
      .toBe("half\n");
    await server.cut();
    await ended;
    expect(await readdir(join(folder, "cut"))).toEqual([]);
  });
});

test.each([
  ["alone", "ssh-ed25519 AB+C/D== geoclic-fleet"],
  ["with our options", "restrict,pty,port-forwarding ssh-ed25519 AB+C/D== geoclic-fleet"],
  ["with an address and a blank", 'from="10.0.0.1, x#y",restrict ssh-ed25519 AB+C/D=='],
  ["behind blanks", "  ssh-ed25519   AB+C/D=="],
])("the fleet's key goes %s; others stay byte for byte", async (_, line) => {
  const others = [
    "# keys",
    "ssh-ed25519 AB+C/D==X other",
    "ssh-ed25519 ABBC/D== near",
    "ssh-rsa AB+C/D== kind",
    "",
    "x",
  ];
  await execa("mkdir", ["-p", join(folder, ".ssh")]);
  const path = join(folder, ".ssh/authorized_keys");
  await writeFile(path, `${[...others.slice(0, 3), line, ...others.slice(3)].join("\n")}\n`);
  const [program, ...words] = removeKeys(["ssh-ed25519 AB+C/D=="]);
  await execa(program, words, { cwd: folder });
  expect(await readFile(path, "utf8")).toBe(`${others.join("\n")}\n`);
  await execa(program, words, { cwd: folder });
});

describe("the journal", () => {
  test("survives a line that a crash cut", async () => {
    const journal = retirementJournal(folder, "ville");
    expect(await journal.read()).toEqual([]);
    await journal.write({ event: "stopped" });
    await appendFile(join(journal.folder, "journal.jsonl"), '{"time":"2026-11-23T10:0');
    expect((await journal.read()).map(({ event }) => event)).toEqual(["stopped"]);
    await journal.write({ event: "keyGoing" });
    expect((await journal.read()).map(({ event }) => event)).toEqual(["stopped", "keyGoing"]);
    expect((await stat(join(journal.folder, "journal.jsonl"))).mode & 0o777).toBe(0o600);
  });

  test("that somebody spoiled is not read as empty", async () => {
    const journal = retirementJournal(folder, "spoiled");
    await journal.write({ event: "stopped" });
    await writeFile(join(journal.folder, "journal.jsonl"), '{"event":"unknown"}\n');
    await expect(journal.read()).rejects.toMatchObject({ code: "RETIREMENT_JOURNAL" });
  });
});
