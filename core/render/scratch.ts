/**
 * @module The effective compose file as it is tried on the operator's machine: its own project, no path of a host, no port
 * but one of the ingress on loopback, nothing that is started again.
 */
import { posix } from "node:path";
import { parse } from "yaml";
import { FleetError } from "../errors.ts";
import { serverPaths } from "../naming.ts";
import { isRecord, kept } from "./allow-list.ts";
import { writeCompose } from "./yaml.ts";

export interface ScratchMount {
  readonly service: string;
  /** Path on a server, e.g. /opt/geoclic/shared/binds/HASH/conf.d. */
  readonly source: string;
  /** Path inside the container, where the content must be copied. */
  readonly target: string;
}

export interface Scratch {
  readonly text: string;
  /** Bind mounts that were taken out. */
  readonly mounts: readonly ScratchMount[];
}

/** What `renderCompose` says of a service. A release that an older tool made may say more. */
const rendered = new Set([
  ...Object.keys(kept),
  ...["environment", "healthcheck", "image", "init", "logging", "mem_limit", "ports", "pull_policy"],
  ...["restart", "security_opt", "stop_grace_period", "volumes"],
]);

/**
 * `ingress`: the service that gets a port, on any free one of loopback.
 * @throws FleetError `COMPOSE_UNEXPECTED`, `COMPOSE_KEY_REFUSED` or `COMPOSE_VALUE_REFUSED`
 */
export function renderScratch(compose: string, project: string, ingress: string): Scratch {
  const file: unknown = parse(compose);
  if (!isRecord(file) || !isRecord(file.services))
    throw new FleetError("COMPOSE_UNEXPECTED", { problem: "it has no `services`" });
  const declared = isRecord(file.volumes) ? file.volumes : {};
  const mounts: ScratchMount[] = [];
  const services = Object.fromEntries(
    Object.entries(file.services).map(([name, service]) => [name, scratchService(name, service)]),
  );
  return {
    text: writeCompose({
      name: project,
      services,
      networks: unnamed(file.networks),
      volumes: unnamed(declared),
    }),
    mounts,
  };

  function scratchService(name: string, service: unknown): Record<string, unknown> {
    const { volumes = [], ports: _, restart: __, ...rest } = isRecord(service) ? service : {};
    const unknown = Object.keys(rest).filter((key) => !rendered.has(key));
    if (unknown.length > 0)
      throw new FleetError("COMPOSE_KEY_REFUSED", {
        file: "compose.yml",
        places: unknown.map((key) => `services.${name}.${key}`).join(", "),
        allowed: [...rendered].sort().join(", "),
      });
    const own = (volumes as string[]).filter((volume) => {
      const [source = "", target = ""] = volume.split(":");
      if (Object.hasOwn(declared, source)) return true;
      if (!posix.normalize(source).startsWith(`${serverPaths.root}/`))
        throw new FleetError("COMPOSE_VALUE_REFUSED", {
          file: "compose.yml",
          problems: `services.${name}.volumes: expected a volume or a path below ${serverPaths.root}, got ${JSON.stringify(volume)}`,
        });
      mounts.push({ service: name, source, target });
      return false;
    });
    return {
      ...rest,
      security_opt: ["no-new-privileges:true"],
      restart: "no",
      ...(own.length > 0 ? { volumes: own } : {}),
      ...(name === ingress ? { ports: ["127.0.0.1:0:443"] } : {}),
    };
  }
}

/** A fixed name would be the real one's, a driver's options could be a folder of this machine. */
function unnamed(entries: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.keys(isRecord(entries) ? entries : {}).map((name) => [name, {}]));
}
