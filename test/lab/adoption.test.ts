/**
 * A server that the former tool installed, imported and adopted by an ordinary `pulumi up`: nothing of the town is lost, a
 * failure leaves the former installation serving. Its PostgreSQL sorts and speaks French, and somebody else's Compose project
 * beside it is called as ours. Then it is removed, added again and retired by the registry's verbs. Each test goes on where
 * the one before it ended.
 * Not proven here: the real suite's own schema and images, Docker from Docker's repository, an engine that is too old, the
 * end of a contract (test/peers/termination.test.ts), git (outside/stack-file.test.ts).
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { shownRelease } from "../../core/health.ts";
import { releaseRoute } from "../../core/naming.ts";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { ASSETS, OPERATOR } from "../../lab/layout.ts";
import { configureStack, convergeStack, project } from "../../lab/operator.ts";
import { layOutPredecessor, type Predecessor } from "../../lab/predecessor.ts";
import { execInServer, rebootServer, removeServer } from "../../lab/server.ts";
import type { SuiteEdits } from "../../lab/suite/release/make.ts";
import { watchTown } from "./prober.ts";
import { containers, secrets, type TestTown, testTown } from "./town.ts";

const label = "Mairie de L'Haÿ-les-Roses";
const name = "ville-adoptee";
const services = [
  "admin",
  "api",
  "db",
  "demandes",
  "mobile",
  "nginx",
  "portail",
  "services",
  "sig",
  "terrain",
];
const home = join(OPERATOR, "retired", name);
/** A database that sorts and speaks French, as those are whose image has a language. */
const french: SuiteEdits = { databaseImage: "15-3.3-fr" };
const somebodys = `# Somebody's own: geoclic's name stands here and must stay.
15 4 * * *	/usr/local/bin/mirror  --to nas   # certbot, monitor`;

let town: TestTown;
let former: Predecessor;
let before: Awaited<ReturnType<typeof everythingOfTheTown>>;
let installed: Awaited<ReturnType<typeof installation>>;
let neighbour: string;

beforeAll(async () => {
  await rm(home, { recursive: true, force: true });
  town = await testTown(name, label, 8000);
  former = await layOutPredecessor(name, {
    domain: town.domain,
    admin: { email: `admin@${town.domain}`, password: "motdepasse de la mairie" },
    edits: french,
  });
  before = await everythingOfTheTown("geoclic_db");
  installed = await installation();
  neighbour = await ofTheNeighbour();
});

afterAll(async () => {
  await removeServer(name);
  await rm(home, { recursive: true, force: true });
});

test("the server is one of the former tool's: published ports, no ledger, a readable .env", async () => {
  expect(await listening()).toEqual(expect.arrayContaining([8000, 3000, 5174, 5180]));
  expect(await sql("geoclic_db", "select to_regclass('fleet_migrations') is null")).toBe("t");
  expect(await town.exec("stat", "-c", "%a", "/opt/geoclic/deploy/.env")).toBe("644");
  expect(before.reports).toContain("demandes_citoyens 3");
  expect(await sql("geoclic_db", "show lc_messages")).toBe("fr_FR.UTF-8");
});

describe("without the former installation's secrets", () => {
  test("is refused before anything of it is touched", async () => {
    await town.suite("1.0.0", french);
    const message = await town.fails();
    expect(message).toContain("SECRET_CHANGED");
    expect(message).toContain("geoclic-fleet import");
    expect(await installation()).toEqual(installed);
  });
});

describe("with `geoclic-fleet import`", () => {
  test("the town is in the stack file, with its secrets encrypted", async () => {
    await configureStack(name, { ...fleetConfig(join(OPERATOR, `suite-${name}`), []), protect: true });
    const registry = join(OPERATOR, "clients-adoption.conf");
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
    const text = await readFile(join(project, `Pulumi.${name}.yaml`), "utf8");
    expect(text).toContain(town.server.hostKey);
    for (const secret of Object.values(former.secrets)) expect(text + output).not.toContain(secret);
    expect(await configured()).toMatchObject({
      "geoclic-fleet:clients": [{ name, town: "Ville Adoptee", reach: town.server.reach }],
      "geoclic-fleet:secrets": { [name]: { DB_PASSWORD: { secure: expect.any(String) } } },
    });
  });
});

describe("with a release that crashes", () => {
  test("the former installation's own containers serve on, with its schedules and without a ledger", async () => {
    await town.suite("1.2.0-crash", french);
    const end = await up().then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(end).toContain("UNHEALTHY");
    expect(end).toContain("the former installation serves on");
    expect(JSON.parse((await ask("/api/health")).body)).toMatchObject({ status: "healthy" });
    expect(await installation()).toEqual(installed);
    expect(await sql("geoclic_db", "select to_regclass('fleet_migrations') is null")).toBe("t");
    expect(await everythingOfTheTown("geoclic_db")).toEqual(before);
  });
});

describe("cut while the second service is replaced, then with a release that crashes", () => {
  test("the former containers that the first run replaced are given back by the second", async () => {
    await town.suite("1.1.0", french);
    const cut = up().then(
      () => undefined,
      (error: Error) => error.message,
    );
    await expect
      .poll(() => town.exec("docker", "ps", "--format", "{{.Names}} {{.Status}}"), {
        timeout: 120_000,
        interval: 200,
      })
      .toMatch(/deploy-api-2 .*\(healthy\)/);
    await town.exec("systemctl", "kill", "--signal=KILL", "geoclic-activate.service");
    expect(await cut).toContain("ACTIVATION_INTERRUPTED");
    expect(JSON.parse((await ask("/api/health")).body)).toMatchObject({ status: "healthy" });

    await town.suite("1.2.0-crash", french);
    const end = await up().then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(end).toContain("the former installation serves on");
    expect(await installation()).toEqual(installed);
    expect(await everythingOfTheTown("geoclic_db")).toEqual(before);
  });
});

describe("with a release that is sound", () => {
  test("pulumi up adopts the server within a short outage", async () => {
    await town.suite("1.1.0", french);
    const watch = watchTown(town, ["/api/health", "/portail/"]);
    await up();
    const seen = await watch.stop();
    console.log("outage of the adoption:", JSON.stringify(seen));
    expect(Object.keys(await containers(town))).toEqual(services);
    expect(await secrets(town)).toMatchObject(former.secrets);
    expect(shownRelease(await ask(releaseRoute))).toMatch(/^[0-9a-f]{12}$/);
    expect(JSON.parse((await ask("/api/health")).body)).toMatchObject({ status: "healthy" });
    for (const { requests, longestSeconds } of Object.values(seen)) {
      expect(requests).toBeGreaterThan(100);
      expect(longestSeconds).toBeLessThan(15);
    }
  });

  test("rows, photos, passwords, sessions and the certificate are the same", async () => {
    expect(await everythingOfTheTown("deploy-db-2")).toEqual(before);
    expect(JSON.parse(await withToken("/api/selfcheck"))).toEqual({
      rows: 3,
      files: 3,
      missing: 0,
      corrupt: 0,
    });
    expect(JSON.parse(await withToken("/api/auth/me"))).toMatchObject({ email: `admin@${town.domain}` });
    const admins = "select string_agg(email, ' ') from geoclic_users where is_super_admin and actif";
    expect(await sql("deploy-db-2", admins)).toBe(`admin@${town.domain}`);
  });

  test("the ledger knows what was there; what was missing was made, and no row twice", async () => {
    // The first attempt, which failed later, made what was missing: the next ones find it.
    const told = town.shown.join("\n");
    expect(told).toContain(
      "005_demandes_citoyens.sql was there in part; run: lines 9, 21, 24; not run again",
    );
    expect(told).toContain("the database has 11, 1 in part, 1 not");
    const outcomes = "select outcome || ' ' || count(*) from fleet_migrations group by outcome order by 1";
    expect((await sql("deploy-db-2", outcomes)).split("\n")).toEqual(["adopted 14"]);
    const made = `select to_regclass('idx_demandes_citoyens_priorite') is not null
      and exists (select from information_schema.columns where column_name = 'intervention')
      and exists (select from information_schema.columns where column_name = 'urgence_signalee')
      and exists (select from pg_trigger where tgname = 'demandes_citoyens_statut')`;
    expect(await sql("deploy-db-2", made)).toBe("t");
  });

  test("only the ingress is reachable; nothing of the former installation runs or is scheduled", async () => {
    const open = (await listening()).filter((port) => port >= 3000 && port < 9000);
    // The neighbour's own, on loopback.
    expect(open).toEqual([8088]);
    const names = (await town.exec("docker", "ps", "--all", "--format", "{{.Names}}")).split("\n");
    expect(names.filter((each) => each.startsWith("geoclic_"))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["blog", "voisin"]));
    expect(await town.exec("crontab", "-u", "root", "-l")).toBe(somebodys);
    expect(await town.exec("cat", "/etc/systemd/system/geoclic.service")).toContain("start-suite");
    expect(await town.exec("docker", "image", "ls", "--quiet", "deploy-*")).toBe("");
  });

  test("its code, .env and dumps are kept, for root alone", async () => {
    const kept =
      "cd /opt/geoclic && stat -c '%a %n' predecessor backups && ls predecessor/deploy/.env backups";
    const shown = await town.exec("sh", "-c", kept);
    expect(shown).toContain("700 predecessor");
    expect(shown).toContain("700 backups");
    expect(shown).toContain("predecessor/deploy/.env");
    expect(shown).toContain("geoclic_backup_20261101_020000.dump");
    const left = (await town.exec("ls", "/opt/geoclic")).split("\n");
    expect(left).toEqual(["backups", "current", "predecessor", "releases", "server", "server.d", "shared"]);
    const dump = "ls /opt/geoclic/predecessor/before-adoption-*.dump | head -1";
    const list = `docker exec -i deploy-db-2 pg_restore --list < "$(${dump})" | grep -c 'TABLE DATA'`;
    expect(Number(await town.exec("sh", "-c", list))).toBeGreaterThan(5);
    const secrets = Object.values(former.secrets).flatMap((value) => ["-e", value]);
    const search = ["find", "/opt", "/etc", "/var/log", "-xdev", "-type", "f", "-perm", "-004"];
    const readable = [...search, "-exec", "grep", "-lF", ...secrets, "{}", "+"];
    expect(await town.exec("sh", "-c", '"$@" || true', "sh", ...readable)).toBe("");
  });

  test("somebody else's container and firewall rule were not touched", async () => {
    expect(await ofTheNeighbour()).toBe(neighbour);
  });

  test("a second pulumi up changes nothing", async () => {
    const ids = await containers(town);
    const { changes, seconds } = await up();
    expect(Object.keys(changes).filter((each) => each !== "read")).toEqual(["same"]);
    expect([...seconds]).toEqual([]);
    expect(await containers(town)).toEqual(ids);
  });

  test("all ten come back after a reboot", async () => {
    await rebootServer(name);
    await expect
      .poll(
        async () => {
          const health = await ask("/api/health").catch((error: Error) => ({ body: error.message }));
          return [Object.keys(await containers(town).catch(() => ({}))), health.body.includes('"healthy"')];
        },
        { timeout: 120_000, interval: 1000 },
      )
      .toEqual([services, true]);
  });

  test("the certificate is renewed by webroot beside the running nginx", async () => {
    const renew = "certbot renew --force-renewal --no-random-sleep-on-renew";
    // The lab's authority refuses some nonces on purpose; certbot tries each only twice.
    await town.exec("sh", "-c", `${renew} || ${renew}`);
    expect(await servedSerial()).not.toBe(before.certificate);
  });
});

/** On the adopted server, beside the town's database: see the script for what each shape is. */
describe("schemas that the former tool left behind", () => {
  interface Shape {
    readonly shape: string;
    readonly failure: string | null;
    readonly ledger: Readonly<Record<string, string>> | null;
    readonly zones: string;
    readonly demandes: string;
  }
  let shapes: readonly Shape[];

  beforeAll(async () => {
    const stdin = await readFile(join(ASSETS, "predecessor/shapes.py"), "utf8");
    const { stdout, stderr } = await execInServer(name, ["python3", "-B", "-"], { stdin });
    expect(stderr).toBe("");
    shapes = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Shape);
  });

  test.each([
    ["everything", "adopted", {}],
    [
      "until 007",
      "adopted",
      {
        "014_zones.sql": "applied",
        "020_rows.sql": "applied",
        "024_column.sql": "applied",
        "030_moves.sql": "applied",
      },
    ],
    ["004 cut", "adopted", { "004_type.sql": "tolerated" }],
  ])("%s: taken as it is, each row once", (shape, usual, others: Record<string, string>) => {
    const found = shapes.find((each) => each.shape === shape);
    expect(found).toMatchObject({ failure: null, demandes: "seed vraie", ledger: others });
    for (const [file, outcome] of Object.entries(found?.ledger ?? {}))
      expect([file, outcome]).toEqual([file, others[file] ?? usual]);
    if (shape !== "until 007") expect(found?.zones).toBe("bourg");
  });

  test.each([
    ["a column missing", "SCHEMA_DIFFERS"],
    ["030 cut", "MIGRATION_HALF_APPLIED"],
    ["of somebody else", "DATABASE_FOREIGN"],
  ])("%s: refused as %s, without a ledger and without a change", (shape, failure) => {
    const found = shapes.find((each) => each.shape === shape);
    expect(found).toMatchObject({ failure, ledger: null });
    if (failure !== "DATABASE_FOREIGN")
      expect(found).toMatchObject({ zones: "bourg", demandes: "seed vraie" });
  });
});

describe("by the verbs of the registry", () => {
  test("remove detaches, add takes back; nothing on the server or in the state changes", async () => {
    const refused = await fleet("remove", name, "--no-commit");
    expect(refused).toMatchObject({ exitCode: 2, output: expect.stringContaining("QUESTION_UNANSWERED") });
    expect(await fleet("remove", name, "--yes", "--no-commit")).toMatchObject({ exitCode: 0 });
    const before = await secrets(town);
    await up();
    expect(await fleet("add", "--name", name, "--check", "--no-commit")).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("lets the fleet's key in"),
    });
    await up();
    expect(await secrets(town)).toEqual(before);
    expect(await changes()).toEqual({});
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

    // Somebody else's containers are none of ours, also in a project that is called as ours.
    const left = await town.exec("docker", "ps", "--all", "--format", "{{.Names}} {{.State}}");
    expect(left.trim().split("\n").sort()).toEqual(["blog running", "voisin running"]);
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
    expect(await changes()).toEqual({});
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
});

function up() {
  return convergeStack(name, (line) => town.shown.push(line));
}

/** The command line itself, without a terminal. */
async function fleet(...words: string[]): Promise<{ exitCode: number; output: string }> {
  const ended = await execa(process.execPath, ["cli/main.ts", "--lang", "en", ...words, "--stack", name], {
    reject: false,
    all: true,
    stdin: "ignore",
  });
  return { exitCode: ended.exitCode ?? 255, output: String(ended.all) };
}

async function configured(): Promise<Record<string, unknown>> {
  const text = await readFile(join(project, `Pulumi.${name}.yaml`), "utf8");
  return (parse(text) as { config: Record<string, unknown> }).config;
}

async function changes(): Promise<object> {
  const { same: _, ...others } = (await up()).changes;
  return others;
}

/** What a town must never lose. */
async function everythingOfTheTown(database: string) {
  const tables = ["demandes_citoyens", "demandes_photos", "demandes_categories", "mesures", "geoclic_users"];
  const counts = tables.map((table) => `select '${table} ' || count(*) from ${table}`).join(" union all ");
  const hash = `select password_hash from geoclic_users where email = 'admin@${town.domain}'`;
  const photos =
    "cd /var/lib/docker/volumes/geoclic_photos_data/_data && find demandes -type f -exec sha256sum {} + | sort";
  return {
    reports: (await sql(database, counts)).split("\n"),
    password: await sql(database, hash),
    photos: await town.exec("sh", "-c", photos),
    certificate: await servedSerial(),
  };
}

/** The former installation as it stands: containers, crontab, unit. */
async function installation() {
  const format = "{{.Names}} {{.ID}} {{.State}}";
  const filter = ["--all", "--no-trunc", "--filter", "label=com.docker.compose.project=deploy"];
  const listed = await town.exec("docker", "ps", ...filter, "--format", format);
  return {
    containers: listed.trim().split("\n").sort(),
    crontab: await town.exec("crontab", "-u", "root", "-l"),
    unit: await town.exec("cat", "/etc/systemd/system/geoclic.service"),
    enabled: await town.exec("systemctl", "is-enabled", "geoclic.service"),
    code: await town.exec("ls", "/opt/geoclic/deploy", "/opt/geoclic/scripts"),
  };
}

async function ofTheNeighbour(): Promise<string> {
  const format = "{{.Name}} {{.Id}} {{.State.StartedAt}}";
  const others = await town.exec("docker", "inspect", "--format", format, "voisin", "blog");
  const rules = await town.exec("iptables-save");
  return `${others}${rules.split("\n").filter((line) => line.includes("somebody"))}`;
}

async function listening(): Promise<number[]> {
  const ports = await town.exec("sh", "-c", "ss -Hltn | awk '{print $4}' | sed 's/.*://' | sort -un");
  return ports.trim().split("\n").map(Number);
}

function servedSerial(): Promise<string> {
  const served = `echo | openssl s_client -connect 127.0.0.1:443 -servername ${town.domain} 2>/dev/null | openssl x509 -noout -serial`;
  return town.exec("sh", "-c", served);
}

function withToken(path: string): Promise<string> {
  const options = ["--silent", "--fail-with-body", "--insecure", "--resolve", `${town.domain}:443:127.0.0.1`];
  const header = ["--header", `Authorization: Bearer ${former.token}`];
  return town.exec("curl", ...options, ...header, `https://${town.domain}${path}`);
}

async function sql(container: string, query: string): Promise<string> {
  const psql = ["psql", "-U", "geoclic", "-d", "geoclic_db", "-At", "-c", query];
  return (await town.exec("docker", "exec", container, ...psql)).trim();
}

function ask(path: string) {
  return get({ protocol: "https", host: town.server.reach, domain: town.domain, path });
}
