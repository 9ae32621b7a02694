/** @module Whether the store is as it should be: for `doctor`. */
import { stat } from "node:fs/promises";
import { FleetError } from "../../core/errors.ts";
import { copiesOf, type Copy, problemsOf } from "./copy.ts";
import { migrationNames } from "./migrations.ts";
import { storeFile, storeFolder } from "./places.ts";
import { openStore, type StorePlace } from "./store.ts";

export interface StoreCheck {
  /** For messages: the file, or the address without its password. */
  readonly place: string;
  /** In English; empty where all is well. */
  readonly problems: readonly string[];
  /** The newest copy that is whole; a shared database's are its keeper's. */
  readonly copy?: Copy;
  /** Newest step of the schema that this program knows. */
  readonly schema: string;
}

/** Opens the store and reads all of it. Nothing is changed, but that a store that is not there is made. */
export async function checkStore(place: StorePlace): Promise<StoreCheck> {
  const schema = migrationNames.at(-1) ?? "";
  const opened = await openStore(place).then(
    async (store) => {
      await store.close();
      return { place: store.place, problems: [] };
    },
    (error: unknown) => {
      if (!(error instanceof FleetError)) throw error;
      return { place: String(error.values.place ?? ""), problems: [error.message] };
    },
  );
  if (place.url !== undefined) return { ...opened, schema };
  const file = storeFile(place.state);
  const copy = (await copiesOf(place.state)).find((each) => problemsOf(each.file).length === 0);
  const problems =
    opened.problems.length > 0
      ? opened.problems
      : [
          ...problemsOf(file),
          ...(await openness(file, 0o600)),
          ...(await openness(storeFolder(place.state), 0o700)),
        ];
  return { place: file, problems, schema, ...(copy ? { copy } : {}) };
}

async function openness(path: string, allowed: number): Promise<string[]> {
  const mode = (await stat(path)).mode & 0o777;
  return mode & ~allowed
    ? [`${path} is open to others: ${mode.toString(8)}, expected ${allowed.toString(8)}`]
    : [];
}
