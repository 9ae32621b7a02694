/**
 * The commands that only look, by the real command line on one town of the lab: as declared, then with differences made
 * by hand. Not proven here: a terminal's redrawing, a server that is out of reach (test/peers).
 */
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serverPaths } from "../../core/naming.ts";
import { removeServer } from "../../lab/server.ts";
import { type TestTown, testTown } from "./town.ts";

const name = "ville-faits";
let town: TestTown;

beforeAll(async () => {
  town = await testTown(name, "Mairie de Faits", 6000);
  await town.suite("1.0.0");
  await town.up();
});

afterAll(() => removeServer(name));

const cli = (...words: string[]) =>
  execa(process.execPath, ["cli/main.ts", "--lang", "en", ...words], { reject: false, stdin: "ignore" });
const drift = async () => {
  const { exitCode, stdout, stderr } = await cli("drift", "--stack", name, "--json");
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

test("a town that was just converged is as declared", async () => {
  expect(await drift()).toMatchObject({ exitCode: 0, told: [] });
  const { exitCode, stdout } = await cli("status", "--stack", name, "--json");
  const [row] = JSON.parse(stdout);
  expect(row).toMatchObject({ name, health: "healthy", health_http: "200", ssh_ok: true });
  expect(row.ssl_expiry).toMatch(/^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT$/);
  expect(row.facts.containers).toHaveLength(10);
  expect(exitCode).toBe(0);
});

test("ssh hands words and status on, logs show a service, both refuse unknown names", async () => {
  const said = await cli("ssh", "--stack", name, name, "--", "printf", "%s|", "a  b", "$(id)", "it's");
  expect(said.stdout).toBe("a  b|$(id)|it's|");
  expect((await cli("ssh", "--stack", name, name, "--", "sh", "-c", "exit 42")).exitCode).toBe(42);
  const logs = await cli("logs", "--stack", name, name, "--service", "api", "--lines", "5");
  expect(logs.exitCode).toBe(0);
  expect(logs.stdout.split("\n").filter(Boolean).length).toBeGreaterThan(0);
  const unknown = await cli("logs", "--stack", name, name, "--service", "$(id)");
  expect(unknown.stderr).toMatch(/"\$\(id\)".*it has: .*api.*SERVICE_UNKNOWN/);
  expect((await cli("ssh", "--stack", name, "paris")).stderr).toContain("CLIENTS_NOT_FOUND");
  expect((await cli("test-ssh", "--stack", name, "--client", name, "--json")).stdout).toContain(
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
