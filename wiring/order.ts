/** @module `order` and `order list`, with the real effects. */
import { setTimeout } from "node:timers/promises";
import { questionSeconds } from "../core/limits.ts";
import { text } from "../core/messages/catalogue.ts";
import type { OrderContext } from "../core/ovh/order-ports.ts";
import type { Audience } from "../core/ports.ts";
import type { StackFile } from "../core/registry/port.ts";
import { withFileLock } from "../outside/file-lock.ts";
import { home, projectFolder } from "../outside/home.ts";
import { scanHostKey } from "../outside/host-key.ts";
import { whoKnows } from "../outside/known-servers.ts";
import { openOvh } from "../outside/ovh/client.ts";
import { orderedClients, orderJournal } from "../outside/ovh/order-journal.ts";
import { readOutput } from "../outside/pulumi.ts";
import { openSsh } from "../outside/ssh.ts";
import { stackFile } from "../outside/stack-file.ts";
import { listOrders } from "../verbs/order/list-orders.ts";
import { type OrderOptions, type OrderWish, orderServer } from "../verbs/order/order-server.ts";
import { masterOf } from "./agent.ts";

export type { OrderWish };

/** What a person is asked on the way. */
export type OrderQuestions = Pick<OrderContext, "confirm" | "confirmService">;

/** The stack file that the server is declared in. @throws FleetError of the configuration, or where it may not be edited */
export async function orderFile(stack: string | undefined, commit: boolean): Promise<StackFile> {
  const file = await stackFile(stack, { commit });
  await file.checkEditable();
  return file;
}

/** `name` was checked: it is used as a file's name. `wish`: none goes on with an order of before. @throws FleetError as `orderServer` */
export async function orderTown(
  { language, progress }: Audience,
  file: StackFile,
  name: string,
  wish: OrderWish | undefined,
  options: OrderOptions,
  questions: OrderQuestions,
): Promise<void> {
  const { state } = home();
  const journal = orderJournal(state, name);
  const context: OrderContext = {
    ...questions,
    ...{ journal, ovh: await openOvh() },
    publicKey: async () => String(await readOutput(masterOf(undefined), "publicKey")),
    // Every system's image that is sold has one of this kind.
    scanHostKey: (host, port) => scanHostKey(host, port, { kinds: "ed25519" }),
    async logIn({ client, ...server }) {
      const ssh = await openSsh({ client, ...server });
      await ssh.run("order", ["true"], { timeoutSeconds: questionSeconds });
    },
    async declaredServer(client) {
      const declared = (await file.read()).clients.find((each) => each.name === client);
      return declared && (declared.serviceName ?? declared.ip);
    },
    declare: (entry) =>
      file.editClients((clients) => clients.add(entry as Parameters<typeof clients.add>[0]), `Order ${name}`),
    whoKnows: (serviceName, addresses) =>
      whoKnows({ project: projectFolder(), state, client: name }, serviceName, addresses),
    now: Date.now,
    sleep: async (milliseconds) => {
      await setTimeout(milliseconds);
    },
    report: (key, values) => progress(text(key, language, values)),
  };
  await withFileLock(journal.file, () => orderServer(context, name, wish, options));
}

/** What was bought at OVH, and by whom it is known. */
export async function readOrders(stack: string | undefined): ReturnType<typeof listOrders> {
  const { state } = home();
  const file = await stackFile(stack);
  return listOrders({
    ovh: await openOvh(),
    journals: (await orderedClients(state)).map((client) => ({
      client,
      journal: orderJournal(state, client),
    })),
    declared: (await file.read()).clients,
  });
}
