/** @module `add`: declares a client in the stack file, or attaches a detached one again. */

import type { SshTarget } from "../../core/commands/ssh.ts";
import { type FleetConfig, reachOf } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { questionSeconds } from "../../core/limits.ts";
import type { TextKey, Values } from "../../core/messages/catalogue.ts";
import type { RequestOf } from "../../core/operation/request.ts";
import type { Ssh } from "../../core/ports.ts";
import type { ClientEntry, ClientsEditor } from "../../core/registry/editor.ts";
import type { HostKey, ScanHostKey, StackFile } from "../../core/registry/port.ts";

export interface AddContext {
  readonly file: StackFile;
  readonly scanHostKey: ScanHostKey;
  /** First IPv4 address of a VPS at OVH. */
  addressOf(serviceName: string): Promise<string>;
  /** Asks whether this is the server's key. */
  confirmHostKey(shown: ShownHostKey): Promise<boolean>;
  openSsh(target: SshTarget): Promise<Ssh>;
  /** A failure in the reader's language. */
  describe(error: FleetError): string;
  tell(key: TextKey, values?: Values): void;
}

export interface ShownHostKey extends HostKey {
  readonly client: string;
  readonly host: string;
  readonly port: number;
  /** The key that was pinned before, where it was another. */
  readonly former?: string;
}

/** What is given; everything else keeps its value, or its default. A given host key is compared with what the server shows. */
export type AddRequest = Omit<RequestOf<"add">, "verb">;

/** Stands in for the host key while everything else is checked. */
const unknownKey = `ssh-ed25519 ${"A".repeat(68)}`;

/**
 * Nothing is contacted before every value is known to be good, and nothing is written before the host key is.
 * @throws FleetError `CLIENT_EXISTS`, `CLIENT_RETIRED`, `CLIENT_DIFFERS`, `CONFIG_INVALID`, `HOST_KEY_UNCONFIRMED`,
 * `HOST_KEY_DIFFERS`, of the file
 */
export async function addClient(context: AddContext, request: AddRequest): Promise<void> {
  const { file, tell } = context;
  const { name } = request;
  await file.checkEditable();
  const config = await file.read();
  const retired = config.retired.find((each) => each.name === name);
  if (retired) throw new FleetError("CLIENT_RETIRED", { on: retired.on, file: file.path }, { client: name });
  const former = config.clients.find((each) => each.name === name);
  if (former && !former.detached)
    throw new FleetError("CLIENT_EXISTS", { file: file.path }, { client: name });
  if (former && request.domain !== undefined && request.domain !== former.domain)
    throw new FleetError("CLIENT_DIFFERS", { got: request.domain, domain: former.domain }, { client: name });

  const declare = (hostKey: string, reach: string | undefined) => (clients: ClientsEditor) =>
    former ? attach(clients, hostKey, reach) : clients.add(entry(hostKey, reach));
  const hostKeyNow = request.hostKey ?? former?.ssh.hostKey ?? unknownKey;
  // Something to look at, until OVH is asked.
  const isAddressless = (request.reach ?? request.ip ?? former?.reach ?? former?.ip) === undefined;
  const unknown = request.serviceName !== undefined && isAddressless;
  await file.tryOut(({ clients }) => declare(hostKeyNow, unknown ? "192.0.2.1" : request.reach)(clients));
  const reach = unknown ? await context.addressOf(request.serviceName ?? "") : request.reach;
  const planned = await file.tryOut(({ clients }) => declare(hostKeyNow, reach)(clients));
  const hostKey = await learnHostKey(clientOf(planned));
  const written = await file.edit(
    ({ clients }) => declare(hostKey, reach)(clients),
    `${former ? "Attach" : "Add"} ${name} (${clientOf(planned).domain})`,
  );
  tell(former ? "add.attached" : "add.added", { client: name, file: file.path });
  if (request.check) await checkLogin(clientOf(written));
  tell("add.next", { stack: file.stack });

  function entry(key: string, reach: string | undefined): ClientEntry {
    const { domain, email, town, ip, ipv6, serviceName, dns, canary, sshUser, sshPort } = request;
    const given = { name, domain, email, town, ip, ipv6, serviceName, reach };
    return {
      ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
        name: string;
      }),
      ssh: {
        ...(sshUser === undefined ? {} : { user: sshUser }),
        ...(sshPort === undefined ? {} : { port: sshPort }),
        hostKey: key,
      },
      ...(dns === undefined ? {} : { dns }),
      ...(canary ? { canary } : {}),
    };
  }

  function attach(clients: ClientsEditor, key: string, reach: string | undefined): void {
    const { email, town, ip, ipv6, serviceName, dns, canary, sshUser, sshPort } = request;
    const given = { email, town, ip, ipv6, serviceName, reach, dns, canary };
    const ssh = { "ssh.user": sshUser, "ssh.port": sshPort, "ssh.hostKey": key };
    clients.unset(name, "detached");
    for (const [path, value] of Object.entries({ ...given, ...ssh }))
      if (value !== undefined) clients.set(name, path, value);
  }

  function clientOf({ clients }: FleetConfig) {
    const client = clients.find((each) => each.name === name);
    if (!client) throw new RangeError(`${name} was declared and is not there`);
    return client;
  }

  async function learnHostKey(client: ReturnType<typeof clientOf>): Promise<string> {
    const host = reachOf(client);
    const { port } = client.ssh;
    const scanned = await context.scanHostKey(host, port).catch((error: unknown) => {
      if (request.hostKey === undefined || !(error instanceof FleetError)) throw error;
      tell("add.unreached", { host, port, cause: String(error.values.cause ?? error.code) });
      return undefined;
    });
    if (request.hostKey !== undefined) {
      // Another kind of key than the scan prefers is no contradiction: the connection will ask for it.
      const isSameKind = scanned?.hostKey.split(" ")[0] === request.hostKey.split(" ")[0];
      if (scanned && isSameKind && scanned.hostKey !== request.hostKey)
        throw new FleetError(
          "HOST_KEY_DIFFERS",
          { host, port, fingerprint: scanned.fingerprint },
          { client: name },
        );
      return request.hostKey;
    }
    if (!scanned) throw new RangeError("neither given nor scanned");
    if (former?.ssh.hostKey === scanned.hostKey) return scanned.hostKey;
    const shown = { client: name, host, port, ...scanned, ...(former ? { former: former.ssh.hostKey } : {}) };
    if (await context.confirmHostKey(shown)) return scanned.hostKey;
    throw new FleetError("HOST_KEY_UNCONFIRMED", { host, port }, { client: name });
  }

  /** Tells, and never fails: the town is declared, and the next `up` says the same. */
  async function checkLogin(client: ReturnType<typeof clientOf>): Promise<void> {
    const { user, port, hostKey: pinned } = client.ssh;
    const host = reachOf(client);
    try {
      const ssh = await context.openSsh({ client: name, host, port, user, hostKey: pinned });
      await ssh.run("check", ["sudo", "-n", "true"], { timeoutSeconds: questionSeconds });
      tell("add.checked", { user, host });
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      tell("add.unchecked", { error: context.describe(error) });
    }
  }
}
