/**
 * One life of a town in the lab, from an empty server on; each test goes on where the one before it ended.
 * At its end the commands that only look are run, with differences made by hand. Not proven here: Ubuntu and Debian 12 (see
 * the tables of the base's plan), Let's Encrypt's own limits, IPv6, updates (seamless.test.ts) and their failures
 * (faults.test.ts), a terminal's redrawing.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOutput } from "../../outside/pulumi.ts";
import { get } from "../../outside/http.ts";
import { serverPaths } from "../../core/naming.ts";
import { setRecord } from "../../lab/dns.ts";
import { closePort, openPort } from "../../lab/faults.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { killDockerd, rebootServer, removeServer } from "../../lab/server.ts";
import { containers, secrets, type TestTown, testTown } from "./town.ts";
import { upkeep } from "./upkeep.ts";

const label = `Mairie d'Aix-les-Bains "Côté lac"`;
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

let town: TestTown;

beforeAll(async () => {
  town = await testTown("ville-vie", label, 6000, { isPrepared: false });
  await town.suite("1.0.0");
});

afterAll(async () => {
  await removeServer("ville-vie");
});

describe("before a certificate is asked for", () => {
  test("fails when DNS points elsewhere, and asks nothing", async () => {
    await setRecord(town.domain, "10.77.0.9");
    const message = await town.fails();
    expect(message).toContain(`${town.name} · certificate: ${town.domain} points to 10.77.0.9`);
    expect(message).toMatch(/Next: correct the DNS records/);
    expect(await town.exec("sh", "-c", "ls /etc/letsencrypt/live 2>/dev/null | wc -l")).toBe("0");
  });

  test("fails when port 80 is closed, and asks nothing", async () => {
    await setRecord(town.domain, town.server.ip);
    await closePort(town.name, 80, "reject");
    const message = await town.fails();
    await openPort(town.name, 80);
    expect(message).toContain(`${town.name} · certificate: port 80 of ${town.domain} does not answer`);
    expect(message).toMatch(/Next: open port 80/);
    expect(await town.exec("sh", "-c", "ls /etc/letsencrypt/live 2>/dev/null | wc -l")).toBe("0");
  });
});

describe("the first provision", () => {
  const seen = new Set<string>();

  test("goes on after the failures and ends with ten healthy containers", async () => {
    const watching = watchProcesses();
    await town.up();
    await watching.stop();
    expect(Object.keys(await containers(town))).toEqual(services);
    const states = await town.exec("docker", "ps", "--format", "{{.Status}}");
    expect(
      states
        .trim()
        .split("\n")
        .filter((state) => !state.includes("(healthy)")),
    ).toEqual([]);
  });

  test("answers by its own name, over a verified certificate", async () => {
    const health = JSON.parse((await ask("/api/health")).body) as { status: string };
    expect(health.status).toBe("healthy");
    const branding = JSON.parse((await ask("/api/settings/branding")).body) as Record<string, unknown>;
    expect(Object.values(branding)).toContain(label);
  });

  test("made one administrator, with the generated password", async () => {
    const passwords = (await readOutput(town.name, "adminPasswords")) as Record<string, string>;
    expect(await isSuperAdmin(`admin@${town.domain}`, passwords[town.name] ?? "")).toBe(true);
    const admins = await sql("select count(*) from geoclic_users where is_super_admin and actif");
    expect(admins).toBe("1");
  });

  test("set the schedules, and a backup of today can be made", async () => {
    const timers = await town.exec("systemctl", "list-timers", "--all", "--no-pager", "--plain", "geoclic-*");
    expect(timers).toContain("geoclic-backup.timer");
    expect(timers).toContain("geoclic-monitor.timer");
    await town.exec("systemctl", "start", "geoclic-backup.service");
    const files = await town.exec("sh", "-c", `ls ${serverPaths.root}/shared/backups/*/`);
    expect(files).toContain("database.dump");
    expect(files).toContain("photos.tar.gz");
    await town.exec("systemctl", "start", "geoclic-monitor.service");
    const monitor = await town.exec("cat", `${serverPaths.root}/shared/state/monitor.json`);
    expect((JSON.parse(monitor) as { problems: unknown[] }).problems).toEqual([]);
  });

  test("renews the certificate beside the running nginx", async () => {
    const before = await containers(town);
    await town.exec("certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew");
    expect(await containers(town)).toEqual(before);
    const served = `echo | openssl s_client -connect 127.0.0.1:443 -servername ${town.domain} 2>/dev/null | openssl x509 -noout -serial`;
    const issued = `openssl x509 -noout -serial -in /etc/letsencrypt/live/${town.domain}/fullchain.pem`;
    expect(await town.exec("sh", "-c", served)).toBe(await town.exec("sh", "-c", issued));
  });

  test("shows no secret in what was printed, kept, listed or left readable", async () => {
    const passwords = (await readOutput(town.name, "adminPasswords")) as Record<string, string>;
    const values = [...Object.values(await secrets(town)), ...Object.values(passwords)];
    expect(values.every((value) => value.length >= 24)).toBe(true);
    const state = await readAll(join(OPERATOR, "state"));
    const readable = await town.exec(
      "sh",
      "-c",
      `find /etc /home /opt/geoclic /root /tmp /var/log /var/tmp -xdev -type f -perm -004 -exec grep -lF -e ${values.join(" -e ")} {} + || true`,
    );
    expect(readable).toBe("");
    const journal = await town.exec("journalctl", "--no-pager", "--output=cat");
    for (const value of values) {
      expect([...seen].some((line) => line.includes(value))).toBe(false);
      expect(town.shown.some((line) => line.includes(value))).toBe(false);
      expect(state.includes(value)).toBe(false);
      expect(journal.includes(value)).toBe(false);
    }
    expect(seen.size).toBeGreaterThan(20);
  });

  /** Every command line on this machine and, by its containers, on the server. */
  function watchProcesses() {
    let isOn = true;
    const loop = (async () => {
      while (isOn) {
        const { stdout } = await execa("ps", ["-eo", "args", "--no-headers", "-ww"]);
        for (const line of stdout.split("\n")) seen.add(line);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    return {
      stop: () => {
        isOn = false;
        return loop;
      },
    };
  }
});

describe("again", () => {
  test("changes nothing: no command, no container, no byte of the environment", async () => {
    const before = [await containers(town), await town.exec("sha256sum", serverPaths.env)];
    const { changes, seconds } = await town.up();
    expect(Object.keys(changes)).toEqual(["same"]);
    expect([...seconds]).toEqual([]);
    expect([await containers(town), await town.exec("sha256sum", serverPaths.env)]).toEqual(before);
  });

  test("replaces one application's container when one word of it changed", async () => {
    const before = await containers(town);
    await town.suite("1.0.0", { words: { portail: "Coucou" } });
    await town.up();
    const after = await containers(town);
    const changed = services.filter((service) => before[service] !== after[service]);
    expect(changed).toEqual(["portail"]);
  });
});

upkeep(() => town);

describe("when the machine fails", () => {
  test("all ten come back after a reboot", async () => {
    await rebootServer(town.name);
    await eventuallyHealthy();
  });

  test("all ten come back after the Docker Engine was killed", async () => {
    await killDockerd(town.name);
    await eventuallyHealthy();
  });
});

describe("looked at by the command line", () => {
  test("it is as declared", async () => {
    expect(await drift()).toMatchObject({ exitCode: 0, told: [] });
    const { exitCode, stdout } = await cli("status", "--stack", town.name, "--json");
    const [row] = JSON.parse(stdout);
    expect(row).toMatchObject({ name: town.name, health: "healthy", health_http: "200", ssh_ok: true });
    expect(row.ssl_expiry).toMatch(/^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT$/);
    expect(row.facts.containers).toHaveLength(10);
    expect(exitCode).toBe(0);
  });

  test("ssh hands words and status on, logs show a service, both refuse unknown names", async () => {
    const said = await cli(
      "ssh",
      "--stack",
      town.name,
      town.name,
      "--",
      "printf",
      "%s|",
      "a  b",
      "$(id)",
      "it's",
    );
    expect(said.stdout).toBe("a  b|$(id)|it's|");
    expect((await cli("ssh", "--stack", town.name, town.name, "--", "sh", "-c", "exit 42")).exitCode).toBe(
      42,
    );
    const logs = await cli("logs", "--stack", town.name, town.name, "--service", "api", "--lines", "5");
    expect(logs.exitCode).toBe(0);
    expect(logs.stdout.split("\n").filter(Boolean).length).toBeGreaterThan(0);
    const unknown = await cli("logs", "--stack", town.name, town.name, "--service", "$(id)");
    expect(unknown.stderr).toMatch(/"\$\(id\)".*it has: .*api.*SERVICE_UNKNOWN/);
    expect((await cli("ssh", "--stack", town.name, "paris")).stderr).toContain("CLIENTS_NOT_FOUND");
    expect((await cli("test-ssh", "--stack", town.name, "--client", town.name, "--json")).stdout).toContain(
      '"status": "ok"',
    );
  });

  test("drift names each difference that was made by hand, and shows no secret", async () => {
    const before = await town.exec("sh", "-c", `sha256sum ${serverPaths.env}; docker ps -q | sort`);
    const password = await town.exec("sh", "-c", `sed -n s/^DB_PASSWORD=//p ${serverPaths.env}`);
    await town.exec("sh", "-c", `echo '# by hand' >>${serverPaths.current}/compose.yml`);
    await town.exec("sh", "-c", `touch ${serverPaths.scripts}/stranger; chmod 0644 ${serverPaths.env}`);
    const key = await town.exec(
      "sh",
      "-c",
      "ssh-keygen -q -t ed25519 -N '' -C eve@home -f /tmp/eve; cat /tmp/eve.pub >>/home/ubuntu/.ssh/authorized_keys; ssh-keygen -l -f /tmp/eve.pub",
    );
    const fingerprint = key.split(" ")[1] ?? "";
    await town.exec("systemctl", "disable", "--now", "geoclic-monitor.timer");
    await town.exec("nft", "add", "rule", "inet", "geoclic", "input", "tcp", "dport", "8080", "accept");
    await town.exec(
      "sh",
      "-c",
      "docker stop -t 1 $(docker ps -q --filter label=com.docker.compose.service=sig)",
    );
    const { exitCode, told, findings } = await drift();
    const release = (await town.exec("readlink", serverPaths.current)).trim();
    expect(told).toEqual([
      `file /opt/geoclic/${release}/compose.yml changed`,
      expect.stringMatching(/^file \/opt\/geoclic\/server\.d\/[0-9a-f]{12}\/stranger extra$/),
      `environment ${serverPaths.env} changed`,
      "container sig stopped",
      "unit geoclic-monitor.timer disabled",
      "firewall inet geoclic changed",
      "key ubuntu foreign",
    ]);
    expect(findings.at(-1)?.detail).toBe(`${fingerprint} eve@home`);
    expect(exitCode).toBe(7);
    expect(JSON.stringify(findings)).not.toContain(password.trim());
    const after = await town.exec("sh", "-c", `sha256sum ${serverPaths.env}; docker ps -aq | sort`);
    expect(after.trim()).toBe(before.trim());
  });

  test("`drift --fix` puts right what is the fleet's, and leaves somebody's key to people", async () => {
    const { exitCode, stdout, stderr } = await cli(
      ...["drift", "--fix", "--client", town.name, "--stack", town.name, "--json"],
    );
    const [{ findings }] = JSON.parse(stdout) as [{ findings: { area: string; kind: string }[] }];
    expect(
      findings.map(({ area, kind }) => `${area} ${kind}`),
      stderr,
    ).toEqual(["key foreign"]);
    expect(exitCode).toBe(7);
    await eventuallyHealthy();
  });
});

describe("worked on by the command line", () => {
  const email = () => `maire@${town.domain}`;
  const init = (password: string, ...words: string[]) =>
    cliWith(
      { input: `${password}\n` },
      ...["init", "--client", town.name, "--email", email(), "--password-stdin", "--no-commit"],
      ...["--stack", town.name, ...words],
    );

  test("`init` makes another administrator with the password that was given, and loads the demonstration", async () => {
    const before = Number(await sql("select count(*) from demandes_citoyens"));
    const ended = await init("mot de passe du maire", "--with-demo");
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(await isSuperAdmin(email(), "mot de passe du maire")).toBe(true);
    expect(Number(await sql("select count(*) from demandes_citoyens"))).toBeGreaterThan(before);
    expect(`${ended.stdout}${ended.stderr}`).not.toContain("mot de passe du maire");
  });

  test("`init` again keeps the password, tells so, and loads nothing twice", async () => {
    const before = await sql("select count(*) from demandes_citoyens");
    const ended = await init("un autre mot de passe", "--with-demo");
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("its password stays the one it had");
    expect(await isSuperAdmin(email(), "mot de passe du maire")).toBe(true);
    expect(await sql("select count(*) from demandes_citoyens")).toBe(before);
  });

  test("`backup` adds one that is whole", async () => {
    const folders = () => town.exec("sh", "-c", `ls ${serverPaths.root}/shared/backups`);
    const before = (await folders()).trim().split("\n");
    const ended = await cli("backup", "--client", town.name, "--stack", town.name);
    expect(ended.exitCode, ended.stderr).toBe(0);
    const [fresh = "", ...others] = (await folders())
      .trim()
      .split("\n")
      .filter((each) => !before.includes(each));
    expect(others).toEqual([]);
    const files = await town.exec("ls", `${serverPaths.root}/shared/backups/${fresh}`);
    for (const file of ["database.dump", "photos.tar.gz", "manifest.json"]) expect(files).toContain(file);
  });

  test("`provision` goes on with a town that is declared, and proves it", async () => {
    const ended = await cli("provision", town.name, "--no-commit", "--stack", town.name);
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`online: https://${town.domain}`);
    expect(await isSuperAdmin(email(), "mot de passe du maire")).toBe(true);
  });
});

const cliWith = (options: { input?: string }, ...words: string[]) =>
  execa(process.execPath, ["cli/main.ts", "--lang", "en", ...words], {
    ...(options.input === undefined ? { stdin: "ignore" as const } : options),
    reject: false,
  });
const cli = (...words: string[]) => cliWith({}, ...words);
const drift = async () => {
  const { exitCode, stdout, stderr } = await cli("drift", "--stack", town.name, "--json");
  if (stdout === "") throw new Error(stderr);
  const [{ findings, error }] = JSON.parse(stdout) as [
    { findings: { area: string; item: string; kind: string; detail: string }[]; error?: string },
  ];
  return {
    exitCode,
    error,
    told: findings.map(({ area, item, kind }) => `${area} ${item} ${kind}`),
    findings,
  };
};

/** By the API's own answer to a login. */
async function isSuperAdmin(email: string, password: string): Promise<boolean> {
  const { stdout } = await execa("curl", [
    ...["--silent", "--resolve", `${town.domain}:443:${town.server.reach}`],
    ...["--cacert", process.env.NODE_EXTRA_CA_CERTS ?? "", "--data-urlencode", `username=${email}`],
    ...["--data-urlencode", `password=${password}`, `https://${town.domain}/api/auth/login`],
  ]);
  return (JSON.parse(stdout) as { user: { is_super_admin: boolean } }).user.is_super_admin;
}

function ask(path: string) {
  return get({ protocol: "https", host: town.server.reach, domain: town.domain, path });
}

async function sql(query: string): Promise<string> {
  const psql = ["psql", "-U", "geoclic", "-d", "geoclic_db", "-At", "-c", query];
  return (await town.exec("docker", "exec", "deploy-db-1", ...psql)).trim();
}

async function eventuallyHealthy(): Promise<void> {
  await expect
    .poll(
      async () => {
        const names = Object.keys(await containers(town).catch(() => ({})));
        const health = await ask("/api/health").catch((error: Error) => ({ status: 0, body: error.message }));
        return { names, isHealthy: health.body.includes('"healthy"') };
      },
      { timeout: 120_000, interval: 1000 },
    )
    .toEqual({ names: services, isHealthy: true });
}

async function readAll(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}
