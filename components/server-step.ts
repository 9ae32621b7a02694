/** @module A step of a client on its server: one remote command of the server's tool set. */
import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { serverCommand, toShell } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import { connectSeconds } from "../core/limits.ts";
import { childName } from "../core/naming.ts";

export interface ServerStepArgs {
  readonly target: SshTarget;
  /** Command of assets/server, e.g. `base`. */
  readonly command: string;
  readonly options: readonly string[];
  /** Hash of the scripts: a new one runs the command again. */
  readonly scripts: string;
  /** Secret text for the command's standard input. */
  readonly stdin?: pulumi.Input<string>;
}

export function serverStep(
  name: string,
  role: string,
  args: ServerStepArgs,
  opts: pulumi.CustomResourceOptions,
): remote.Command {
  const { target, stdin } = args;
  const line = toShell(
    serverCommand(args.command, "--client", target.client, ...args.options, "--expect", args.scripts),
  );
  return new remote.Command(
    childName(name, role),
    {
      connection: {
        host: target.host,
        port: target.port,
        user: target.user,
        hostKey: target.hostKey,
        dialErrorLimit: 4,
        perDialTimeout: connectSeconds,
      },
      create: line,
      update: line,
      addPreviousOutputInEnv: false,
      ...(stdin === undefined ? {} : { stdin: pulumi.secret(stdin), logging: remote.Logging.None }),
    },
    stdin === undefined
      ? opts
      : pulumi.mergeOptions(opts, { additionalSecretOutputs: ["stdin", "stdout", "stderr"] }),
  );
}
