/** @module Processes that have the store open, beside the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { Identity } from "../../../core/store/holder.ts";
import type { StorePlace } from "../../../outside/store/store.ts";
import type { Work } from "./process.ts";

export interface Processes {
  /** Until it has ended. */
  run(place: StorePlace, work: Work): Promise<void>;
  /** Until it says that it holds what it was to hold. */
  hold(place: StorePlace, work: Work, identity?: Identity): Promise<ChildProcess>;
}

export function processes(): Processes {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });
  return {
    run: async (place, work) => {
      const child = start(place, work);
      const status = await new Promise((done) => child.once("exit", done));
      if (status !== 0) throw new Error(`${work.kind} ended with ${status}`);
    },
    hold: async (place, work, identity) => {
      const child = start(place, work, identity);
      await new Promise((held, fail) => {
        child.stdout?.once("data", held);
        child.once("exit", (status) => fail(new Error(`${work.kind} ended with ${status}`)));
      });
      return child;
    },
  };

  function start(place: StorePlace, work: Work, identity?: Identity): ChildProcess {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "process.ts"), JSON.stringify({ place, work, identity })],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    children.push(child);
    return child;
  }
}
