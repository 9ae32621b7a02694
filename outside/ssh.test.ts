/** A way back through the connection that is never given. Not proven here: one that is (see test/peers/delivery.test.ts). */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openSsh } from "./ssh.ts";

const target = { client: "ville", host: "127.0.0.1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-ssh-"));
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

/** Connections by an `ssh` of our own, found where PATH says. */
function connection() {
  return openSsh(target, { PATH: folder, HOME: folder, GEOCLIC_HOME: folder, SSH_AUTH_SOCK: "/none" });
}

async function imitateSsh(script: string): Promise<void> {
  await writeFile(join(folder, "ssh"), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, "ssh"), 0o755);
}

describe("a forward", () => {
  test("that no port is given to fails after a minute, and leaves no process", async () => {
    const pid = join(folder, "pid");
    await imitateSsh(`echo $$ >${pid}; exec /bin/sleep 600`);
    const ssh = await connection();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const ended = ssh.forward("delivery", 5000).then(
      () => "a port",
      (error: Error) => error,
    );
    await vi.waitFor(async () => expect(await readFile(pid, "utf8")).toMatch(/\d\n/), { timeout: 20_000 });
    const process_ = Number(await readFile(pid, "utf8"));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(await Promise.race([ended, Promise.resolve("waits")])).toBe("waits");
    expect(isAlive(process_)).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    vi.useRealTimers();
    expect(await ended).toMatchObject({
      code: "SSH_UNREACHABLE",
      place: { client: "ville", step: "delivery" },
      values: { cause: "no port was allocated within 60 s" },
    });
    expect(isAlive(process_)).toBe(false);
  });

  test("whose ssh ends, or cannot be started, fails with what was said", async () => {
    await imitateSsh("echo 'remote port forwarding failed' >&2; exit 255");
    await expect((await connection()).forward("delivery", 5000)).rejects.toThrow(
      "remote port forwarding failed",
    );
    await rm(join(folder, "ssh"));
    await expect((await connection()).forward("delivery", 5000)).rejects.toThrow("ENOENT");
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
