/** @module The real effects behind the operations. */
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { StepContext } from "../core/ports.ts";
import { cancelVariable, repairVariable } from "../core/step/variables.ts";
import { acmeLedger } from "../outside/acme-ledger.ts";
import { fleetKeys } from "../outside/agent.ts";
import { nameServersOf, resolveDomain } from "../outside/dns.ts";
import { home } from "../outside/home.ts";
import { get } from "../outside/http.ts";
import { imageBuilder } from "../outside/images/image-builder.ts";
import { releaseStore } from "../outside/release-store.ts";
import { openSsh } from "../outside/ssh.ts";
import { archiveFolder } from "../outside/tar.ts";
import { openZone } from "../outside/zone.ts";
import { refreshZone } from "../outside/zone-refresh.ts";

export function stepContext(report: (line: string) => void): StepContext {
  const { state, cache } = home();
  const releases = releaseStore(state);
  return {
    openSsh,
    releases,
    images: imageBuilder(cache, releases),
    acmeLedger: acmeLedger(state),
    resolve: resolveDomain,
    openZone,
    nameServersOf,
    refreshZone: (zone, since, refresh) => refreshZone(state, zone, since, refresh),
    get,
    fleetKeys,
    archive: archiveFolder,
    now: Date.now,
    sleep: async (milliseconds) => {
      await setTimeout(milliseconds);
    },
    report,
    onCancelled,
    isRepair: process.env[repairVariable] === "1",
  };
}

function onCancelled(listener: () => void): () => void {
  const file = process.env[cancelVariable];
  if (!file) return () => {};
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    listener();
  }, 300);
  return () => clearInterval(timer);
}
