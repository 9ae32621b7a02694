/**
 * The registry's verbs at a real server that the former tool installed: imported with its secrets, adopted, removed, added
 * again, retired. Each test goes on where the one before it ended. Not proven here: the end of a contract
 * (test/peers/termination.test.ts), git (adapters/stack-file.test.ts).
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { configureStack, convergeStack, project } from "../../lab/operator.ts";
import { layOutPredecessor, type Predecessor } from "../../lab/predecessor.ts";
import { removeServer } from "../../lab/server.ts";
import { secrets, type TestTown, testTown } from "./town.ts";

const name = "ville-registre";
const main = resolve(import.meta.dirname, "../../cli/main.ts");
const stackPath = join(project, `Pulumi.${name}.yaml`);
const home = join(OPERATOR, "retired", name);

let town: TestTown;
let former: Predecessor;

/** The command line itself, without a terminal. */
async function fleet(...words: string[]): Promise<{ exitCode: number; output: string }> {
  const ended = await execa(process.execPath, [main, "--lang", "en", ...words, "--stack", name], {
    reject: false,
    all: true,
    stdin: "ignore",
  });
  return { exitCode: ended.exitCode ?? 255, output: String(ended.all) };
}
const converge = () => convergeStack(name, (line) => town.shown.push(line));
const stackText = () => readFile(stackPath, "utf8");
const configured = async () => (parse(await stackText()) as { config: Record<string, unknown> }).config;
const changes = ({ changes: { same: _, ...others } }: Awaited<ReturnType<typeof converge>>) => others;

beforeAll(async () => {
  await rm(home, { recursive: true, force: true });
  town = await testTown(name, "Mairie", 8000);
  await town.suite("1.0.0");
  former = await layOutPredecessor(name, {
    domain: town.domain,
    admin: { email: `admin@${town.domain}`, password: "motdepasse de la mairie" },
  });
  await configureStack(name, { ...fleetConfig(join(OPERATOR, `suite-${name}`), []), protect: true });
  await converge();
});

afterAll(async () => {
  await removeServer(name);
  await rm(home, { recursive: true, force: true });
});

test("import brings the town with its secrets, encrypted", async () => {
  const registry = join(OPERATOR, "clients-registre.conf");
  const line = (fields: string) => `${fields}|rsync|2026-02-06\r\n`;
  await writeFile(
    registry,
    `# registre\r\n${line("geoclic-prod|geoclic.test|geoclic.test|ubuntu|22")}${line(`${name}|${town.domain}|${town.server.ip}|ubuntu|22`)}`,
  );
  const options = ["--reach", "127.0.10.{4}", "--town-from-name", "--yes", "--no-commit"];
  const dry = await fleet("import", registry, ...options, "--dry-run");
  expect(dry).toMatchObject({ exitCode: 0 });
  expect((await configured())["geoclic-fleet:clients"]).toEqual([]);
  const { exitCode, output } = await fleet("import", registry, ...options);
  expect(output).toContain("WARNING: pinned as they are");
  expect(output).toContain("the master itself");
  expect(exitCode).toBe(0);
  const text = await stackText();
  expect(text).toContain(town.server.hostKey);
  for (const secret of Object.values(former.secrets)) expect(text + output).not.toContain(secret);
  expect(await configured()).toMatchObject({
    "geoclic-fleet:clients": [{ name, town: "Ville Registre", reach: town.server.reach }],
    "geoclic-fleet:secrets": { [name]: { DB_PASSWORD: { secure: expect.any(String) } } },
  });
});

test("up adopts the server, and its secrets are the former ones", async () => {
  await converge();
  expect(await secrets(town)).toMatchObject(former.secrets);
});

test("remove detaches, add takes back; nothing on the server or in the state changes", async () => {
  const refused = await fleet("remove", name, "--no-commit");
  expect(refused).toMatchObject({ exitCode: 2, output: expect.stringContaining("QUESTION_UNANSWERED") });
  expect(await fleet("remove", name, "--yes", "--no-commit")).toMatchObject({ exitCode: 0 });
  const before = await secrets(town);
  await converge();
  expect(await fleet("add", "--name", name, "--check", "--no-commit")).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining("lets the fleet's key in"),
  });
  await converge();
  expect(await secrets(town)).toEqual(before);
  expect(changes(await converge())).toEqual({});
});

test("retire fetches the last backup, empties the server, and up deletes what was protected", async () => {
  const { exitCode, output } = await fleet("retire", name, "--yes", "--no-commit");
  expect(output).toMatch(/last backup in .*, verified: [\d.]+ MiB, \d+ tables, \d+ rows, 3 files/);
  expect(exitCode).toBe(0);
  const stamp = (await readdir(home)).find((entry) => /^\d{8}T\d{6}Z$/.test(entry)) ?? "";
  const manifest = JSON.parse(await readFile(join(home, stamp, "manifest.json"), "utf8"));
  const dump = await readFile(join(home, stamp, "database.dump"));
  expect(createHash("sha256").update(dump).digest("hex")).toBe(manifest.database.sha256);
  expect(dump.subarray(0, 5).toString()).toBe("PGDMP");

  const ours = ["--filter", "label=com.docker.compose.project=deploy"];
  expect(await town.exec("docker", "ps", "-aq", ...ours)).toBe("");
  // Somebody else's container is none of ours.
  expect(await town.exec("docker", "ps", "-q")).not.toBe("");
  expect(await town.exec("docker", "volume", "ls", "-q")).toMatch(/postgres_data/);
  expect(
    await town.exec("sh", "-c", "systemctl list-unit-files 'geoclic*' --no-legend | cut -d' ' -f1"),
  ).not.toMatch(/backup|monitor|geoclic\.service/);
  expect(await town.exec("sh", "-c", "cat /home/*/.ssh/authorized_keys")).not.toContain("geoclic-fleet");
  expect(existsSync(join(home, "journal.jsonl"))).toBe(true);

  const config = await configured();
  expect(config).toMatchObject({
    "geoclic-fleet:clients": [],
    "geoclic-fleet:retired": [{ name }],
  });
  expect(JSON.stringify(config)).not.toContain("secure");
  const exported = await execa("pulumi", ["stack", "export", "--stack", name]);
  expect(exported.stdout).not.toContain(`${name}-db-password`);
  expect(changes(await converge())).toEqual({});
});

test("retire again does nothing, and the name is not free", async () => {
  expect(await fleet("retire", name, "--no-commit")).toMatchObject({ exitCode: 0 });
  expect(
    await fleet("add", "--name", name, "--domain", town.domain, "--ip", town.server.ip, "--yes"),
  ).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining("CLIENT_RETIRED"),
  });
});
