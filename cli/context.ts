/** @module The real effects behind the operations. */
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { acmeLedger } from "../adapters/acme-ledger.ts";
import { fleetKeys } from "../adapters/agent.ts";
import { nameServersOf, resolveDomain } from "../adapters/dns.ts";
import { home } from "../adapters/home.ts";
import { get } from "../adapters/http.ts";
import { imageBuilder } from "../adapters/images/image-builder.ts";
import { releaseStore } from "../adapters/release-store.ts";
import { openSsh } from "../adapters/ssh.ts";
import { archiveFolder } from "../adapters/tar.ts";
import { openZone } from "../adapters/zone.ts";
import { refreshZone } from "../adapters/zone-refresh.ts";
import type { StepContext } from "../core/ports.ts";
import { cancelVariable, repairVariable } from "../core/steps/variables.ts";

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
