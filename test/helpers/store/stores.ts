/** @module Stores of one test: on one place, as processes of one machine or of several have them. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach } from "vitest";
import type { Identity } from "../../../core/store/holder.ts";
import type { PresenceOptions } from "../../../outside/store/presence.ts";
import { type OpenStore, openStore, type StorePlace } from "../../../outside/store/store.ts";

export interface Ground {
  readonly place: StorePlace;
  end(): Promise<void>;
}

/** A place that is empty before each test. */
export type NewGround = () => Promise<Ground>;

export interface Stores {
  readonly place: StorePlace;
  /** One more of this process. */
  open(options?: Partial<PresenceOptions>): Promise<OpenStore>;
}

export function storesOf(newGround: NewGround): () => Stores {
  let ground: Ground;
  const opened: OpenStore[] = [];
  beforeEach(async () => {
    ground = await newGround();
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await ground.end();
  });
  return () => ({
    place: ground.place,
    open: async (options) => {
      const store = await openStore(ground.place, options);
      opened.push(store);
      return store;
    },
  });
}

/** Of a process on a machine that is not this one. */
export function elsewhere(more: Partial<Identity> = {}): Identity {
  return { machine: randomUUID(), boot: randomUUID(), namespace: "pid:[1]", pid: 1, started: "1", ...more };
}
