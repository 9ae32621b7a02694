/** @module `init`, ready to be carried out. */
import { text } from "../core/messages/catalogue.ts";
import type { RequestOf } from "../core/operation/request.ts";
import type { Audience } from "../core/ports.ts";
import { openSsh } from "../outside/ssh.ts";
import { stackFile } from "../outside/stack-file.ts";
import { checkInit, checkPassword, initTown } from "../verbs/init-town.ts";
import type { Operation } from "../verbs/operation.ts";

/** @throws FleetError of the choice and the configuration, before the password is asked for */
export async function openInit(
  { language }: Audience,
  { stack, commit }: { readonly stack?: string; readonly commit: boolean },
  asked: Omit<RequestOf<"init">, "verb" | "client"> & { readonly client: string | undefined },
): Promise<{
  readonly stack: string;
  readonly request: RequestOf<"init">;
  work(password: string): (operation: Operation) => Promise<void>;
}> {
  const file = await stackFile(stack, { commit });
  const context = {
    ...{ file, openSsh },
    tell: (key: Parameters<typeof text>[0], values?: Parameters<typeof text>[2]) =>
      text(key, language, values),
  };
  const client = await checkInit(context, asked.client);
  const request: RequestOf<"init"> = { verb: "init", ...asked, client };
  return {
    stack: file.stack,
    request,
    work(password) {
      checkPassword(password);
      return (operation) => initTown(context, operation, request, password);
    },
  };
}
