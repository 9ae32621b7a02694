/**
 * @module The effective compose file as it is tried on the operator's machine: its own project, no path of a host, no port
 * but one of the ingress on loopback, nothing that is started again.
 */
import { parse, stringify } from "yaml";
import { FleetError } from "../errors.ts";
import { serverPaths } from "../naming.ts";

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

interface Service {
  volumes?: string[];
  ports?: unknown;
  [key: string]: unknown;
}

/** `ingress`: the service that gets a port, on any free one of loopback. @throws FleetError `COMPOSE_UNEXPECTED` */
export function renderScratch(compose: string, project: string, ingress: string): Scratch {
  const file = parse(compose) as {
    services?: Record<string, Service>;
    volumes?: Record<string, unknown>;
    networks?: Record<string, unknown>;
  };
  if (!file.services) throw new FleetError("COMPOSE_UNEXPECTED", { problem: "it has no `services`" });
  const mounts: ScratchMount[] = [];
  const services = Object.fromEntries(
    Object.entries(file.services).map(([name, { volumes = [], ports: _, restart: __, ...rest }]) => {
      const kept = volumes.filter((volume) => {
        const [source = "", target = ""] = volume.split(":");
        if (!source.startsWith(serverPaths.root)) return true;
        mounts.push({ service: name, source, target });
        return false;
      });
      return [
        name,
        {
          ...rest,
          restart: "no",
          ...(kept.length > 0 ? { volumes: kept } : {}),
          ...(name === ingress ? { ports: ["127.0.0.1:0:443"] } : {}),
        },
      ];
    }),
  );
  return {
    text: stringify(
      { name: project, services, networks: unnamed(file.networks), volumes: unnamed(file.volumes) },
      { lineWidth: 0, aliasDuplicateObjects: false },
    ),
    mounts,
  };
}

/** A fixed name would be the real one's. */
function unnamed(entries: Record<string, unknown> | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.keys(entries ?? {}).map((name) => [name, {}]));
}
