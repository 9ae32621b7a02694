/**
 * Two towns in one real `pulumi up`: the real program, engine and plugins against imitated servers. One town fails at each
 * stage and the other goes on to its end; the next run does only what is missing; each test goes on where the one before
 * it ended. Not proven here: real servers (see test/lab), OVH (see order.test.ts), plugins of another kind than those installed.
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stackFile } from "../../outside/stack-file.ts";
import type { FleetError } from "../../core/errors.ts";
import { openEngine } from "../../outside/engine.ts";
import { readOutput } from "../../outside/pulumi.ts";
import { exitStatus } from "../../core/exit-status.ts";
import { convergeClients } from "../../verbs/converge-clients.ts";
import { type ImitatedFleet, type ImitatedTown, startImitatedFleet } from "../helpers/imitated-fleet.ts";

let fleet: ImitatedFleet;
let a: ImitatedTown;
let b: ImitatedTown;

beforeAll(async () => {
  fleet = await startImitatedFleet();
  [a, b] = fleet.towns;
});
afterAll(() => fleet?.close());

/** The one line by which a run tells of a client: every other line is the engine's summary. */
const causes = (message: string) =>
  message
    .replace(/^pulumi up of faults failed: |^la .*? a échoué : /, "")
    .replace(/ \(ENGINE_FAILED\)\..*$/s, "")
    .split("\n");

/** Names of what ran on a server since then. */
const since = async (town: ImitatedTown, before: readonly string[]) =>
  (await town.log())
    .slice(before.length)
    .map(
      (line) =>
        /server\/([a-z-]+(?: (?:start|follow|issue|status|prepare))?)/.exec(line)?.[1] ?? line.split(" ")[0],
    );

const serverSays = (line: string) => `echo "${line}" >&2; exit 1`;

describe("a stack that is new", () => {
  test("whose engine is killed in the middle of a first contact leaves a lock and a creation behind", async () => {
    await a.fault("sudo", "sleep 20");
    await fleet.killed(a, "LC_ALL=C sudo -n true");
    await a.fault("sudo", null);
    const { status, output } = await fleet.byHand(["up", "--yes", "--skip-preview"]);
    expect(status).not.toBe(0);
    expect(output).toMatch(/the stack is currently locked by 1 lock\(s\)/);
  });

  test("goes on by our door, which tells what it clears; a town that refuses the key ends alone", async () => {
    await a.letIn(false);
    const from = fleet.shown.length;
    const message = await fleet.fails();
    const said = fleet.shown.slice(from).join("\n");
    expect(said).toMatch(/stack faults: the lock of \S+ \(pid \d+, .*\) is cleared, its process has died/);
    expect(said).toMatch(/begun by a run that was killed, begun anew: .*ville-a-server/);
    expect(said).not.toContain("pending operations");
    expect(causes(message)).toEqual([
      expect.stringMatching(
        /^ville-a · server: root@127\.84\.0\.1:\d+ refuses the fleet's key: .*\(SSH_REFUSED\)\. Next: add the fleet's public key/,
      ),
    ]);
    expect(await b.read("release")).toMatch(/^[0-9a-f]{12}$/);
    expect(await since(b, [])).toContain("init");
    expect(await a.read("release")).toBe("");
  });

  test.each([
    ["refuses", "ACME_REFUSED", "policy forbids issuing for name"],
    ["limits", "ACME_RATE_LIMITED", "too many certificates already issued"],
    ["is down", "ACME_DOWN", "503 Service Unavailable"],
  ])("where the authority %s, that town alone ends, everything else of it is done", async (_, code, cause) => {
    await a.letIn(true);
    await a.fault(
      "issue",
      serverSays(`error ${code} [ville-a] certificate: ${cause}. Next: wait, then run again.`),
    );
    const before = await b.log();
    const message = await fleet.fails();
    expect(causes(message)).toEqual([
      `ville-a · certificate: ${cause} (${code}). Next: wait, then run again.`,
    ]);
    expect(await since(b, before)).toEqual([]);
    expect(await a.read("env")).toContain("DB_PASSWORD=");
  });

  test("after the cure the next run does only what is missing", async () => {
    await a.fault("issue", null);
    const [beforeA, beforeB, env] = [await a.log(), await b.log(), await a.read("env")];
    await fleet.up();
    expect(await since(b, beforeB)).toEqual([]);
    const did = await since(a, beforeA);
    expect(did).not.toContain("base");
    expect(did).not.toContain("write-env");
    expect(did).toEqual(expect.arrayContaining(["certificate issue", "activate start", "init", "schedules"]));
    expect(await a.read("env")).toBe(env);
    expect(await a.read("release")).toBe(await b.read("release"));
  });

  test("and the one after that does nothing", async () => {
    const [beforeA, beforeB] = [await a.log(), await b.log()];
    const { changes } = await fleet.up();
    expect(Object.keys(changes)).toEqual(["same"]);
    expect([await since(a, beforeA), await since(b, beforeB)]).toEqual([[], []]);
  });

  test("and the stack that the operator has selected stays selected", async () => {
    const pulumi = (...words: string[]) =>
      execa("pulumi", [...words, "--non-interactive"], { cwd: fleet.project, stdin: "ignore" });
    await pulumi("stack", "init", "other");
    await fleet.up();
    expect((await pulumi("stack", "--show-name")).stdout.trim()).toBe("other");
    await pulumi("stack", "select", "faults");
    await pulumi("stack", "rm", "other", "--yes");
  });
});

describe.each<[string, "rsync" | "follow", string, RegExp]>([
  [
    "a delivery that fails",
    "rsync",
    "echo 'rsync: [Receiver] mkdir failed: No space left on device (28)' >&2; exit 11",
    /^ville-a · delivery: rsync to 127\.84\.0\.1 failed with \d+: .*No space left.*\(RSYNC_FAILED\)\. Next: run again/,
  ],
  [
    "an activation that fails",
    "follow",
    serverSays(
      "error UNHEALTHY [ville-a] services: api exits with 1; the former release serves on. Next: correct api.",
    ),
    /^ville-a · activation \(services\): api exits with 1; .* \(UNHEALTHY\)\. Next: correct api\.$/,
  ],
])("%s", (name, point, script, told) => {
  test("ends that town with one error, the other one runs the new release", async () => {
    const former = await a.read("release");
    await fleet.suite({ words: { portail: name } });
    await a.fault(point, script);
    expect(causes(await fleet.fails())).toEqual([expect.stringMatching(told)]);
    expect(await a.read("release")).toBe(former);
    expect(await b.read("release")).not.toBe(former);
  });

  test("and the next run brings it to that one, nothing else", async () => {
    await a.fault(point, null);
    const before = await b.log();
    const { seconds } = await fleet.up();
    expect(await a.read("release")).toBe(await b.read("release"));
    expect(await since(b, before)).toEqual([]);
    expect([...seconds.keys()].every((resource) => resource.startsWith("ville-a-"))).toBe(true);
  });
});

describe("a server's own command that fails", () => {
  test("is told in the language of the person, with client, step and next action", async () => {
    process.env.LC_ALL = "fr_FR.UTF-8";
    await fleet.configure({ schedules: { backup: "03:00", monitorMinutes: 5 } });
    await a.fault(
      "schedules",
      serverSays("error UNIT_FAILED [ville-a] schedules: systemctl enable: no. Next: look."),
    );
    const message = await fleet.fails();
    process.env.LC_ALL = "C";
    expect(causes(message)).toEqual([
      "ville-a · schedules: systemd a refusé (systemctl enable: no) (UNIT_FAILED). " +
        "À faire : regardez `systemctl status` sur le serveur, puis relancez.",
    ]);
    await a.fault("schedules", null);
    const before = await b.log();
    await fleet.up();
    expect(await since(b, before)).toEqual([]);
  });
});

describe("a canary that fails", () => {
  test.each<[string, () => Promise<string>]>([
    ["by our door", () => fleet.fails()],
    ["by hand, others going on", async () => (await byHand("true")).output],
    ["by hand, stopping at the first error", async () => (await byHand("false")).output],
  ])("leaves the other town untouched: %s", async (_, run) => {
    const [former, before] = [await b.read("release"), await b.log()];
    await fleet.configure({}, { "ville-a": { canary: true } });
    await fleet.suite({ words: { portail: "canary" } });
    await a.fault("follow", serverSays("error UNHEALTHY [ville-a] services: api exits. Next: correct it."));
    expect(await run()).toMatch(
      /ville-a · activation \(services\): api exits \(UNHEALTHY\)\. Next: correct it\./,
    );
    expect(await since(b, before)).toEqual([]);
    expect(await b.read("release")).toBe(former);
  });

  test("once it is well both towns run the release", async () => {
    await a.fault("follow", null);
    await fleet.up();
    expect(await a.read("release")).toBe(await b.read("release"));
  });
});

describe("an engine that is killed in the middle of an update", () => {
  test("by hand goes on after `pulumi cancel`, and nothing is done twice or lost", async () => {
    const env = [await a.read("env"), await b.read("env")];
    await fleet.suite({ words: { portail: "killed" } });
    await a.fault("follow", "sleep 20");
    await fleet.killed(a, "activate follow");
    await a.fault("follow", null);
    expect((await byHand("true")).output).toMatch(/locked by 1 lock\(s\).*pulumi cancel/s);
    expect((await fleet.byHand(["cancel", "--yes"])).status).toBe(0);
    expect((await byHand("true")).status).toBe(0);
    expect(await a.read("release")).toBe(await b.read("release"));
    expect([await a.read("env"), await b.read("env")]).toEqual(env);
    const { changes } = await fleet.up();
    expect(Object.keys(changes)).toEqual(["same"]);
  });
});

describe("by the command line", () => {
  test("`update` goes in waves; a town that fails is put back, pinned and told so, the other one is done", async () => {
    await fleet.configure({}, { "ville-a": { canary: false } });
    await fleet.up();
    const former = await a.read("release");
    await fleet.suite({ words: { portail: "commande" } });
    await a.fault("follow", serverSays("error UNHEALTHY [ville-a] services: api exits. Next: correct it."));
    const ended = await command(
      "update",
      "--all",
      "--yes",
      "--skip-check",
      "--soak",
      "0",
      "--waves",
      "1",
      "--max-failures",
      "1",
    );
    await a.fault("follow", null);
    expect(ended.output).toMatch(/ville-a: failed.*api exits.*\(UNHEALTHY\)/);
    expect(ended).toMatchObject({ status: exitStatus.someClients });
    expect(await a.read("release")).toBe(former);
    expect(await b.read("release")).not.toBe(former);
    const [before, done] = [await b.log(), await command("operations", "resume")];
    expect(done, done.output).toMatchObject({ status: exitStatus.done });
    expect(await a.read("release")).toBe(await b.read("release"));
    expect(await since(b, before)).toEqual([]);
  });

  test("a town's commands are run again when they are asked for, and no other's", async () => {
    vi.stubEnv("PULUMI_OPTION_CWD", fleet.project);
    const context = {
      engine: openEngine({ stack: "faults", project: fleet.project }),
      file: await stackFile("faults", { commit: false }),
      describe: (error: FleetError) => error.message,
    };
    vi.unstubAllEnvs();
    const before = await b.log();
    await convergeClients(context, silent, { clients: ["ville-a"], isRedone: true });
    expect(silent.outcomes).toEqual([["ville-a", "done"]]);
    expect(await since(b, before)).toEqual([]);
    expect(Object.keys((await fleet.up()).changes)).toEqual(["same"]);
  });
});

test("no secret was printed, and the towns have none in common", async () => {
  const values = async (town: ImitatedTown) =>
    [...(await town.read("env")).matchAll(/^(?:JWT_SECRET_KEY|DB_PASSWORD)=(.*)$/gm)].map(
      ([, value = ""]) => value,
    );
  const passwords = Object.values((await readOutput("faults", "adminPasswords")) as Record<string, string>);
  expect(await a.read("init")).toContain(passwords[0]);
  const secrets = [...(await values(a)), ...(await values(b)), ...passwords];
  expect(new Set(secrets).size).toBe(6);
  const printed = [...fleet.shown, ...(await a.log()), ...(await b.log())].join("\n");
  expect(printed.length).toBeGreaterThan(10_000);
  for (const secret of secrets) {
    expect(secret).toMatch(/^[0-9a-f]{24,}$/);
    expect(printed.includes(secret)).toBe(false);
  }
});

test("what the fleet's state keeps of other stacks is no secret, and its secrets are where they belong", async () => {
  const text = await readFile(join(fleet.folder, "state/.pulumi/stacks/geoclic-fleet/faults.json"), "utf8");
  const { checkpoint } = JSON.parse(text) as {
    checkpoint: {
      latest: { resources: { type: string; urn: string; inputs?: unknown; outputs?: unknown }[] };
    };
  };
  // What marks a secret's ciphertext in a state.
  const secretMark = "4dabf18193072939515e22adb298388d";
  const holders = checkpoint.latest.resources.flatMap(({ type, urn, inputs, outputs }) =>
    JSON.stringify({ inputs, outputs }).includes(secretMark)
      ? [type === "pulumi:pulumi:StackReference" ? `reference ${urn.split("::").at(-1)}` : type]
      : [],
  );
  expect([...new Set(holders)].sort()).toEqual([
    "command:remote:Command",
    "geoclic:fleet:ClientServer",
    "pulumi:pulumi:Stack",
    "random:index/randomPassword:RandomPassword",
    // The stack's own outputs, under its own passphrase.
    "reference former",
  ]);
});

function byHand(continueOnError: string) {
  return fleet.byHand(["up", "--yes", "--skip-preview"], { PULUMI_CONTINUE_ON_ERROR: continueOnError });
}

async function command(...words: string[]): Promise<{ status: number; output: string }> {
  const main = resolve(import.meta.dirname, "../../cli/main.ts");
  const line = [main, "--lang", "en", ...words, "--stack", "faults"];
  const { exitCode, all } = await execa(process.execPath, line, {
    reject: false,
    all: true,
    stdin: "ignore",
    env: { PULUMI_OPTION_CWD: fleet.project },
  });
  fleet.shown.push(String(all));
  return { status: exitCode ?? -1, output: String(all) };
}

/** An operation that nobody follows. */
const silent = {
  id: "test",
  outcomes: [] as [string, string][],
  cancelled: new AbortController().signal,
  cancelFile: "/nonexistent",
  plan: () => {},
  wave: () => {},
  step: () => {},
  stepEnd: () => {},
  line: () => {},
  client(client: string, outcome: string) {
    this.outcomes.push([client, outcome]);
  },
  refuseCancelled: () => {},
};
