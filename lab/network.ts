/** @module The network of the lab, and one way to run its service containers. */
import { contentKey } from "./cache.ts";
import { docker, dockerOrNothing } from "./docker.ts";
import { uplinkMtu } from "./host.ts";
import { NETWORK, PREFIX } from "./layout.ts";

export const SERVICES_IMAGE = `${PREFIX}/services`;

/** Creates the network unless it exists. */
export async function ensureNetwork(): Promise<void> {
  if ((await dockerOrNothing(["network", "inspect", NETWORK.name])) !== undefined) return;
  await docker([
    ...["network", "create", "--label", PREFIX, "--subnet", NETWORK.subnet, "--gateway", NETWORK.gateway],
    ...["--opt", `com.docker.network.bridge.name=${NETWORK.bridge}`],
    ...["--opt", `com.docker.network.driver.mtu=${await uplinkMtu()}`],
    NETWORK.name,
  ]);
}

export interface Service {
  readonly name: string;
  readonly ip: string;
  /** Options of `docker run`: ports, volumes, environment. */
  readonly options: readonly string[];
  readonly argv: readonly string[];
  /** Contents of the configuration files it reads at its start: another content restarts it. */
  readonly configuration: readonly string[];
}

/** Runs the service's container unless the very same one runs already. Returns whether it was started. */
export async function ensureService(service: Service): Promise<boolean> {
  const container = `${PREFIX}-${service.name}`;
  const image = await docker(["image", "inspect", "--format", "{{.Id}}", SERVICES_IMAGE]);
  const key = contentKey([service, image]);
  const running = await dockerOrNothing([
    ...["inspect", "--format", `{{.State.Running}} {{index .Config.Labels "${PREFIX}.key"}}`, container],
  ]);
  if (running === `true ${key}`) return false;
  await dockerOrNothing(["rm", "--force", "--volumes", container]);
  await docker([
    ...["run", "--detach", "--name", container, "--label", PREFIX, "--label", `${PREFIX}.key=${key}`],
    ...["--label", `${PREFIX}.service=${service.name}`, "--restart", "unless-stopped"],
    ...["--network", NETWORK.name, "--ip", service.ip, ...service.options, SERVICES_IMAGE, ...service.argv],
  ]);
  return true;
}
