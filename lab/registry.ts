/** @module The registry of base images: what the hubs' names answer in the lab. */
import { installConfiguration } from "./assets.ts";
import { docker, dockerOrNothing } from "./docker.ts";
import { ADDRESS, LOOPBACK, NETWORK, PREFIX } from "./layout.ts";
import { ensureService, SERVICES_IMAGE } from "./network.ts";

const STORAGE = "/var/lib/registry";
/** Where base images are pushed while they are built. */
export const BUILD_REGISTRY = `${LOOPBACK.services}:5001`;

/** Serves the images stored in `folder`, read-only: 127.0.10.2:5000 outside, the hubs' names inside. */
export async function ensureRegistry(folder: string): Promise<void> {
  const configuration = await installConfiguration("registry.yml");
  await ensureService({
    name: "registry",
    ip: ADDRESS.registry,
    options: [
      ...["--volume", `${folder}:${STORAGE}:ro`, "--volume", `${configuration.path}:/registry.yml:ro`],
      ...["--publish", `${LOOPBACK.services}:5000:5000`],
    ],
    argv: ["docker-registry", "serve", "/registry.yml"],
    configuration: [configuration.text],
  });
}

/** Runs `work` while a registry that stores into `folder` accepts pushes on BUILD_REGISTRY. */
export async function withWritableRegistry<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const configuration = await installConfiguration("registry-writable.yml");
  const container = `${PREFIX}-registry-build`;
  await dockerOrNothing(["rm", "--force", container]);
  await docker([
    ...["run", "--detach", "--name", container, "--label", PREFIX, "--network", NETWORK.name],
    ...["--volume", `${folder}:${STORAGE}`, "--volume", `${configuration.path}:/registry.yml:ro`],
    ...["--publish", `${BUILD_REGISTRY}:5000`, SERVICES_IMAGE, "docker-registry", "serve", "/registry.yml"],
  ]);
  try {
    return await work();
  } finally {
    await docker(["rm", "--force", "--volumes", container]);
  }
}
