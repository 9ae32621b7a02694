/** @module `npm run demo`: one town online, put there by a real `pulumi up`. Again: quick, changes nothing. */
import { existsSync } from "node:fs";
import type { Convergence } from "../adapters/pulumi.ts";
import { statusTable } from "../cli/commands/status.ts";
import { stepContext } from "../cli/context.ts";
import { declaredClients, statusClient } from "../cli/fleet.ts";
import { table } from "../cli/table.ts";
import { parseStackConfig } from "../core/config/stack.ts";
import { describe, FleetError } from "../core/errors.ts";
import { languageOf, type TextKey, text } from "../core/messages/catalogue.ts";
import { readStatus } from "../operations/read-status.ts";
import { chromiumFlags } from "./chromium.ts";
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
import { clientEntry, domainOf, ensureServer } from "./town.ts";

const town = { name: "ville-test", label: `Mairie d'Aix-les-Bains "Côté lac"` };
const language = languageOf(process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG);
const t = (key: TextKey, values = {}) => text(key, language, values);
const say = (line: string) => console.log(line);
const title = (line: string) => say(`\n== ${line}`);

try {
  await demo();
} catch (error) {
  if (error instanceof FleetError) console.error(describe(error, language));
  else if (error instanceof LabError) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  title(t("demo.setUp"));
  await up();
  await becomeOperator();

  title(t("demo.master"));
  const { publicKey, convergence } = await convergeMaster(say);
  say(summary(convergence));

  title(t("demo.server", { client: town.name }));
  const server = await ensureServer({ name: town.name, authorizedKeys: [publicKey] });
  say(`${server.ip}, ${server.reach}, ${server.hostKey}`);

  title(t("demo.fleet", { count: 1 }));
  if (!existsSync(suitePath)) await makeSuite("1.0.0", suitePath);
  const config = fleetConfig(suitePath, [clientEntry(server, town.label)]);
  await configureStack("lab", config);
  const fleet = await convergeStack("lab", say);
  say(summary(fleet));

  await show(config);
  if (fleet.seconds.size > 0) {
    const rows = [...fleet.seconds].map(([name, seconds]) => [name, seconds.toFixed(1)]);
    say(table([t("column.step"), t("column.seconds")], rows));
  }
  await explain(server.reach);
}

async function show(values: Record<string, unknown>): Promise<void> {
  const config = parseStackConfig(values);
  if (config.role !== "fleet") return;
  const clients = (await declaredClients(config)).map(statusClient);
  const rows = await readStatus(stepContext(say), clients);
  say(statusTable(rows, language));
  if (rows.some((row) => row.health !== "healthy" || row.sshError)) process.exitCode = 1;
}

async function explain(reach: string): Promise<void> {
  const domain = domainOf(town.name);
  say(`\n${t("demo.look")}`);
  say(`  curl --resolve ${domain}:443:${reach} --cacert ${TRUST_BUNDLE} https://${domain}/api/health`);
  say(t("demo.chromium"));
  say(`  chromium ${(await chromiumFlags(domain, reach)).join(" ")} https://${domain}/portail/`);
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
