/** @module The lab as a whole: up, down, status. */
import { mkdir, rm } from "node:fs/promises";
import { ensureAcme } from "./acme.ts";
import { ensureAuthority } from "./authority.ts";
import { detachDisks } from "./disk.ts";
import { ensureDns } from "./dns.ts";
import { docker, dockerOrNothing } from "./docker.ts";
import { engineVersion, ensureEngine, installClient, isOwnEngine, stopOwnEngine } from "./engine.ts";
import { readEngineHost } from "./engine-host.ts";
import { ensureFront } from "./front.ts";
import { ensureHostPackages, requireRoot } from "./host.ts";
import { ensureBaseImages, ensureServerImage, ensureServicesImage } from "./images.ts";
import { LAB, PREFIX, RUN } from "./layout.ts";
import { withLock } from "./lock.ts";
import { readMirrors } from "./mirrors.ts";
import { ensureNetwork } from "./network.ts";
import { ensureOvh, ovhStatus, stopOvh } from "./ovh/service.ts";
import { step } from "./progress.ts";
import { ensureRegistry } from "./registry.ts";
import { ENGINE_ROOTFS, ensureRootfs, SERVER_ROOTFS, SERVICES_ROOTFS } from "./rootfs.ts";
import { type LabServer, listServers, startServers } from "./server.ts";
import { writeTrustBundle } from "./trust.ts";

/** Brings every part up; what is up already stays as it is. */
export async function up(): Promise<void> {
  requireRoot();
  await withLock(async () => {
    await mkdir(LAB, { recursive: true, mode: 0o711 });
    await mkdir(RUN, { recursive: true });
    await step("machine", ensureHostPackages);
    const mirrors = await readMirrors();
    const [engineTree, servicesTree, serverTree] = await step("Debian trees", () =>
      Promise.all([
        ensureRootfs(ENGINE_ROOTFS, mirrors),
        ensureRootfs(SERVICES_ROOTFS, mirrors),
        ensureRootfs(SERVER_ROOTFS, mirrors),
      ]),
    );
    await installClient(engineTree);
    await ensureAuthority();
    const { isStarted } = await step("engine", () => ensureEngine(engineTree));
    await step("network", ensureNetwork);
    await step("images of services and servers", () =>
      Promise.all([ensureServicesImage(servicesTree), ensureServerImage(serverTree)]),
    );
    await step("dns, acme, front", () => Promise.all([ensureDns(), ensureAcme(), ensureFront()]));
    const isFull = process.env.LAB_POSTGIS === "1";
    const images = await step("base images", () => ensureBaseImages(mirrors, isFull));
    await step("registry", () => ensureRegistry(images));
    if (isStarted) await step("servers of before", startServers);
    await step("ovh", ensureOvh);
    await step("trust", writeTrustBundle);
  });
}

/** Removes everything that is the lab's, except its cache. */
export async function down(): Promise<void> {
  requireRoot();
  await withLock(async () => {
    await step("ovh", stopOvh);
    await step("containers, volumes, network", removeFromEngine);
    await step("engine", async () => {
      const own = isOwnEngine();
      if (own) await stopOwnEngine(await ensureRootfs(ENGINE_ROOTFS, await readMirrors()));
    });
    await step("disks", detachDisks);
    await step("folders", removeFolders);
  });
}

async function removeFromEngine(): Promise<void> {
  const host = readEngineHost();
  if (host === undefined || (await engineVersion(host)) === undefined) return;
  const filter = ["--quiet", "--filter", `label=${PREFIX}`];
  const ids = async (...list: string[]) => (await docker([...list, ...filter])).split("\n").filter(Boolean);
  const containers = await ids("ps", "--all");
  if (containers.length > 0) await docker(["rm", "--force", "--volumes", ...containers]);
  const volumes = await ids("volume", "ls");
  if (volumes.length > 0) await docker(["volume", "rm", "--force", ...volumes]);
  await dockerOrNothing(["network", "rm", PREFIX]);
  const images = await docker(["images", "--quiet", "--filter", `reference=${PREFIX}/*`]);
  if (images !== "" && !isOwnEngine())
    await dockerOrNothing(["rmi", "--force", ...new Set(images.split("\n"))]);
}

async function removeFolders(): Promise<void> {
  await rm(LAB, { recursive: true, force: true });
  await rm(RUN, { recursive: true, force: true });
}

export interface LabStatus {
  readonly engine: { readonly host: string; readonly version: string; readonly isOwn: boolean } | null;
  /** Service → state in Docker's words. */
  readonly services: Record<string, string>;
  readonly servers: readonly (LabServer & { readonly state: string })[];
}

/** What runs now. */
export async function status(): Promise<LabStatus> {
  const host = readEngineHost();
  const version = host === undefined ? undefined : await engineVersion(host);
  if (host === undefined || version === undefined) return { engine: null, services: {}, servers: [] };
  const format = `{{.Label "${PREFIX}.service"}} {{.State}}`;
  const list = await docker(["ps", "--all", "--filter", `label=${PREFIX}.service`, "--format", format]);
  const services = Object.fromEntries(
    list
      .split("\n")
      .filter(Boolean)
      .sort()
      .map((line) => line.split(" ") as [string, string]),
  );
  services.ovh = await ovhStatus();
  return { engine: { host, version, isOwn: isOwnEngine() }, services, servers: await listServers() };
}
