/**
 * @module `npm run demo`: three towns online, put there by a real `pulumi up`: one on a server adopted by its address, one
 * on a VPS owned at OVH, one on a VPS ordered there. `-- --clients N` for another number. Again: quick, changes nothing.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Convergence } from "../outside/pulumi.ts";
import { stackFile } from "../outside/stack-file.ts";
import { stepContext } from "../wiring/step-context.ts";
import { declaredClients, statusClient } from "../wiring/fleet.ts";
import { statusTable } from "../cli/status-table.ts";
import { table } from "../cli/table.ts";
import type { FleetConfig } from "../core/config/stack.ts";
import { describe, FleetError } from "../core/errors.ts";
import { languageIn, type TextKey, text } from "../core/messages/catalogue.ts";
import type { ClientsEditor } from "../core/registry/editor.ts";
import { readStatus } from "../verbs/read-status.ts";
import { chromiumFlags } from "./chromium.ts";
import { type DemoTown, demoTowns, type Entry, ensureTown, orderTown } from "./demo-towns.ts";
import { LabError } from "./errors.ts";
import { fleetConfig } from "./fleet-config.ts";
import { up } from "./lab.ts";
import { TRUST_BUNDLE } from "./layout.ts";
import {
  becomeOperator,
  configureStack,
  convergeMaster,
  convergeStack,
  project,
  suitePath,
} from "./operator.ts";
import { makeSuite } from "./suite/release/make.ts";

const stack = "lab";
const language = languageIn(process.env);
const t = (key: TextKey, values = {}) => text(key, language, values);
const say = (line: string) => console.log(line);
const title = (line: string) => say(`\n== ${line}`);

try {
  await demo();
} catch (error) {
  if (error instanceof FleetError) console.error(describe(error, language));
  else if (error instanceof LabError) console.error(`${error.message}\n${error.hint}`);
  else console.error(error);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  const towns = demoTowns(clientCount());
  title(t("demo.setUp"));
  await up();
  await becomeOperator();

  title(t("demo.master"));
  const { publicKey, convergence } = await convergeMaster(say);
  say(summary(convergence));

  if (!existsSync(suitePath)) await makeSuite("1.0.0", suitePath);
  const config = await declare(towns, publicKey);

  title(t("demo.fleet", { count: config.clients.length }));
  const fleet = await convergeStack(stack, say);
  say(summary(fleet));

  await show(config);
  if (fleet.seconds.size > 0) {
    const rows = [...fleet.seconds].map(([name, seconds]) => [name, seconds.toFixed(1)]);
    say(table([t("column.step"), t("column.seconds")], rows));
  }
  await explain(config.clients);
}

function clientCount(): number {
  const { values } = parseArgs({ options: { clients: { type: "string", default: "3" } } });
  const count = Number(values.clients);
  if (Number.isInteger(count) && count >= 1 && count <= 50) return count;
  throw new LabError(
    `Number of clients: got '${values.clients}', expected 1 to 50.`,
    "npm run demo -- --clients 5",
  );
}

/** Every town's server and its entry in the stack file; what somebody wrote there besides stays. */
async function declare(towns: readonly DemoTown[], publicKey: string): Promise<FleetConfig> {
  if (!existsSync(join(project, `Pulumi.${stack}.yaml`)))
    await configureStack(stack, fleetConfig(suitePath, []));
  const file = await stackFile(stack, { commit: false });
  await file.edit((editor) => {
    for (const [key, value] of Object.entries(fleetConfig(suitePath, [])))
      if (key !== "clients" && editor.value(key) === undefined) editor.setValue(key, value);
  });
  for (const town of towns) {
    title(t(`demo.${town.way}`, { client: town.name }));
    const entry = await ensureTown(town, publicKey);
    const isKnown = (await file.read()).clients.some(({ name }) => name === town.name);
    if (entry) await file.editClients((clients) => write(clients, entry));
    else if (!isKnown) await orderTown(town, stack);
    const declared = (await file.read()).clients.find(({ name }) => name === town.name);
    say([declared?.ip ?? declared?.serviceName, declared?.reach].filter(Boolean).join(", "));
  }
  return file.read();
}

/** Of an entry that is there, only its server may be another one than the last time. */
function write(clients: ClientsEditor, entry: Entry): void {
  if (!clients.find(entry.name)) {
    clients.add(entry);
    return;
  }
  for (const key of ["ip", "serviceName", "reach"])
    if (entry[key] !== undefined) clients.set(entry.name, key, entry[key]);
  clients.set(entry.name, "ssh.hostKey", (entry.ssh as { hostKey: string }).hostKey);
}

async function show(config: FleetConfig): Promise<void> {
  const clients = (await declaredClients(config)).filter(({ client }) => !client.detached).map(statusClient);
  const rows = await readStatus(stepContext(say), clients);
  say(statusTable(rows, language));
  if (rows.some((row) => row.health !== "healthy" || row.sshError)) process.exitCode = 1;
}

async function explain(entries: FleetConfig["clients"]): Promise<void> {
  say(`\n${t("demo.look")}`);
  for (const { domain, reach } of entries)
    say(`  curl --resolve ${domain}:443:${reach} --cacert ${TRUST_BUNDLE} https://${domain}/api/health`);
  say(t("demo.chromium"));
  for (const { domain, reach } of entries.slice(0, 1)) {
    const flags = await chromiumFlags(domain, reach ?? "");
    say(`  chromium ${flags.join(" ")} https://${domain}/portail/`);
  }
  say(t("demo.admin"));
  say(`  . ./env.sh && pulumi stack output adminPasswords --show-secrets`);
  say(t("demo.byHand"));
  say(`  . ./env.sh && pulumi preview --diff    # ${project}, ${suitePath}`);
  say(t("demo.stop"));
  say("  npm run -s lab -- down");
}

function summary({ changes }: Convergence): string {
  const changed = Object.entries(changes).filter(([operation, count]) => operation !== "same" && count);
  if (changed.length === 0) return t("demo.unchanged");
  return t("demo.changed", {
    changes: changed.map(([operation, count]) => `${operation}: ${count}`).join(", "),
  });
}
