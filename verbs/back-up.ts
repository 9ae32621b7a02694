/** @module `backup`: a backup of now on each server, at once; verified there before it counts. */

import { serverCommand } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import { backupSeconds, questionSeconds } from "../core/limits.ts";
import type { StepContext } from "../core/ports.ts";
import type { Operation } from "./operation.ts";

const step = "backup";

export interface BackUpContext extends Pick<StepContext, "openSsh"> {
  /** A failure in the reader's language. */
  describe(error: FleetError): string;
}

/** `parallel`: servers at once. A client's failure is told to the operation; the others go on. */
export async function backUp(
  context: BackUpContext,
  operation: Operation,
  targets: readonly SshTarget[],
  parallel: number,
): Promise<void> {
  operation.plan([targets.map(({ client }) => client)], {});
  const queue = [...targets];
  const worker = async () => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      operation.refuseCancelled();
      await one(target);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: parallel }, worker));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;

  async function one(target: SshTarget): Promise<void> {
    const { client } = target;
    operation.step(client, step);
    try {
      const ssh = await context.openSsh(target);
      await ssh.run(step, ["true"], { timeoutSeconds: questionSeconds });
      await ssh.run(step, serverCommand("backup", "--client", client), {
        timeoutSeconds: backupSeconds,
        onLine: (line) => operation.line(line, client),
      });
      operation.stepEnd(client, step, true);
      operation.client(client, "done");
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      operation.stepEnd(client, step, false);
      const isAway = error.code === "SSH_UNREACHABLE" || error.code === "SSH_TIMEOUT";
      operation.client(client, isAway ? "offline" : "failed", { cause: context.describe(error) });
    }
  }
}
