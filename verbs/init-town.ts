/** @module `init`: the administrator, the town's name and, where wanted, demonstration data of a running town. */
import { serverCommand } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import { targetOf } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import { demoSeconds, initSeconds } from "../core/limits.ts";
import type { TextKey, Values } from "../core/messages/catalogue.ts";
import type { RequestOf } from "../core/operation/request.ts";
import type { Ssh } from "../core/ports.ts";
import type { StackFile } from "../core/registry/port.ts";
import { chooseClients } from "../core/rollout/choice.ts";
import type { Operation } from "./operation.ts";

export interface InitContext {
  readonly file: StackFile;
  openSsh(target: SshTarget): Promise<Ssh>;
  tell(key: TextKey, values?: Values): string;
}

const step = "init";
const shortestPassword = 8;

/** @returns the client's name @throws FleetError of the choice and the configuration, before anything is asked or changed */
export async function checkInit({ file }: InitContext, name: string | undefined): Promise<string> {
  const choice = { clients: name === undefined ? [] : [name] };
  const [client] = chooseClients((await file.read()).clients, choice, file.stack);
  if (!client) throw new FleetError("CLIENTS_MISSING");
  return client.name;
}

/** @throws FleetError `PASSWORD_WEAK` */
export function checkPassword(password: string): void {
  if (password.length < shortestPassword) throw new FleetError("PASSWORD_WEAK", { length: password.length });
}

/** @throws FleetError of the choice, the file, the connection or the server */
export async function initTown(
  { file, openSsh, tell }: InitContext,
  operation: Operation,
  { client: name, email, town, withDemo }: RequestOf<"init">,
  password: string,
): Promise<void> {
  if (email !== undefined || town !== undefined)
    await file.editClients((clients) => {
      const declared = clients.find(name);
      for (const [key, value] of Object.entries({ email, town }))
        if (value !== undefined && declared?.[key] !== value) {
          clients.set(name, key, value);
          operation.line(tell("init.edited", { key, value }));
        }
    }, `Set ${name}'s administrator and town`);
  const [client] = chooseClients((await file.read()).clients, { clients: [name] }, file.stack);
  if (!client) return;
  operation.plan([[client.name]], {});
  operation.step(client.name, step);
  const ssh = await openSsh(targetOf(client));
  const admin = { email: client.email, password, firstName: "Super", lastName: "Admin" };
  let isKept = false;
  const onLine = (line: string) => {
    // Said by assets/server/geoclic_server/hooks.py.
    isKept ||= line.endsWith(`administrator ${client.email} was there`);
    operation.line(line, client.name);
  };
  await ssh.run(step, serverCommand("init", "--client", client.name), {
    input: JSON.stringify({ admin, town: { name: client.town } }),
    timeoutSeconds: initSeconds,
    onLine,
  });
  if (withDemo)
    await ssh.run(step, serverCommand("demo", "--client", client.name), {
      timeoutSeconds: demoSeconds,
      onLine,
    });
  operation.stepEnd(client.name, step, true);
  operation.client(client.name, "done");
  if (isKept) operation.line(tell("init.kept", { email: client.email }));
  operation.line(tell("init.done", { url: `https://${client.domain}/admin/`, email: client.email }));
}
