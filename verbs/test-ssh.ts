/** @module Tries a server's SSH connection step by step, and tells which one fails. Nothing is changed. */
import type { SshTarget } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import type { Ssh } from "../core/ports.ts";
import type { HostKey } from "../core/registry/port.ts";

export interface TestSshContext {
  /** The best of its host keys, or the one of a type `preferred`. @throws FleetError `SSH_UNREACHABLE` */
  scanHostKey(
    host: string,
    port: number,
    options: { readonly timeoutSeconds: number; readonly preferred?: string },
  ): Promise<HostKey>;
  openSsh(target: SshTarget): Promise<Ssh>;
}

export interface SshTest {
  readonly status: "ok" | "failed";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Of the host key that the server showed. */
  readonly fingerprint?: string;
  /** Whether it is the one pinned; absent where none is. */
  readonly isPinned?: boolean;
  readonly steps: readonly { readonly step: SshStep; readonly error?: FleetError }[];
}

export type SshStep = "reach" | "hostKey" | "login" | "sudo";

/** `target` without a host key: nobody has pinned one. Never throws for what the server does. */
export async function testSsh(
  context: TestSshContext,
  target: Omit<SshTarget, "hostKey"> & { readonly hostKey?: string | undefined },
  timeoutSeconds: number,
): Promise<SshTest> {
  const { client, host, port, user } = target;
  const steps: { step: SshStep; error?: FleetError }[] = [];
  let shown: HostKey | undefined;
  const pinned = target.hostKey;
  const tried =
    (await attempt("reach", async () => {
      const preferred = pinned?.split(" ")[0];
      shown = await context.scanHostKey(host, port, {
        timeoutSeconds,
        ...(preferred === undefined ? {} : { preferred }),
      });
    })) &&
    (await attempt("hostKey", async () => {
      if (pinned !== undefined && pinned !== shown?.hostKey)
        throw new FleetError("HOST_KEY_CHANGED", { host, port }, { client });
    })) &&
    (await attempt("login", async () => {
      await run(["true"]);
    })) &&
    (await attempt("sudo", async () => {
      await run(["sudo", "-n", "true"]);
    }));
  return {
    status: tried ? "ok" : "failed",
    host,
    port,
    user,
    ...(shown ? { fingerprint: shown.fingerprint } : {}),
    ...(shown && pinned ? { isPinned: steps.every(({ error }) => error?.code !== "HOST_KEY_CHANGED") } : {}),
    steps,
  };

  async function run(command: readonly [string, ...string[]]): Promise<void> {
    const ssh = await context.openSsh({ client, host, port, user, hostKey: pinned ?? shown?.hostKey ?? "" });
    await ssh.run("test-ssh", command, { timeoutSeconds });
  }

  async function attempt(step: SshStep, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      steps.push({ step });
      return true;
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      steps.push({ step, error });
      return false;
    }
  }
}
