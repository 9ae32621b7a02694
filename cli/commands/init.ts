/** @module `init`: the administrator, the town's name and, where wanted, demonstration data of a running town. */

import { openSsh } from "../../outside/ssh.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { serverCommand } from "../../core/commands/shell.ts";
import { targetOf } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { demoSeconds, initSeconds } from "../../core/limits.ts";
import { text } from "../../core/messages/catalogue.ts";
import { chooseClients } from "../../core/rollout/choice.ts";
import { hidden, secretLine } from "../ask.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";

export interface InitOptions {
  readonly client?: string;
  readonly name?: string;
  readonly email?: string;
  readonly collectivite?: string;
  readonly town?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
  readonly withDemo?: boolean;
  readonly commit: boolean;
  readonly wait: boolean;
  readonly stack?: string;
}

const step = "init";

export async function init(console: Console, options: InitOptions): Promise<void> {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  if (options.password !== undefined) throw new FleetError("PASSWORD_SHOWN");
  const file = await stackFile(options.stack, { commit: options.commit });
  const name = options.client ?? options.name;
  const choice = { clients: name === undefined ? [] : [name] };
  chooseClients((await file.read()).clients, choice, file.stack);
  const password = await readPassword();
  if (password.length < 8) throw new FleetError("PASSWORD_WEAK", { length: password.length });
  const { email, collectivite, town = collectivite } = options;
  if (email !== undefined || town !== undefined)
    await file.editClients((clients) => {
      const declared = clients.find(name ?? "");
      for (const [key, value] of Object.entries({ email, town }))
        if (value !== undefined && declared?.[key] !== value) {
          clients.set(name ?? "", key, value);
          console.progress(t("init.edited", { key, value }));
        }
    }, `Set ${name}'s administrator and town`);
  const [client] = chooseClients((await file.read()).clients, choice, file.stack);
  if (!client) return;
  await asOperation(
    console,
    file.stack,
    {
      verb: "init",
      request: { client: client.name, email: client.email, town: client.town, withDemo: options.withDemo },
      wait: options.wait,
    },
    async (operation) => {
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
      if (options.withDemo)
        await ssh.run(step, serverCommand("demo", "--client", client.name), {
          timeoutSeconds: demoSeconds,
          onLine,
        });
      operation.stepEnd(client.name, step, true);
      operation.client(client.name, "done");
      if (isKept) operation.line(t("init.kept", { email: client.email }));
      operation.line(t("init.done", { url: `https://${client.domain}/admin/`, email: client.email }));
    },
  );

  async function readPassword(): Promise<string> {
    return options.passwordStdin ? secretLine(t("init.password")) : hidden(t("init.password"));
  }
}
