/** @module Whether the store is as it should be: for `doctor`. */
import { FleetError } from "../../core/errors.ts";
import { copiesOf, type Copy, problemsOf } from "./copy.ts";
import { migrationNames } from "./migrations.ts";
import { storeFile } from "./places.ts";
import { openStore, type StorePlace } from "./store.ts";

export interface StoreCheck {
  /** Newest step of the schema that this program knows. */
  readonly schema: string;
  /** For messages: the file, or the address without its password. Absent where it could not be opened. */
  readonly place?: string;
  /** What is wrong; absent where all is well. */
  readonly failure?: FleetError;
  /** The newest copy that is whole; a shared database's are its keeper's. */
  readonly copy?: Copy;
}

/** Opens the store and, where it is a file, reads all of it. A store that is not there is made. */
export async function checkStore(place: StorePlace): Promise<StoreCheck> {
  const schema = migrationNames.at(-1) ?? "";
  const copy = place.url === undefined ? await wholeCopy(place.state) : undefined;
  const told = { schema, ...(copy ? { copy } : {}) };
  try {
    const store = await openStore(place);
    await store.close();
    const problems = place.url === undefined ? problemsOf(storeFile(place.state)) : [];
    const [cause] = problems;
    if (cause === undefined) return { ...told, place: store.place };
    const failure = new FleetError("STORE_DAMAGED", { place: store.place, cause });
    return { ...told, place: store.place, failure };
  } catch (error) {
    if (error instanceof FleetError) return { ...told, failure: error };
    throw error;
  }
}

async function wholeCopy(state: string): Promise<Copy | undefined> {
  return (await copiesOf(state)).find(({ file }) => problemsOf(file).length === 0);
}
