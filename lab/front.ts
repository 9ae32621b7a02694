/** @module The front of the lab: ACME with switchable faults, the hubs' and the origins' names, a cache for apt. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { installConfiguration } from "./assets.ts";
import { AUTHORITY } from "./authority.ts";
import { ADDRESS, CACHE, LAB, LOOPBACK } from "./layout.ts";
import { ensureService } from "./network.ts";

/** A file named after a fault switches it on. */
export const FAULTS = join(LAB, "faults");
/** Folder of the origins: `served/HOST/PATH`. */
export const ORIGINS = join(LAB, "origins");
/** apt's cache as servers reach it, and as builds on this machine do. */
export const APT_PROXY = `http://${ADDRESS.front}:3142`;
export const APT_PROXY_LOOPBACK = `http://${LOOPBACK.services}:3142`;

export async function ensureFront(): Promise<void> {
  const configuration = await installConfiguration("front.conf");
  const packages = join(CACHE, "apt");
  await mkdir(FAULTS, { recursive: true });
  await mkdir(ORIGINS, { recursive: true });
  await mkdir(packages, { recursive: true });
  await ensureService({
    name: "front",
    ip: ADDRESS.front,
    options: [
      ...["--volume", `${AUTHORITY}:/authority:ro`, "--volume", `${configuration.path}:/front.conf:ro`],
      ...["--volume", `${FAULTS}:/faults:ro`, "--volume", `${packages}:/cache`],
      ...["--volume", `${ORIGINS}:/origins:ro`],
      ...["--publish", `${LOOPBACK.services}:443:443`, "--publish", `${LOOPBACK.services}:3142:3142`],
    ],
    argv: ["nginx", "-c", "/front.conf", "-g", "daemon off;"],
    configuration: [configuration.text],
  });
}
