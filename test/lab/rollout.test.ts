/**
 * Five towns of the lab, updated by the command line as anybody would: waves, a town that is offline, one that fails, a
 * command that is killed, two at once, cancelled. Each test goes on where the one before it ended.
 * Not proven here: that no request fails meanwhile (see seamless.test.ts); hundreds of towns (see bench).
 */
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { operationJournals } from "../../outside/operation-journals.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { exitStatus } from "../../core/exit-status.ts";
import { shownRelease } from "../../core/health.ts";
import { releaseRoute } from "../../core/naming.ts";
import { cutSsh, restoreSsh } from "../../lab/faults.ts";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { configureStack, convergeStack } from "../../lab/operator.ts";
import { removeServer } from "../../lab/server.ts";
import { clientEntry } from "../../lab/town.ts";
import { containers, type TestTown, testTown } from "./town.ts";

const stack = "vagues";
const names = ["vague-a", "vague-b", "vague-c", "vague-d", "vague-e"] as const;
const others = names.slice(1);
const cli = resolve(import.meta.dirname, "../../cli/main.ts");

let towns: TestTown[];
let [a, b, c, d, e]: TestTown[] = [];
let former = "";

beforeAll(async () => {
  towns = [];
  for (const name of names) towns.push(await testTown(name, name, 5000));
  [a, b, c, d, e] = towns;
  await town(a).suite("1.0.0");
  const entries = towns.map(({ server, name }, index) => ({
    ...clientEntry(server, name),
    ...(index === 0 ? { canary: true } : {}),
  }));
  await configureStack(stack, fleetConfig(join(OPERATOR, "suite-vague-a"), entries));
  await convergeStack(stack, () => {});
  former = (await releaseOf(town(a))) ?? "";
});

afterAll(async () => {
  await Promise.all(names.map(removeServer));
});

describe("waves with one town offline and one that fails", () => {
  let next = "";

  test("stop when too many fail; what was reached runs the release, the rest what it ran", async () => {
    await town(a).suite("1.1.0");
    await cutSsh(town(d).name);
    // Without a certificate nothing is activated; the monitor would put it back.
    await town(c).exec("systemctl", "stop", "geoclic-monitor.timer");
    await town(c).exec("mv", "/opt/geoclic/shared/tls/fullchain.pem", "/root/");
    const ended = await fleet(
      "update",
      "--all",
      "--yes",
      "--waves",
      "2",
      "--soak",
      "3",
      "--max-failures",
      "0",
    );
    expect(ended, ended.said).toMatchObject({ exitCode: exitStatus.someClients });
    expect(ended.said).toContain("THRESHOLD_PASSED");
    expect(ended.said).toMatch(/vague-c.*CERTIFICATE_MISSING/);
    next = (await releaseOf(town(a))) ?? "";
    expect(next).not.toBe(former);
    expect(await running()).toEqual([next, next, former, former, former]);
    expect(await pins()).toEqual([next, next, former, former, former]);
    expect(await outcomes()).toEqual({
      ...{ "vague-a": "done", "vague-b": "done", "vague-c": "failed" },
      ...{ "vague-d": "skipped", "vague-e": "skipped" },
    });
  });

  test("go on with `operations resume`, which skips the one offline and tells so", async () => {
    await town(c).exec("mv", "/root/fullchain.pem", "/opt/geoclic/shared/tls/");
    await town(c).exec("systemctl", "start", "geoclic-monitor.timer");
    const ended = await fleet("operations", "resume");
    expect(ended, ended.said).toMatchObject({ exitCode: exitStatus.unreachable });
    expect(ended.said).toContain("vague-d");
    expect(await running()).toEqual([next, next, next, former, next]);
    expect(await pins()).toEqual([next, next, next, former, next]);
  });

  test("catch the offline one up later, and touch no other", async () => {
    await restoreSsh(town(d).name);
    const before = await Promise.all([a, b, c, e].map((each) => containers(town(each))));
    const ended = await fleet("update", "--all", "--yes", "--soak", "0");
    expect(ended, ended.said).toMatchObject({ exitCode: exitStatus.done });
    expect(await running()).toEqual(names.map(() => next));
    expect(await Promise.all([a, b, c, e].map((each) => containers(town(each))))).toEqual(before);
    // One release for all is the stack's, which new towns follow.
    const config = await (await stackFile(stack, { commit: false })).read();
    expect(config.release).toBe(next);
    expect(config.clients.map(({ release }) => release)).toEqual(names.map(() => undefined));
    expect(await successes(next)).toEqual([1, 1, 1, 1, 1]);
  });

  test("`preview` says that nothing would change, `update` that there is nothing to do", async () => {
    expect(await fleet("preview")).toMatchObject({ exitCode: exitStatus.done });
    expect(await fleet("update", "--all", "--only-outdated", "--yes")).toMatchObject({ exitCode: 0 });
  });
});

describe("a command that is killed in mid-wave", () => {
  test("is gone on with, others wait or are refused meanwhile; each town is at the release, none was updated twice", async () => {
    await town(a).suite("1.1.0", { words: { admin: "Coucou" } });
    const killed = start("update", "--all", "--yes", "--waves", "100%", "--soak", "0");
    await following(town(c));
    killed.kill("SIGKILL");
    await killed;
    // What a server has begun it ends, whoever asked for it.
    await expect.poll(activating, { timeout: 180_000 }).toEqual([]);
    const release = (await releaseOf(town(a))) ?? "";
    const served = await running();
    const done = towns.filter((_, index) => served[index] === release);
    const before = await Promise.all(done.map(containers));
    const listed = await fleet("operations", "list", "--json");
    expect(JSON.parse(listed.out)[0]).toMatchObject({ verb: "update", state: "interrupted" });

    const resumed = start("operations", "resume");
    await expect
      .poll(newest, { timeout: 60_000 })
      .toMatchObject({ state: "running", waves: [["vague-a"], others] });
    const refused = await fleet("update", "--client", "vague-b", "--yes", "--no-wait");
    expect(refused, refused.said).toMatchObject({ exitCode: exitStatus.locked });
    expect(refused.said).toMatch(/OPERATION_LOCKED/);
    const second = await fleet("update", "--all", "--yes", "--soak", "0");
    expect(second, second.said).toMatchObject({ exitCode: exitStatus.done });
    expect(second.said).toMatch(/waits for update \S+ of .* \(process \d+/);
    expect(await resumed).toMatchObject({ exitCode: exitStatus.done });
    expect(await running()).toEqual(names.map(() => release));
    expect(await Promise.all(done.map(containers))).toEqual(before);
  });
});

describe("one town alone", () => {
  test("`--services` replaces only what is named", async () => {
    await town(a).suite("1.1.0", { words: { portail: "Salut", admin: "Hello" } });
    const before = await containers(town(b));
    const ended = await fleet("update", "--client", "vague-b", "--services", "portail", "--yes");
    expect(ended, ended.said).toMatchObject({ exitCode: exitStatus.done });
    const after = await containers(town(b));
    const replaced = Object.keys(before).filter((service) => before[service] !== after[service]);
    expect(replaced).toEqual(["portail"]);
  });

  test("`rollback` returns it to the release before, without an id", async () => {
    const [release] = await running();
    const ended = await fleet("rollback", "--client", "vague-b", "--yes");
    expect(ended, ended.said).toMatchObject({ exitCode: exitStatus.done });
    expect(await releaseOf(town(b))).toBe(release);
    expect(await fleet("preview")).toMatchObject({ exitCode: exitStatus.done });
  });

  test("Ctrl-C in the middle undoes what was begun; the town serves its former release", async () => {
    await town(a).suite("1.1.0", { words: { sig: "Salut", terrain: "Salut" } });
    const [release] = await running();
    const begun = start("update", "--client", "vague-b", "--yes", "--skip-check");
    await following(town(b));
    begun.kill("SIGINT");
    expect(await begun).toMatchObject({ exitCode: exitStatus.cancelled });
    expect(await releaseOf(town(b))).toBe(release);
    expect(await pins()).toEqual(names.map(() => release));
    expect(await town(b).exec("sh", "-c", "pgrep -f 'server/[a]ctivate' || true")).toBe("");
    expect(await outcomes()).toEqual({ "vague-b": "cancelled" });
  });
});

describe("a release that crashes at its start", () => {
  test("is stopped by the check on this machine: no town hears of it", async () => {
    await town(a).suite("1.2.0-crash");
    const before = await Promise.all(towns.map(containers));
    const ended = await fleet("update", "--all", "--yes");
    expect(ended, ended.said).toMatchObject({ exitCode: exitStatus.failed });
    expect(ended.said).toMatch(/api is .*on purpose.*RELEASE_CHECK_FAILED/);
    expect(await Promise.all(towns.map(containers))).toEqual(before);
  });
});

function town(one: TestTown | undefined): TestTown {
  if (!one) throw new Error("the town was not made");
  return one;
}

function start(...words: string[]) {
  return execa(process.execPath, [cli, "--lang", "en", ...words, "--stack", stack], {
    reject: false,
    all: true,
    stdin: "ignore",
  });
}

async function fleet(...words: string[]): Promise<{ exitCode: number; out: string; said: string }> {
  const { exitCode, stdout, all } = await start(...words);
  return { exitCode: exitCode ?? -1, out: String(stdout), said: String(all) };
}

/** Once a town's activation is followed. */
async function following(one: TestTown): Promise<void> {
  await expect
    .poll(() => one.exec("sh", "-c", "pgrep -f 'server/[a]ctivate follow' || true"), {
      timeout: 180_000,
      interval: 100,
    })
    .not.toBe("");
  await setTimeout(300);
}

function running(): Promise<(string | undefined)[]> {
  return Promise.all(towns.map(releaseOf));
}

/** What the stack file says that each town runs. */
async function pins(): Promise<(string | undefined)[]> {
  const { release, clients } = await (await stackFile(stack, { commit: false })).read();
  return clients.map((client) => client.release ?? release);
}

async function newest() {
  return (await operationJournals(OPERATOR, stack).list())[0];
}

/** Of the newest operation. */
async function outcomes(): Promise<Record<string, string>> {
  const operation = await newest();
  return Object.fromEntries(
    (operation?.clients ?? []).flatMap(({ client, outcome }) => (outcome ? [[client, outcome]] : [])),
  );
}

/** The towns on which an activation goes on. */
async function activating(): Promise<string[]> {
  const states = await Promise.all(
    towns.map((one) => one.exec("sh", "-c", "systemctl is-active geoclic-activate || true")),
  );
  return names.filter((_, index) => /^(active|activating)/.test(states[index] ?? ""));
}

/** How often each town activated a release with success, by its own account. */
async function successes(release: string): Promise<number[]> {
  const texts = await Promise.all(
    towns.map((one) =>
      one.exec("sh", "-c", "cat /opt/geoclic/shared/state/activations.jsonl 2>/dev/null || true"),
    ),
  );
  return texts.map(
    (text) =>
      text.split("\n").filter((line) => line.includes(release) && line.includes('"succeeded"')).length,
  );
}

async function releaseOf({ server, domain }: TestTown): Promise<string | undefined> {
  return shownRelease(
    await get({ protocol: "https", host: server.reach, domain, path: releaseRoute, timeoutSeconds: 10 }),
  );
}
