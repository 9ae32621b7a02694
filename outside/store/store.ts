/** @module The store, opened: SQLite in the operator's home, or PostgreSQL where several machines share one. */
import type { Store } from "../../core/store/port.ts";
import { audit } from "./audit.ts";
import { certificates } from "./certificates.ts";
import type { Database } from "./database.ts";
import { ownIdentity } from "./identity.ts";
import { journals } from "./journals.ts";
import { operations } from "./operations.ts";
import { paces } from "./paces.ts";
import { storeFile, storeFolder } from "./places.ts";
import { presence, type PresenceOptions } from "./presence.ts";
import { openSqlite } from "./sqlite.ts";
import { turns } from "./turns.ts";
import { zones } from "./zones.ts";

export interface StorePlace {
  /** The operator's folder. */
  readonly state: string;
  /** `postgres://…`: a database that several machines share. Without it the store is a file below `state`. */
  readonly url?: string;
}

export interface OpenStore extends Store {
  /** For what reads or keeps the store as a whole. */
  readonly database: Database;
}

/** @throws FleetError of the store, or `MACHINE_UNKNOWN` */
export async function openStore(
  place: StorePlace,
  options: Partial<PresenceOptions> = {},
): Promise<OpenStore> {
  const { identity = ownIdentity(storeFolder(place.state)), ...rest } = options;
  const database = await openDatabase(place);
  const own = presence(database, { identity, ...rest });
  const line = turns(database, own);
  return {
    database,
    place: database.place,
    operations: operations(database, own),
    turns: line,
    certificates: certificates(database),
    pace: paces(database),
    zones: zones(database, line),
    journals: journals(database),
    audit: audit(database),
    close: async () => {
      await own.close();
      await database.close();
    },
  };
}

async function openDatabase({ state, url }: StorePlace): Promise<Database> {
  if (url === undefined) return openSqlite(storeFile(state));
  // Most have no use for its library, which takes its time.
  const { openPostgres } = await import("./postgres.ts");
  return openPostgres(url);
}
