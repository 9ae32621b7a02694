/** @module Which clients a verb means. */
import { z } from "zod";
import { type ClientConfig, clientName } from "../config/stack.ts";
import { FleetError } from "../errors.ts";

export interface Choice {
  readonly clients?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
}

/** @throws FleetError `CLIENTS_MISSING`, `CLIENTS_NOT_FOUND`, `CLIENT_DETACHED` */
export function chooseClients(
  declared: readonly ClientConfig[],
  { clients = [], all = false }: Choice,
  stack: string,
): ClientConfig[] {
  if (all && clients.length > 0)
    throw new FleetError("OPTION_INVALID", {
      option: "--all",
      got: `--client ${clients.map(shownName).join(" --client ")}`,
      expected: "phrase.allOrClient",
    });
  if (all) return declared.filter(({ detached }) => !detached);
  if (clients.length === 0) throw new FleetError("CLIENTS_MISSING");
  const known = new Map(declared.map((client) => [client.name, client]));
  const unknown = clients.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new FleetError("CLIENTS_NOT_FOUND", {
      stack,
      names: unknown.map(shownName).join(", "),
      known: [...known.keys()].join(", ") || "-",
    });
  const chosen = declared.filter(({ name }) => clients.includes(name));
  const detached = chosen.filter((client) => client.detached);
  if (detached.length > 0)
    throw new FleetError("CLIENT_DETACHED", { names: detached.map(({ name }) => name).join(", ") });
  return chosen;
}

/** As it was typed, so that it cannot be taken for something else. */
export function shownName(name: string): string {
  return clientName.safeParse(name).success ? name : JSON.stringify(name.slice(0, 60));
}

const serviceName = z.string().regex(/^[a-z][a-z0-9_-]{0,30}$/);

/** @throws FleetError `SERVICES_UNKNOWN` */
export function chooseServices(asked: readonly string[], known: readonly string[]): string[] {
  const names = [...new Set(asked)];
  const unknown = names.filter((name) => !serviceName.safeParse(name).success || !known.includes(name));
  if (names.length > 0 && unknown.length === 0) return names;
  throw new FleetError("SERVICES_UNKNOWN", {
    names: unknown.map((name) => JSON.stringify(name.slice(0, 60))).join(", ") || '""',
    known: known.join(", "),
  });
}

const migrationName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.sql$/;

/** A file's name among a release's migrations. @throws FleetError `MIGRATION_UNKNOWN` */
export function chooseMigration(text: string, known: readonly string[], folder: string): string {
  const name = text.startsWith(`${folder}/`) ? text.slice(folder.length + 1) : text;
  if (migrationName.test(name) && known.includes(name)) return name;
  throw new FleetError("MIGRATION_UNKNOWN", {
    name: JSON.stringify(text.slice(0, 80)),
    folder,
    known: known.slice(-3).join(", ") || "-",
  });
}
