/**
 * @module `import`: the predecessor's registry becomes clients of the stack, with the secrets that their servers have.
 * Everything is read and checked first; then there is one write.
 */

import type { Command } from "../../core/commands/shell.ts";
import type { SshTarget } from "../../core/commands/ssh.ts";
import type { FleetConfig } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { inspectionSeconds } from "../../core/limits.ts";
import type { TextKey, Values } from "../../core/messages/catalogue.ts";
import { reachOfAddress } from "../../core/ovh/order.ts";
import type { Ssh } from "../../core/ports.ts";
import { type RegistryLine, readClientsConf } from "../../core/registry/clients-conf.ts";
import type { ClientEntry, Secured, StackEditor } from "../../core/registry/editor.ts";
import { EnvironmentUnreadable } from "../../core/registry/environment-file.ts";
import {
  type FormerEnvironment,
  readFormerEnvironment,
  townOfName,
  townOfSettings,
} from "../../core/registry/former-environment.ts";
import type { HostKey, ScanHostKey, StackFile } from "../../core/registry/port.ts";
import { differingSecrets, nothingRuns, showRunning } from "../../core/registry/running-environment.ts";

export interface ImportContext {
  readonly file: StackFile;
  readonly scanHostKey: ScanHostKey;
  openSsh(target: SshTarget): Promise<Ssh>;
  /** Addresses of this machine. */
  ownAddresses(): readonly string[];
  resolve(domain: string): Promise<readonly string[]>;
  /** Variables of the suite that are secrets. */
  secretVariables(config: FleetConfig): Promise<readonly string[]>;
  /** Encrypts as the stack does. `top`: what the stack file must hold besides, for it to be read again. */
  encrypt(secrets: ClientSecrets): Promise<{
    readonly secured: Readonly<Record<string, Readonly<Record<string, Secured>>>>;
    readonly top: Readonly<Record<string, string>>;
  }>;
  /** Shows what was found of every line. */
  show(found: readonly Found[]): void;
  /** Asks whether the host keys shown are the servers'. */
  confirmHostKeys(found: readonly Found[]): Promise<boolean>;
  /** A failure in the reader's language. */
  describe(error: FleetError): string;
  tell(key: TextKey, values?: Values): void;
}

/** Values in clear, by client and variable. */
export type ClientSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ImportRequest {
  readonly text: string;
  /** Where a server does not tell its own. */
  readonly email?: string;
  /** Make a town's name of the client's where its settings do not tell. */
  readonly townFromName?: boolean;
  /** Import the others though some lines are refused. */
  readonly skipRefused?: boolean;
  readonly dryRun?: boolean;
  /** Where servers are reached, with the parts of their address as `{1}` to `{4}`. */
  readonly reach: string;
}

/** What is known of one line. Its secrets are not shown. */
export interface Found {
  readonly line: RegistryLine;
  readonly key?: HostKey;
  readonly entry?: ClientEntry;
  readonly former?: FormerEnvironment;
  /** Why it is refused though the line is good. */
  readonly problem?: FleetError;
}

const step = "import";
const atOnce = 8;
const folder = "/opt/geoclic/deploy";
/** A server that was adopted keeps its former files there. */
const kept = "/opt/geoclic/predecessor/deploy";

/** @throws FleetError `IMPORT_EMPTY`, `IMPORT_REFUSED`, `HOST_KEYS_UNCONFIRMED`, `CONFIG_INVALID`, of the file, of the engine */
export async function importRegistry(context: ImportContext, request: ImportRequest): Promise<void> {
  const { file, tell } = context;
  await file.checkEditable();
  const config = await file.read();
  const lines = await withoutMaster(readClientsConf(request.text, config, context.ownAddresses()));
  if (lines.length === 0) throw new FleetError("IMPORT_EMPTY");
  const variables = await context.secretVariables(config);

  const scanned = await inTurns(lines, scan);
  if (scanned.some(({ key }) => key)) {
    if (!(await context.confirmHostKeys(scanned))) throw new FleetError("HOST_KEYS_UNCONFIRMED");
  }
  const found = await inTurns(scanned, readServer);
  context.show(found);
  const good = found.flatMap(({ line, entry, former }) => (entry && former ? [{ line, entry, former }] : []));
  await file.tryOut((editor) => declare(editor, good));
  const refused = found.filter(({ line, problem }) => problem ?? line.verdict === "refused");
  if (request.dryRun) return tell("import.dryRun", { count: good.length });
  if (refused.length > 0 && !request.skipRefused)
    throw new FleetError("IMPORT_REFUSED", { lines: refused.map(({ line }) => line.line).join(", ") });
  if (good.length === 0) return tell("import.nothing");

  const secrets = Object.fromEntries(good.map(({ entry, former }) => [entry.name, former.secrets]));
  const { secured, top } = await context.encrypt(secrets);
  await file.edit((editor) => {
    declare(editor, good);
    for (const [client, values] of Object.entries(secured))
      for (const [variable, value] of Object.entries(values)) editor.setSecret(client, variable, value);
    for (const [key, value] of Object.entries(top)) editor.setTop(key, value);
  }, `Import ${good.length} client(s) of the former registry`);
  tell("import.done", { count: good.length, file: file.path, stack: file.stack });

  function withoutMaster(read: readonly RegistryLine[]): Promise<RegistryLine[]> {
    const own = context.ownAddresses();
    return inTurns(read, async (line) => {
      if (line.verdict !== "valid") return line;
      const addresses = await context.resolve(line.domain).catch(() => []);
      const here = addresses.find((address) => own.includes(address));
      if (here === undefined) return line;
      return { ...line, verdict: "skipped", reason: { kind: "master", detail: here } };
    });
  }

  async function scan(line: RegistryLine): Promise<Found> {
    if (line.verdict !== "valid") return { line };
    return guarded({ line }, async () => ({
      line,
      key: await context.scanHostKey(reachOfAddress(request.reach, line.ip), line.port),
    }));
  }

  async function readServer(found: Found): Promise<Found> {
    const { line, key } = found;
    if (!key) return found;
    return guarded(found, async () => {
      const reach = reachOfAddress(request.reach, line.ip);
      const { name: client, user, port } = line;
      const ssh = await context.openSsh({ client, host: reach, port, user, hostKey: key.hostKey });
      const former = await formerOf(ssh, line);
      const email = former.email ?? request.email;
      if (email === undefined) throw new FleetError("EMAIL_UNKNOWN", {}, { client, step });
      const town = (await townOf(ssh, former)) ?? (request.townFromName ? townOfName(client) : undefined);
      if (town === undefined) throw new FleetError("TOWN_UNKNOWN", {}, { client, step });
      const entry: ClientEntry = {
        name: client,
        domain: line.domain,
        email,
        town,
        ip: line.ip,
        ...(reach === line.ip ? {} : { reach }),
        ssh: {
          ...(user === "ubuntu" ? {} : { user }),
          ...(port === 22 ? {} : { port }),
          hostKey: key.hostKey,
        },
      };
      // What the stack would refuse is this line's fault, not everybody's.
      await file.tryOut((editor) => declare(editor, [{ entry }]));
      return { ...found, entry, former };
    });
  }

  async function formerOf(ssh: Ssh, { name: client }: RegistryLine): Promise<FormerEnvironment> {
    const text = await readFirst(ssh, ".env");
    if (text === undefined) throw new FleetError("NOT_PREDECESSOR", { folder }, { client, step });
    const compose = (await readFirst(ssh, "docker-compose.yml")) ?? "";
    const former = readable(() => readFormerEnvironment(text, compose, variables), client);
    if (variables.includes("DB_PASSWORD") && former.secrets.DB_PASSWORD === undefined)
      throw new FleetError("DB_PASSWORD_UNKNOWN", { folder }, { client, step });
    for (const [variable, value] of Object.entries(former.secrets))
      if (!/^[!-~]{8,200}$/.test(value)) throw new FleetError("SECRET_UNFIT", { variable }, { client, step });
    await refuseEdited(ssh, former, client);
    for (const variable of former.published) tell("import.published", { client, variable });
    for (const variable of former.absent) tell("import.absent", { client, variable });
    return former;
  }

  /**
   * Who edits `.env` after the containers were made has a file that says what neither database nor sessions know.
   * @throws FleetError `ENVIRONMENT_DIFFERS`
   */
  async function refuseEdited(ssh: Ssh, { secrets }: FormerEnvironment, client: string): Promise<void> {
    const { status, stdout } = await ssh.run(step, showRunning(folder), {
      statuses: [0, 1, nothingRuns, 126, 127],
      timeoutSeconds: inspectionSeconds,
    });
    if (status === nothingRuns) return;
    const differing = status === 0 ? seen(stdout, secrets) : undefined;
    if (differing === undefined) return tell("import.unseen", { client });
    if (differing.length > 0)
      throw new FleetError("ENVIRONMENT_DIFFERS", { folder, names: differing.join(", ") }, { client, step });
  }

  async function guarded(found: Found, work: () => Promise<Found>): Promise<Found> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      return { ...found, problem: error };
    }
  }
}

/** Undefined where the answer says nothing: an older Compose, or none. */
function seen(text: string, secrets: Readonly<Record<string, string>>): string[] | undefined {
  try {
    return differingSecrets(text, secrets);
  } catch {
    return undefined;
  }
}

function readable<T>(read: () => T, client: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EnvironmentUnreadable)) throw error;
    throw new FleetError("ENVIRONMENT_UNREADABLE", { problem: error.message }, { client, step });
  }
}

/** A file of the former installation; undefined where there is none. */
async function readFirst(ssh: Ssh, name: string): Promise<string | undefined> {
  const script = 'for file; do if [ -f "$file" ]; then cat "$file"; exit; fi; done; exit 3';
  const command: Command = ["sudo", "-n", "sh", "-c", script, "sh", `${folder}/${name}`, `${kept}/${name}`];
  const { status, stdout } = await ssh.run(step, command, {
    statuses: [0, 3],
    timeoutSeconds: inspectionSeconds,
  });
  return status === 0 ? stdout : undefined;
}

/** The name that the town gave itself; undefined where its database does not tell. */
async function townOf(ssh: Ssh, { database }: FormerEnvironment): Promise<string | undefined> {
  const query = "SELECT config_value FROM system_settings WHERE config_key = 'general'";
  const psql = ["psql", "-XAtq", "-U", database.user, "-d", database.name, "-c", query];
  const script =
    'id=$(docker ps -q --filter label=com.docker.compose.service=db | head -n 1); [ -n "$id" ] && exec docker exec "$id" "$@"; exit 3';
  const { status, stdout } = await ssh.run(step, ["sudo", "-n", "sh", "-c", script, "sh", ...psql], {
    statuses: [0, 1, 2, 3, 126, 127],
    timeoutSeconds: inspectionSeconds,
  });
  return status === 0 ? townOfSettings(stdout.trim()) : undefined;
}

function declare(editor: StackEditor, good: readonly { readonly entry: ClientEntry }[]): void {
  for (const { entry } of good) editor.clients.add(entry);
}

/** A few at a time, in the order given. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += atOnce)
    results.push(...(await Promise.all(items.slice(start, start + atOnce).map(work))));
  return results;
}
