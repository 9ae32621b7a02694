/**
 * @module What an engine that is killed leaves on a file backend: a lock, which knows no end, and operations that it had
 * begun. Both are cleared, with a word about it, once its process has died.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { execa } from "execa";
import { z } from "zod";
import { lastLine } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";

const Lock = z.object({ pid: z.int(), username: z.string(), hostname: z.string(), timestamp: z.string() });
type Lock = z.infer<typeof Lock>;

const Operations = z.array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }));
const Kept = z.object({
  checkpoint: z.object({ latest: z.object({ pending_operations: Operations.nullish() }).nullish() }),
});

export interface StackLockOptions {
  readonly stack: string;
  /** Folder of Pulumi.yaml. */
  readonly project: string;
  /** Name of the project in Pulumi.yaml. @default geoclic-fleet */
  readonly projectName?: string;
  readonly onProgress: (line: string) => void;
}

/**
 * Clears what dead runs left behind. Nothing to do without a lock, or with another backend than files.
 * @throws FleetError `STACK_LOCKED` when a holder lives, or is on another machine; then nothing was cleared
 */
export async function clearInterrupted(options: StackLockOptions): Promise<void> {
  await clearDeadLocks(options);
  await removeEmptyAttributes(options);
  await clearPending(options);
}

/** Beside each of its files the backend keeps one of attributes, and does not write that at once: empty, it hides the state. */
async function removeEmptyAttributes({ stack, projectName = "geoclic-fleet", onProgress }: StackLockOptions) {
  const folder = backendFolder();
  if (folder === undefined) return;
  const file = `${stateFile(folder, projectName, stack)}.attrs`;
  const isEmpty = async () => (await readFile(file, "utf8").catch(() => "{}")) === "";
  if (!(await isEmpty())) return;
  // An engine that writes it at this moment has soon written it.
  await setTimeout(1000);
  if (!(await isEmpty())) return;
  await rm(file);
  onProgress(`stack ${stack}: ${file} was cut by a run that was killed, removed`);
}

export interface Interrupted {
  readonly stack: string;
  /** Whose lock it is, when its process has died. */
  readonly holder: string | undefined;
  /** Names of resources that were begun. */
  readonly pending: readonly string[];
}

/** Stacks in which a killed run left something; nothing is changed. */
export async function findInterrupted(projectName = "geoclic-fleet"): Promise<Interrupted[]> {
  const folder = backendFolder();
  if (folder === undefined) return [];
  const files = await readdir(join(folder, ".pulumi/stacks", projectName)).catch(() => []);
  const stacks = new Set(files.flatMap((file) => /^(.+)\.json(\.gz)?$/.exec(file)?.[1] ?? []));
  const found = await Promise.all(
    [...stacks].map(async (stack) => {
      const locks = await readLocks(projectName, stack);
      const dead = await Promise.all(locks.map(async ({ lock }) => ((await isDead(lock)) ? [lock] : [])));
      const [lock] = dead.flat();
      const isHeld = locks.length > dead.flat().length;
      const pending = isHeld ? [] : (await readPending(projectName, stack)).map(nameOf);
      return { stack, holder: lock && holderOf(lock), pending };
    }),
  );
  return found.filter(({ holder, pending }) => holder !== undefined || pending.length > 0);
}

async function clearDeadLocks({ stack, projectName = "geoclic-fleet", onProgress }: StackLockOptions) {
  const locks = await readLocks(projectName, stack);
  for (const { lock } of locks)
    if (!(await isDead(lock))) throw new FleetError("STACK_LOCKED", { stack, holder: holderOf(lock) });
  for (const { lock, file } of locks) {
    onProgress(`stack ${stack}: the lock of ${holderOf(lock)} is cleared, its process has died`);
    // Not `pulumi cancel`: it would take along the lock of somebody who begins now.
    for (const each of [file, `${file}.attrs`]) await rm(each, { force: true });
  }
}

/**
 * Creations that were begun: the engine warns of them for ever, since it cannot know what became of them. Every resource of
 * ours is made anew by being made again (commands repeat, records are looked up first), so they are begun anew. What else
 * is pending the engine forgets by itself.
 */
async function clearPending({ stack, project, projectName = "geoclic-fleet", onProgress }: StackLockOptions) {
  const pending = await readPending(projectName, stack);
  if (pending.length === 0) return;
  const text = await pulumi(["stack", "export"]);
  const state = JSON.parse(text) as { deployment: { pending_operations?: unknown } };
  const { pending_operations: _, ...deployment } = state.deployment;
  // Between the two words nobody holds the stack: what somebody has begun or written since must not be overwritten.
  const locks = await readLocks(projectName, stack);
  const [holder] = locks.map(({ lock }) => holderOf(lock));
  if (holder !== undefined) throw new FleetError("STACK_LOCKED", { stack, holder });
  if ((await pulumi(["stack", "export"])) !== text)
    throw new FleetError("STACK_LOCKED", { stack, holder: "a run that ended just now" });
  await pulumi(["stack", "import"], JSON.stringify({ ...state, deployment }));
  const names = pending.map(nameOf).join(", ");
  onProgress(`stack ${stack}: begun by a run that was killed, begun anew: ${names}`);

  async function pulumi(words: readonly string[], input?: string): Promise<string> {
    const result = await execa("pulumi", [...words, "--stack", stack, "--non-interactive"], {
      cwd: project,
      reject: false,
      stripFinalNewline: false,
      ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    });
    if (result.exitCode === 0) return String(result.stdout);
    const cause = lastLine(String(result.stderr));
    throw new FleetError("ENGINE_FAILED", { verb: words.join(" "), stack, cause });
  }
}

/** Resources whose creation was begun and not ended. */
async function readPending(projectName: string, stack: string): Promise<string[]> {
  const folder = backendFolder();
  if (folder === undefined) return [];
  const file = stateFile(folder, projectName, stack);
  const text = await readFile(file, "utf8")
    .catch(async () => gunzipSync(await readFile(`${file}.gz`)).toString())
    .catch(() => "");
  // The engine reads the same file and tells what is wrong with it.
  const parsed = Kept.safeParse(attempt(text));
  if (!parsed.success) return [];
  const operations = parsed.data.checkpoint.latest?.pending_operations ?? [];
  return operations.filter(({ type }) => type === "creating").map(({ resource }) => resource.urn);
}

async function readLocks(projectName: string, stack: string): Promise<{ lock: Lock; file: string }[]> {
  const backend = backendFolder();
  if (backend === undefined) return [];
  const folder = join(backend, ".pulumi/locks/organization", projectName, baseName(stack));
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json"));
  const locks = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const text = await readFile(file, "utf8").catch(() => "");
      return { file, parsed: Lock.safeParse(attempt(text)) };
    }),
  );
  // A lock that is gone meanwhile, or half written by somebody who begins, is the engine's own matter.
  return locks.flatMap(({ file, parsed }) => (parsed.success ? [{ file, lock: parsed.data }] : []));
}

function backendFolder(): string | undefined {
  const backend = process.env.PULUMI_BACKEND_URL ?? "";
  if (!backend.startsWith("file://")) return undefined;
  if (/^file:\/\/~(\/|$)/.test(backend)) return join(homedir(), backend.slice("file://~".length));
  return backend.startsWith("file:///") ? fileURLToPath(backend) : backend.slice("file://".length);
}

function stateFile(backend: string, projectName: string, stack: string): string {
  return join(backend, ".pulumi/stacks", projectName, `${baseName(stack)}.json`);
}

function baseName(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

function holderOf({ pid, username, hostname: host, timestamp }: Lock): string {
  return `${username}@${host} (pid ${pid}, ${timestamp.slice(0, 19)})`;
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

/** Of another machine nobody here can tell. */
async function isDead(lock: Lock): Promise<boolean> {
  return lock.hostname === hostname() && !(await isAlive(lock));
}

function attempt(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function isAlive({ pid }: Lock): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process lives too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  // Its number may have been given to another program since, after a reboot above all.
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "pulumi");
  return name.trim().startsWith("pulumi");
}
