/**
 * Two towns of the lab in one stack: each fault ends one of them, by an error with its cause and the next action, and the
 * other one is left as it is or goes on to its end; once it is cured the next run continues. Each test goes on where the
 * one before it ended. Not proven here: faults before a server is bought (see test/peers/order.test.ts); a machine that
 * loses its power.
 */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { shownRelease } from "../../core/health.ts";
import { releaseRoute } from "../../core/naming.ts";
import {
  changeHostKey,
  closePort,
  cutSsh,
  fillDisk,
  freeDisk,
  limitBandwidth,
  openPort,
  restoreSsh,
} from "../../lab/faults.ts";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { configureStack, convergeStack, project } from "../../lab/operator.ts";
import { removeServer } from "../../lab/server.ts";
import { clientEntry } from "../../lab/town.ts";
import { killEngine } from "../helpers/engine.ts";
import { containers, type TestTown, testTown } from "./town.ts";

const stack = "faults";

let a: TestTown;
let b: TestTown;
/** Changes of the towns' entries, by name. */
const changes: Record<string, object> = {};
const shown: string[] = [];

beforeAll(async () => {
  [a, b] = [await testTown("faults-a", "Ville A", 6000), await testTown("faults-b", "Ville B", 6000)];
  await a.suite("1.0.0");
});

afterAll(async () => {
  await Promise.all(["faults-a", "faults-b"].map(removeServer));
});

describe("port 80 of one town is closed", () => {
  test("that town asks for no certificate, the other one comes online", async () => {
    await closePort(a.name, 80, "reject");
    const message = await fails();
    expect(message).toContain(`${a.name} · certificate: port 80 of ${a.domain} does not answer`);
    expect(message).toMatch(/PORT80_CLOSED\)\. Next: open port 80/);
    expect(message).not.toContain(b.name);
    expect(await releaseOf(b)).toMatch(/^[0-9a-f]{12}$/);
  });

  test("once it is open that town comes online, and nothing is done to the other one", async () => {
    await openPort(a.name, 80);
    const before = await stateOf(b);
    const { seconds } = await up();
    expect([...seconds.keys()].filter((name) => !name.startsWith(a.name))).toEqual([]);
    expect(await stateOf(b)).toEqual(before);
    expect(await releaseOf(a)).toBe(await releaseOf(b));
  });
});

describe("a release that crashes at its start, with a canary", () => {
  test("leaves every other town untouched, by hand too", async () => {
    changes[a.name] = { canary: true };
    const before = [await stateOf(a), await stateOf(b)];
    await a.suite("1.2.0-crash");
    await configure();
    const message = await byHand("false");
    expect(message).toMatch(new RegExp(`${a.name} · activation .*api.*\\(UNHEALTHY\\)\\. Next: correct api`));
    expect(message).not.toContain(`${b.name} · `);
    expect([await stateOf(a), await stateOf(b)]).toEqual(before);
  });
});

describe("the line of one town is cut in the middle of a pull", () => {
  test("that town ends after its attempts, the other one goes on to the new release", async () => {
    changes[a.name] = {};
    const before = await stateOf(a);
    await a.suite("1.1.0");
    await limitBandwidth(a.name, 4000);
    const failed = fails();
    await expect
      .poll(() => a.exec("sh", "-c", "pgrep -f '[d]ocker pull' || true"), { timeout: 120_000, interval: 200 })
      .not.toBe("");
    await cutSsh(a.name);
    const message = await failed;
    expect(message).toMatch(
      new RegExp(`${a.name} · delivery: .*(SSH_UNREACHABLE|SSH_TIMEOUT|IMAGE_PULL_FAILED)\\)\\. Next: `),
    );
    expect(await stateOf(a)).toEqual(before);
    expect(await releaseOf(b)).not.toBe(before.release);
  });
});

describe("the disk of one town is full", () => {
  test("that town says so; the one whose pull was cut goes on", async () => {
    await restoreSsh(a.name);
    await limitBandwidth(a.name, null);
    const before = await stateOf(b);
    await fillDisk(b.name);
    await a.suite("1.1.0", { words: { admin: "Coucou" } });
    const message = await fails();
    await freeDisk(b.name);
    expect(message).toMatch(new RegExp(`${b.name} · (delivery|activation).*(space|DISK_FULL).*Next: `));
    expect(message).not.toContain(`${a.name} · `);
    expect(await stateOf(b)).toEqual(before);
    expect(await releaseOf(a)).not.toBe(before.release);
  });
});

describe("the engine is killed while a town is activated", () => {
  test("the next run clears what it left, and both towns run the new release", async () => {
    await a.suite("1.1.0", { words: { admin: "Bonsoir" } });
    await configure();
    const killed = convergeStack(stack, () => {}).catch(() => undefined);
    await expect
      .poll(() => a.exec("sh", "-c", "pgrep -f 'server/[a]ctivate follow' || true"), {
        timeout: 120_000,
        interval: 100,
      })
      .not.toBe("");
    const endOrphans = await killEngine(join(OPERATOR, "state"), stack);
    await killed;
    const from = shown.length;
    await up();
    expect(shown.slice(from).join("\n")).toContain("is cleared, its process has died");
    expect(await releaseOf(a)).toBe(await releaseOf(b));
    endOrphans();
    const again = await up();
    expect(Object.keys(again.changes)).toEqual(["same"]);
  });
});

describe("a server is not the pinned one", () => {
  test("nothing is sent there, the other town goes on", async () => {
    const before = await stateOf(a);
    const hostKey = await changeHostKey(a.name);
    // The connection that is still open was proven with the former key.
    await a.exec("sh", "-c", "pkill sshd-session || true");
    const accepted = () =>
      a.exec("sh", "-c", "journalctl -u ssh --no-pager | grep -c 'Accepted publickey' || true");
    const logins = await accepted();
    await a.suite("1.1.0", { words: { admin: "Bonne nuit" } });
    const message = await fails();
    expect(message).toMatch(
      new RegExp(`${a.name} · delivery: .*HOST_KEY_CHANGED\\)\\. Next: if the server was`),
    );
    expect(await accepted()).toBe(logins);
    expect(await stateOf(a)).toEqual(before);
    expect(await releaseOf(b)).not.toBe(before.release);

    changes[a.name] = { ssh: { user: "ubuntu", port: 22, hostKey } };
    await up();
    expect(await releaseOf(a)).toBe(await releaseOf(b));
    expect(Object.keys(await containers(a))).toHaveLength(10);
  });
});

test("no secret was printed", async () => {
  const secrets = await Promise.all(
    [a, b].map((town) =>
      town.exec("sh", "-c", "sed -n 's/^\\(JWT_SECRET_KEY\\|DB_PASSWORD\\)=//p' /opt/geoclic/shared/env"),
    ),
  );
  const values = secrets.flatMap((text) => text.trim().split("\n"));
  expect(new Set(values).size).toBe(4);
  expect(shown.length).toBeGreaterThan(50);
  for (const value of values) expect(shown.some((line) => line.includes(value))).toBe(false);
});

async function configure(): Promise<void> {
  const entries = [a, b].map((town) => ({ ...clientEntry(town.server, town.name), ...changes[town.name] }));
  await configureStack(stack, fleetConfig(join(OPERATOR, "suite-faults-a"), entries));
}

async function up() {
  await configure();
  return convergeStack(stack, (line) => shown.push(line));
}

async function fails(): Promise<string> {
  const message = await up().then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (message === undefined) throw new Error("up succeeded, expected a failure");
  shown.push(message);
  return message;
}

async function byHand(continueOnError: string): Promise<string> {
  const words = ["up", "--yes", "--skip-preview", "--stack", stack, "--non-interactive"];
  const env = { PULUMI_CONTINUE_ON_ERROR: continueOnError };
  const result = await execa("pulumi", words, { cwd: project, env, all: true, reject: false });
  if (result.exitCode === 0) throw new Error("up succeeded, expected a failure");
  shown.push(String(result.all));
  return String(result.all);
}

/** What must not change where nothing may be done. */
async function stateOf(town: TestTown) {
  return { containers: await containers(town), release: await releaseOf(town) };
}

async function releaseOf(town: TestTown): Promise<string | undefined> {
  const { reach } = town.server;
  return shownRelease(await get({ protocol: "https", host: reach, domain: town.domain, path: releaseRoute }));
}
