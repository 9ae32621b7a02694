/** @module A private PostgreSQL of Debian's packages, on a Unix socket in a folder of its own, never as root. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";

export interface PostgresServer {
  /** A new, empty database. @returns its address */
  database(): Promise<string>;
  /** As a crash ends it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-pg-"));
  const bin = await programs();
  const user = await unprivileged();
  if (user) await chown(folder, user.uid, user.gid);
  const as = user ? ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"] : [];
  const data = join(folder, "data");
  const run = async (...words: readonly string[]) => {
    const [program = "", ...rest] = [...as, ...words];
    await execa(program, rest, { cwd: folder });
  };
  await run(join(bin, "initdb"), "-D", data, "-U", "fleet", "-A", "trust", "-E", "UTF8", "--no-sync");
  let server: ChildProcess;
  let count = 0;
  await start();
  return { database, kill, start, stop };

  async function start(): Promise<void> {
    const [program = "", ...words] = [...as, join(bin, "postgres"), "-D", data, "-k", folder, "-h", ""];
    server = spawn(program, words, { cwd: folder, stdio: "ignore" });
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const isReady = await execa(join(bin, "pg_isready"), ["-h", folder, "-U", "fleet"], { reject: false });
      if (isReady.exitCode === 0) return;
      await setTimeout(100);
    }
    throw new Error("PostgreSQL does not answer");
  }

  async function database(): Promise<string> {
    count += 1;
    await run(join(bin, "createdb"), "-h", folder, "-U", "fleet", `store${count}`);
    return `postgres://fleet@localhost/store${count}?host=${encodeURIComponent(folder)}`;
  }

  async function kill(): Promise<void> {
    await end("SIGQUIT");
  }

  async function stop(): Promise<void> {
    await end("SIGINT");
    await rm(folder, { recursive: true, force: true });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, "exit");
  }
}

async function programs(): Promise<string> {
  const folder = "/usr/lib/postgresql";
  const versions = await readdir(folder).catch(() => []);
  const [newest] = versions.toSorted((a, b) => Number(b) - Number(a));
  if (newest === undefined) throw new Error("PostgreSQL is missing: apt-get install postgresql");
  return join(folder, newest, "bin");
}

/** PostgreSQL refuses to run as root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await execa("id", [flag, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}
