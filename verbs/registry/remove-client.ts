/** @module `remove`: detaches a client. It stays declared, with its secrets, its record and its server. */

import { FleetError } from "../../core/errors.ts";
import type { TextKey, Values } from "../../core/messages/catalogue.ts";
import type { StackFile } from "../../core/registry/port.ts";
import { shownName } from "../../core/rollout/choice.ts";

export interface RemoveContext {
  readonly file: StackFile;
  /** Whether the client's name was typed. */
  confirm(name: string): Promise<boolean>;
  tell(key: TextKey, values?: Values): void;
}

/** @throws FleetError `CLIENT_UNKNOWN`, `NOT_CONFIRMED`, of the file */
export async function removeClient({ file, confirm, tell }: RemoveContext, name: string): Promise<void> {
  await file.checkEditable();
  const { clients } = await file.read();
  const client = clients.find((each) => each.name === name);
  if (!client)
    throw new FleetError("CLIENT_UNKNOWN", {
      name: shownName(name),
      file: file.path,
      known: clients.map((each) => each.name).join(", ") || "-",
    });
  if (client.detached) return tell("remove.already", { client: name });
  tell("remove.stays", { client: name, domain: client.domain });
  if (!(await confirm(name))) throw new FleetError("NOT_CONFIRMED", {}, { client: name });
  await file.editClients((editor) => editor.set(name, "detached", true), `Remove ${name} (detached)`);
  tell("remove.done", { client: name, stack: file.stack });
}
