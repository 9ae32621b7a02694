/** @module The operator's store as every door opens it: restored where it is damaged, with what the home's files hold. */
import { importHome, type Imported } from "./import/home.ts";
import type { PresenceOptions } from "./presence.ts";
import { openOrRestore, type Restored } from "./restore.ts";
import type { OpenStore, StorePlace } from "./store.ts";

/** What is told to the person at the door. */
export interface StoreTold {
  restored(what: Restored): void;
  /** Only where something was taken over. */
  imported(what: Imported): void;
}

/** @throws FleetError of the store, `IMPORT_HOME`; then it is closed again */
export async function openOperatorStore(
  place: StorePlace,
  told: StoreTold,
  options: Partial<PresenceOptions> = {},
): Promise<OpenStore> {
  const store = await openOrRestore(place, told.restored, options);
  try {
    const imported = await importHome(place.state, store.database);
    if (imported.files.length > 0) told.imported(imported);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
