/**
 * @module `retire`: ends a town. Its last backup comes home first, its declaration goes last; killed anywhere, the next
 * run goes on. Nothing is deleted on the server; only the end of its contract takes the disk, and that is asked twice.
 */

import type { Command } from "../../core/commands/shell.ts";
import { serverCommand } from "../../core/commands/shell.ts";
import { isShutOut, type SshTarget } from "../../core/commands/ssh.ts";
import type { ClientConfig } from "../../core/config/stack.ts";
import { targetOf } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { removeKeys } from "../../core/keys/authorized-keys.ts";
import { commandSeconds, questionSeconds } from "../../core/limits.ts";
import type { TextKey, Values } from "../../core/messages/catalogue.ts";
import type { Ovh } from "../../core/ovh/port.ts";
import type { Ssh } from "../../core/ports.ts";
import { sendBackup } from "../../core/registry/commands.ts";
import type { RetirementJournal, StackFile } from "../../core/registry/port.ts";
import {
  Export,
  type Retirement,
  type RetirementEvent,
  retirementOf,
} from "../../core/registry/retirement.ts";
import { shownName } from "../../core/rollout/choice.ts";
import { endContract, terminationRights } from "./end-contract.ts";

export interface RetireContext {
  readonly file: StackFile;
  readonly journal: RetirementJournal;
  /** Whether the client's name was typed. */
  confirm(name: string): Promise<boolean>;
  /** Whether the service's name was typed: its contract ends, and its disk with it. */
  confirmEnd(serviceName: string): Promise<boolean>;
  /** Whether the client's name was typed once more, by somebody who read what was seen of its server. */
  confirmGone(name: string, observed: string): Promise<boolean>;
  /** What the town answers over HTTPS, if it answers at all; otherwise why not. For messages. */
  seen(client: ClientConfig): Promise<{ readonly answers: boolean; readonly said: string }>;
  openSsh(target: SshTarget): Promise<Ssh>;
  /** Sends the scripts that the client's release brings, so that the server knows how to retire. */
  installScripts(client: ClientConfig, ssh: Ssh): Promise<void>;
  /** Writes what a command prints into a file of the journal's folder. */
  download(
    target: SshTarget,
    command: Command,
    file: string,
  ): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Public keys of the fleet, `type base64`. */
  fleetKeys(): Promise<string[]>;
  /** Lets the engine delete what is left of the client in the state. */
  unprotect(client: string): Promise<void>;
  /** Runs the engine on the stack. */
  converge(): Promise<void>;
  /** Whether the state still holds something of the client. */
  isInState(client: string): Promise<boolean>;
  openOvh(): Promise<Ovh>;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** A failure in the reader's language. */
  describe(error: FleetError): string;
  tell(key: TextKey, values?: Values): void;
}

export interface RetireRequest {
  readonly name: string;
  /** Go on without a last backup where the server is gone, or never ran a release. */
  readonly withoutBackup?: boolean;
  /** Run the engine at the end. */
  readonly up: boolean;
  readonly endContract?: boolean;
  /** Token of OVH's mail. */
  readonly token?: string;
}

const step = "retire";
const hours = 3600;
/** How long a server that is not reached is tried: a network's trouble passes, a server that is gone stays so. */
const tries = 20;
const trySeconds = 15;

/** @throws FleetError `CLIENT_UNKNOWN`, `NOT_CONFIRMED`, `BACKUP_DAMAGED`, `NO_CONTRACT`, of the server, of git, of OVH, of the engine */
export async function retireClient(context: RetireContext, request: RetireRequest): Promise<void> {
  try {
    await run(context, request);
  } catch (error) {
    throw error instanceof FleetError ? error.at({ client: request.name, step }) : error;
  }
}

async function run(context: RetireContext, request: RetireRequest): Promise<void> {
  const { file, journal, tell } = context;
  const { name } = request;
  const { clients } = await file.read();
  const client = clients.find((each) => each.name === name);
  await begin();
  const { started } = await progress();
  const ovh = request.endContract ? await readyToEnd(started.serviceName) : undefined;

  if (client) {
    await empty(context, request, client, progress);
    await context.unprotect(name);
    await file.edit((editor) => {
      editor.clients.remove(name);
      // Others may have been retired since this began.
      editor.setValue("retired", [
        ...((editor.value("retired") as readonly unknown[] | undefined) ?? []),
        { name, on: new Date(context.now()).toISOString().slice(0, 10) },
      ]);
      editor.deleteSecrets(name);
    }, `Retire ${name} (${client.domain})`);
  }
  if (!(await progress()).isUndeclared) await write({ event: "undeclared" });
  await converge();
  if (ovh && !(await progress()).isTerminated)
    await endContract(context, ovh, await progress(), request.token);
  tell("retire.done", { client: name, folder: journal.folder });

  async function progress(): Promise<Retirement> {
    const found = retirementOf(await journal.read());
    if (found) return found;
    throw new RangeError("the retirement's start was not written");
  }

  async function write(event: RetirementEvent): Promise<void> {
    await journal.write(event);
  }

  /** A client that is declared after its retirement is another one of that name. */
  async function begin(): Promise<void> {
    if (client) await file.checkEditable();
    const former = retirementOf(await journal.read());
    if (former && !(client && former.isUndeclared)) {
      if (former.started.stack !== file.stack)
        throw new FleetError("RETIRED_ELSEWHERE", { stack: former.started.stack });
      return tell("retire.resumes", { client: name, since: former.started.time });
    }
    if (!client)
      throw new FleetError("CLIENT_UNKNOWN", {
        name: shownName(name),
        file: file.path,
        known: clients.map((each) => each.name).join(", ") || "-",
      });
    tell("retire.plan", { client: name, domain: client.domain, folder: journal.folder });
    if (!(await context.confirm(name))) throw new FleetError("NOT_CONFIRMED");
    await write({
      event: "started",
      stack: file.stack,
      domain: client.domain,
      ...(client.serviceName === undefined ? {} : { serviceName: client.serviceName }),
      target: targetOf(client),
    });
  }

  /** Rights are checked before anything is taken down. */
  async function readyToEnd(serviceName: string | undefined): Promise<Ovh> {
    if (serviceName === undefined) throw new FleetError("NO_CONTRACT");
    const opened = await context.openOvh();
    await opened.checkRights(terminationRights);
    return opened;
  }

  async function converge(): Promise<void> {
    if ((await progress()).isConverged) return;
    if (!request.up) return tell("retire.up", { stack: file.stack });
    await context.unprotect(name);
    try {
      await context.converge();
    } catch (error) {
      // Another town's failure is not this one's; it is told all the same.
      if (!(error instanceof FleetError) || (await context.isInState(name))) throw error;
      tell("retire.others", { error: context.describe(error) });
    }
    await write({ event: "converged" });
  }
}

/** The server: last backup, schedules and containers, the fleet's key. */
async function empty(
  context: RetireContext,
  request: RetireRequest,
  client: ClientConfig,
  progress: () => Promise<Retirement>,
): Promise<void> {
  const { journal, tell } = context;
  if ((await progress()).isKeyGone) return;
  // As it is declared now: its host key may have been corrected since the retirement began.
  const target = targetOf(client);
  const ssh = await context.openSsh(target);
  if (!(await progress()).isStopped) {
    await backUp();
    const { exported, withoutBackup } = await progress();
    if (!exported && withoutBackup?.isGone) return tell("retire.gone", { host: target.host });
    await stop();
  }
  await leave();

  async function backUp(): Promise<void> {
    const { exported, withoutBackup } = await progress();
    // A server that was gone may be back: only the same words skip it again.
    if (exported || (withoutBackup && (request.withoutBackup || !withoutBackup.isGone))) return;
    try {
      await context.installScripts(client, ssh);
      const made = await onServer("export", 5 * hours);
      const told = Export.parse(JSON.parse(made.at(-1) ?? ""));
      await fetchBackup(told);
      await journal.write({ event: "exported", export: told });
      tell("retire.exported", {
        folder: `${journal.folder}/${told.folder}`,
        mib: (told.files.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20).toFixed(1),
        tables: told.tables,
        rows: told.rows,
        photos: told.photos,
      });
    } catch (error) {
      const excuse = error instanceof FleetError ? excuseOf(error) : undefined;
      if (!(error instanceof FleetError) || !excuse) throw error;
      if (!request.withoutBackup) {
        tell("retire.excuse", {});
        throw error;
      }
      const isGone = excuse === "unreached";
      // Back after some minutes: then there is a backup to be had.
      if (isGone && !(await confirmedGone(error))) return backUp();
      tell("retire.withoutBackup", { error: context.describe(error) });
      await journal.write({ event: "withoutBackup", cause: error.code, isGone });
    }
  }

  /** False when it is reached after all. @throws FleetError `SERVER_ALIVE`, `NOT_CONFIRMED`, of the connection */
  async function confirmedGone(first: FleetError): Promise<boolean> {
    let last = first;
    tell("retire.trying", { host: target.host, minutes: (tries * trySeconds) / 60 });
    for (let attempt = 0; attempt < tries; attempt += 1) {
      await context.sleep(trySeconds * 1000);
      try {
        await ssh.run(step, ["true"], { timeoutSeconds: questionSeconds });
        return false;
      } catch (error) {
        if (!(error instanceof FleetError) || error.code !== "SSH_UNREACHABLE") throw error;
        last = error;
      }
    }
    const cause = String(last.values.cause);
    const { answers, said } = await context.seen(client);
    const observed = `SSH: ${cause}; https://${client.domain}: ${said}`;
    if (answers || isShutOut(cause)) throw new FleetError("SERVER_ALIVE", { host: target.host, observed });
    if (await context.confirmGone(client.name, observed)) return true;
    throw new FleetError("NOT_CONFIRMED");
  }

  async function fetchBackup({ folder, files }: Export): Promise<void> {
    for (const { file, bytes, sha256 } of files) {
      const path = `${journal.folder}/${folder}/${file}`;
      const got = await context.download(target, sendBackup(folder, file), path);
      if (got.bytes !== bytes || got.sha256 !== sha256)
        throw new FleetError("BACKUP_DAMAGED", { file: path, bytes, got: got.bytes });
    }
  }

  async function stop(): Promise<void> {
    const { exported } = await progress();
    try {
      await onServer("stop", 1800, ...(exported ? ["--closed"] : []));
    } catch (error) {
      if (!(error instanceof FleetError) || error.code !== "REOPENED") throw error;
      // Somebody ran `up` in between: what came since must be in the backup.
      await journal.write({ event: "reopened" });
      await backUp();
      await onServer("stop", 1800, "--closed");
    }
    await journal.write({ event: "stopped" });
    tell("retire.stopped", { host: target.host });
  }

  async function leave(): Promise<void> {
    const keys = await context.fleetKeys();
    if (keys.length === 0) throw new FleetError("AGENT_MISSING");
    const wasGoing = (await progress()).isKeyGoing;
    await journal.write({ event: "keyGoing" });
    try {
      await ssh.run(step, removeKeys(keys), { timeoutSeconds: commandSeconds });
    } catch (error) {
      // The run before was killed between the deed and its note.
      if (!(wasGoing && error instanceof FleetError && error.code === "SSH_REFUSED")) throw error;
    }
    await journal.write({ event: "keyGone" });
    tell("retire.left", { host: target.host, user: target.user });
  }

  async function onServer(part: string, timeoutSeconds: number, ...options: string[]): Promise<string[]> {
    const command = serverCommand("retire", "--client", client.name, ...options, part);
    const { stdout } = await ssh.run(step, command, { timeoutSeconds });
    return stdout.split("\n").filter(Boolean);
  }
}

/** Why there may be no last backup: the server is not reached, or never had anything of ours. */
function excuseOf({ code }: FleetError): "unreached" | "empty" | undefined {
  if (code === "SSH_UNREACHABLE") return "unreached";
  return code === "NOT_ACTIVATED" ? "empty" : undefined;
}
