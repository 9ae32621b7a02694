/** @module The towns of the demo, by the way each gets its server. */
import { execa } from "execa";
import { resolve } from "node:path";
import { LOOPBACK } from "./layout.ts";
import { ensureOwnedVps } from "./ovh/owned.ts";
import { clientEntry, domainOf, ensureServer } from "./town.ts";

export interface DemoTown {
  readonly name: string;
  /** The town's name as its citizens read it. */
  readonly label: string;
  /** `adopted`: an existing server, by its address. `owned`: a VPS at OVH, by its name. `ordered`: bought there. */
  readonly way: "adopted" | "owned" | "ordered";
}

export type Entry = Readonly<Record<string, unknown>> & { readonly name: string };

/** The three ways first, then adopted ones. `count`: 1 to 50. */
export function demoTowns(count: number): DemoTown[] {
  const ways: DemoTown[] = [
    { name: "ville-test", label: `Mairie d'Aix-les-Bains "Côté lac"`, way: "adopted" },
    { name: "ville-possedee", label: "Mairie de Saint-Étienne-du-Rouvray", way: "owned" },
    { name: "ville-commandee", label: "Mairie de L'Haÿ-les-Roses", way: "ordered" },
  ];
  const more = Array.from({ length: Math.max(0, count - ways.length) }, (_, index) => {
    const number = String(ways.length + index + 1).padStart(2, "0");
    return { name: `ville-${number}`, label: `Mairie de la ville ${number}`, way: "adopted" } as const;
  });
  return [...ways.slice(0, count), ...more];
}

/** Makes a town's server unless it exists. @returns its entry; none for a town whose server is ordered */
export async function ensureTown(
  { name, label, way }: DemoTown,
  publicKey: string,
): Promise<Entry | undefined> {
  if (way === "ordered") return undefined;
  if (way === "owned") {
    const { serviceName, reach, hostKey } = await ensureOwnedVps(name, [publicKey]);
    return {
      name,
      domain: domainOf(name),
      email: `admin@${domainOf(name)}`,
      town: label,
      serviceName,
      reach,
      ssh: { user: "ubuntu", port: 22, hostKey },
      dns: "managed",
    };
  }
  const server = await ensureServer({ name, authorizedKeys: [publicKey] });
  return { ...clientEntry(server, label), name, ...(name === "ville-test" ? { canary: true } : {}) };
}

/** Buys a town's server as anybody would: by the command line, which writes the entry into the stack file. */
export async function orderTown(
  { name, label }: DemoTown,
  stack: string,
  more: readonly string[] = [],
): Promise<void> {
  const main = resolve(import.meta.dirname, "..", "cli", "main.ts");
  const options = {
    "--domain": domainOf(name),
    "--email": `admin@${domainOf(name)}`,
    "--town": label,
    "--dns": "managed",
    "--max-price": "20",
    // The lab's servers are reached at loopback addresses of their own.
    "--reach": `${LOOPBACK.services.split(".").slice(0, 3).join(".")}.{4}`,
    "--ssh-user": "ubuntu",
    "--stack": stack,
  };
  await execa(process.execPath, [main, "order", name, ...Object.entries(options).flat(), "--yes", ...more], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}
