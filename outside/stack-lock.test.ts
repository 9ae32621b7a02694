/** What dead, living and distant holders leave. Not proven: what the engine leaves when it is killed (see test/peers, test/lab). */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clearInterrupted, findInterrupted } from "./stack-lock.ts";

let folder: string;
let said: string[];
let engine: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-lock-"));
  said = [];
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${folder}`);
  await mkdir(join(folder, ".pulumi/locks/organization/geoclic-fleet/lab"), { recursive: true });
  await mkdir(join(folder, ".pulumi/stacks/geoclic-fleet"), { recursive: true });
  // Stands in for the engine's own command.
  const script = `#!/bin/sh
echo "$@" >> ${folder}/called
case $2 in export) cat ${folder}/exported ;; import) cat > ${folder}/imported ;; esac`;
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin/pulumi"), script, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}/bin:${process.env.PATH}`);
});
afterEach(async () => {
  engine?.kill();
  engine = undefined;
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const locks = () => readdir(join(folder, ".pulumi/locks/organization/geoclic-fleet/lab"));
const lock = (content: string, name = "a") =>
  writeFile(join(folder, `.pulumi/locks/organization/geoclic-fleet/lab/${name}.json`), content);
const held = (pid: number, host = hostname(), name = "a") =>
  lock(JSON.stringify({ pid, username: "root", hostname: host, timestamp: "2026-11-23T08:00:00.5Z" }), name);
const clear = () =>
  clearInterrupted({ stack: "lab", project: folder, onProgress: (line) => said.push(line) });
const called = () => readFile(join(folder, "called"), "utf8").catch(() => "");
/** No process has it: beyond what Linux gives out. */
const nobody = 4_194_305;

/** A process of the engine's name. */
async function living(): Promise<number> {
  await copyFile("/bin/sleep", join(folder, "bin/pulumi-engine"));
  await writeFile(join(folder, "bin/pulumi-engine"), "", { flag: "a", mode: 0o755 });
  engine = spawn(join(folder, "bin/pulumi-engine"), ["60"], { stdio: "ignore" });
  await new Promise((resolve) => engine?.once("spawn", resolve));
  return engine.pid ?? 0;
}

describe("a lock", () => {
  test.each([
    ["of a process that died", nobody],
    ["whose number another program has now", process.pid],
  ])("%s is cleared, with a word about it", async (_, pid) => {
    await held(pid);
    await clear();
    expect(said).toEqual([
      `stack lab: the lock of root@${hostname()} (pid ${pid}, 2026-11-23T08:00:00) is cleared, its process has died`,
    ]);
    expect(await locks()).toEqual([]);
  });

  test.each<[string, () => Promise<void>]>([
    ["of an engine that lives", async () => held(await living())],
    ["of another machine", () => held(nobody, "another-machine")],
    [
      "of an engine that lives, beside one of a dead process",
      async () => {
        await held(nobody);
        await held(await living(), hostname(), "b");
      },
    ],
  ])("%s is respected, its holder named, and nothing is cleared", async (_, make) => {
    await make();
    const before = await locks();
    await expect(clear()).rejects.toThrow(/by root@\S+ \(pid \d+, .*STACK_LOCKED.*Next: wait/);
    expect(said).toEqual([]);
    expect(await locks()).toEqual(before);
  });

  test.each<[string, () => Promise<void>]>([
    ["that is not there", async () => {}],
    ["half written", () => lock('{"pid":')],
  ])("%s is nothing to do", async (_, make) => {
    await make();
    const before = await locks();
    await clear();
    expect(said).toEqual([]);
    expect(await locks()).toEqual(before);
  });

  test("of a backend of another kind is left alone", async () => {
    await held(nobody);
    vi.stubEnv("PULUMI_BACKEND_URL", "postgres://x");
    await clear();
    expect(said).toEqual([]);
    expect(await locks()).toHaveLength(1);
  });
});

test("attributes of a state that were cut are removed, others stay", async () => {
  const file = join(folder, ".pulumi/stacks/geoclic-fleet/lab.json.attrs");
  await writeFile(file, "");
  await clear();
  expect(said).toEqual([`stack lab: ${file} was cut by a run that was killed, removed`]);
  await writeFile(file, "{}");
  await clear();
  expect(await readFile(file, "utf8")).toBe("{}");
});

describe("operations that were begun", () => {
  const urn = "urn:pulumi:lab::geoclic-fleet::geoclic:fleet:ClientServer$command:local:Command::ville-server";
  const operation = (type: string) => ({ type, resource: { urn, type: "command:local:Command" } });
  const deployment = { manifest: { time: "x" }, resources: [{ urn: "u", inputs: { secret: "cipher" } }] };
  const kept = (operations: unknown) =>
    JSON.stringify({ version: 3, checkpoint: { latest: { ...deployment, pending_operations: operations } } });
  const file = () => join(folder, ".pulumi/stacks/geoclic-fleet/lab.json");

  test.each([
    ["", (text: string) => text],
    [".gz", (text: string) => gzipSync(text)],
  ])("are taken out of the state, all else stays as it is (%s)", async (end, encode) => {
    await writeFile(`${file()}${end}`, encode(kept([operation("creating")])));
    const exported = {
      version: 3,
      deployment: { ...deployment, pending_operations: [operation("creating")] },
    };
    await writeFile(join(folder, "exported"), JSON.stringify(exported));
    await clear();
    expect(JSON.parse(await readFile(join(folder, "imported"), "utf8"))).toEqual({ version: 3, deployment });
    expect(await called()).toBe(
      `${"stack export --stack lab --non-interactive\n".repeat(2)}stack import --stack lab --non-interactive\n`,
    );
    expect(said).toEqual(["stack lab: begun by a run that was killed, begun anew: ville-server"]);
  });

  test.each([
    [
      "somebody has begun since",
      () =>
        `printf '{"pid":1,"username":"u","hostname":"elsewhere","timestamp":"t"}' > ${folder}/.pulumi/locks/organization/geoclic-fleet/lab/b.json`,
    ],
    ["somebody has written since", () => `echo >> ${folder}/exported`],
  ])("are left alone when %s the state was read", async (_, meanwhile) => {
    await writeFile(file(), kept([operation("creating")]));
    await writeFile(join(folder, "exported"), JSON.stringify({ version: 3, deployment }));
    const script = `#!/bin/sh
case $2 in export) cat ${folder}/exported; ${meanwhile()} ;; import) touch ${folder}/imported ;; esac`;
    await writeFile(join(folder, "bin/pulumi"), script, { mode: 0o755 });
    await expect(clear()).rejects.toThrow("STACK_LOCKED");
    expect(await readFile(join(folder, "imported"), "utf8").catch(() => "none")).toBe("none");
  });

  test("in a backend below one's home are found", async () => {
    await writeFile(file(), kept([operation("creating")]));
    vi.stubEnv("HOME", folder);
    vi.stubEnv("PULUMI_BACKEND_URL", "file://~");
    expect(await findInterrupted()).toEqual([{ stack: "lab", holder: undefined, pending: ["ville-server"] }]);
  });

  test.each([
    ["updates, which the engine forgets by itself", kept([operation("updating")])],
    ["none", kept(undefined)],
    ["a stack that is new", '{"version":3,"checkpoint":{"latest":null}}'],
    ["a state that cannot be read", "{"],
  ])("are left alone: %s", async (_, text) => {
    await writeFile(file(), text);
    await clear();
    expect(await called()).toBe("");
    expect(said).toEqual([]);
  });

  test("are left alone while somebody holds the lock", async () => {
    await writeFile(file(), kept([operation("creating")]));
    await held(nobody, "another-machine");
    await expect(clear()).rejects.toThrow("STACK_LOCKED");
    expect(await called()).toBe("");
  });

  test("and dead locks are found by stack, nothing is changed", async () => {
    await writeFile(file(), kept([operation("creating")]));
    await held(nobody);
    const holder = `root@${hostname()} (pid ${nobody}, 2026-11-23T08:00:00)`;
    expect(await findInterrupted()).toEqual([{ stack: "lab", holder, pending: ["ville-server"] }]);
    expect(await locks()).toHaveLength(1);
    await held(await living());
    expect(await findInterrupted()).toEqual([]);
    expect(await called()).toBe("");
  });

  test("fail with the engine's own words", async () => {
    await writeFile(file(), kept([operation("creating")]));
    await writeFile(join(folder, "bin/pulumi"), "#!/bin/sh\necho 'error: no passphrase' >&2; exit 1", {
      mode: 0o755,
    });
    await expect(clear()).rejects.toThrow("pulumi stack export of lab failed: error: no passphrase");
  });
});
