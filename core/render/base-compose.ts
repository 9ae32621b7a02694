/** @module The suite's compose file, read against the allow-list and against its adapter. */
import { posix } from "node:path";
import type { z } from "zod";
import type { Adapter } from "../config/adapter.ts";
import { pathOf, show } from "../config/parse.ts";
import { FleetError } from "../errors.ts";
import { isRecord, kept, places, type Service, Top, without } from "./allow-list.ts";
import { parseCompose } from "./yaml.ts";

export interface BaseCompose {
  readonly services: Readonly<Record<string, BaseService>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** A service of the base file, by what the tool makes of it. */
export interface BaseService {
  readonly image?: string | undefined;
  readonly build?: BaseBuild | undefined;
  readonly ports: readonly string[];
  readonly mounts: readonly BaseMount[];
  readonly environment?: Environment | undefined;
  readonly healthcheck?: unknown;
  /** What it says of memory, from whichever of the two keys. */
  readonly memory?: string | number | undefined;
  /** Taken as they are, see `kept`. */
  readonly kept: Readonly<Record<string, unknown>>;
}

export interface BaseBuild {
  readonly context: string;
  readonly dockerfile: string;
  readonly target?: string | undefined;
  readonly args: Readonly<Record<string, string | number | boolean>>;
}

export interface BaseMount {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  /** Absent for a volume. */
  readonly kind?: Adapter["binds"][string];
}

type Scalar = string | number | boolean | null;
export type Environment = Readonly<Record<string, Scalar>> | readonly string[];

/** A published port of the ingress: `80:80`, `${HTTP_PORT:-80}:80`, `127.0.0.1:80:80/tcp`. */
const port = /^((\d{1,3}(\.\d{1,3}){3}|\$\{\w+(:?-[\d.]+)?\}):)?(\d+|\$\{\w+(:?-\d+)?\}):\d+(\/(tcp|udp))?$/;

/**
 * @throws FleetError `COMPOSE_KEY_REFUSED`, `COMPOSE_VALUE_REFUSED`, `COMPOSE_AMBIGUOUS`, or `COMPOSE_UNEXPECTED` when file and
 * adapter do not name the same services and mounts
 */
export function parseBaseCompose(source: string, adapter: Adapter): BaseCompose {
  const file = adapter.compose;
  const given = parseCompose(source, file);
  if (!isRecord(given) || !isRecord(given.services)) throw unexpected("it has no `services`");
  const inFile = Object.keys(given.services).sort();
  const inAdapter = Object.keys(adapter.services).sort();
  if (inFile.join() !== inAdapter.join())
    throw unexpected(`it has the services ${inFile.join(", ")}, the adapter ${inAdapter.join(", ")}`);
  const parsed = Top.safeParse(given, { reportInput: true });
  if (!parsed.success) throw refused(file, parsed.error.issues);
  const { services, networks, volumes } = parsed.data;
  return {
    networks,
    volumes,
    services: Object.fromEntries(
      Object.entries(services).map(([key, described]) => [key, service(key, described)]),
    ),
  };

  function service(key: string, described: z.infer<typeof Service>): BaseService {
    for (const network of Object.keys(described.networks ?? {}))
      if (network !== "default" && !Object.hasOwn(networks, network))
        throw wrong(`services.${key}.networks: ${network} is not declared in \`networks\``);
    const limits = described.deploy?.resources?.limits ?? {};
    for (const [own, limit] of [
      ["mem_limit", "memory"],
      ["cpus", "cpus"],
      ["pids_limit", "pids"],
    ] as const)
      if (described[own] !== undefined && limits[limit] !== undefined)
        throw wrong(`services.${key}: ${own} and deploy.resources.limits.${limit}, expected one of them`);
    const { image, build, environment, healthcheck } = described;
    const isIngress = adapter.services[key]?.ingress ?? false;
    return {
      image,
      build,
      environment,
      healthcheck,
      ports: isIngress ? portsOf(key, described.ports) : [],
      mounts: described.volumes.map((volume) => mount(key, volume)),
      memory: described.mem_limit ?? limits.memory,
      kept: {
        ...(limits.cpus === undefined ? {} : { cpus: limits.cpus }),
        ...(limits.pids === undefined ? {} : { pids_limit: limits.pids }),
        // As it stands, not as it was read: a list of networks stays one.
        ...without(
          (given as { services: Record<string, Record<string, unknown>> }).services[key] ?? {},
          (each) => !Object.hasOwn(kept, each),
        ),
      },
    };
  }

  function portsOf(key: string, ports: unknown): string[] {
    if (ports === undefined) return [];
    if (!Array.isArray(ports) || !ports.every((each) => typeof each === "string" && port.test(each)))
      throw wrong(`services.${key}.ports: expected a list of OUTSIDE:INSIDE, got ${show(ports)}`);
    return ports;
  }

  function mount(key: string, volume: unknown): BaseMount {
    if (typeof volume !== "string")
      throw unexpected(`service ${key} mounts ${show(volume)}, expected the form "source:target"`);
    // A source may hold a colon itself: `${DATA:-./data}`.
    const bind = Object.keys(adapter.binds).find((each) => volume.startsWith(`${each}:`));
    const [source = "", ...rest] = bind
      ? [bind, ...volume.slice(bind.length + 1).split(":")]
      : volume.split(":");
    const [target = "", mode = "rw"] = rest;
    if (!bind && !Object.hasOwn(volumes, source))
      throw unexpected(
        /^[./~$]/.test(source)
          ? `service ${key} mounts ${source}, which the adapter's \`binds\` does not name (it names ${Object.keys(adapter.binds).join(", ")})`
          : `service ${key} mounts ${source}, which is not declared in \`volumes\``,
      );
    if (rest.length > 2 || !["ro", "rw"].includes(mode) || !isFolder(target))
      throw wrong(`services.${key}.volumes: expected SOURCE:TARGET or SOURCE:TARGET:ro, got ${show(volume)}`);
    const kind = bind === undefined ? undefined : adapter.binds[bind];
    if (kind === "tls" && key !== adapter.tls.service)
      throw unexpected(
        `service ${key} mounts ${source}, the certificate's key, which is for ${adapter.tls.service} alone`,
      );
    return { source, target, isReadOnly: mode === "ro", ...(kind ? { kind } : {}) };
  }

  function wrong(problems: string): FleetError {
    return new FleetError("COMPOSE_VALUE_REFUSED", { file, problems });
  }
}

/** Unknown keys come first: with them gone, values may be right. */
function refused(file: string, issues: readonly z.core.$ZodIssue[]): FleetError {
  const unknown = issues.filter((issue) => issue.code === "unrecognized_keys");
  const [first] = unknown;
  if (!first)
    return new FleetError("COMPOSE_VALUE_REFUSED", { file, problems: issues.map(valueProblem).join("; ") });
  const place = placeOf(first.path);
  return new FleetError("COMPOSE_KEY_REFUSED", {
    file,
    places: unknown
      .filter(({ path }) => placeOf(path) === place)
      .flatMap(({ path, keys }) => keys.map((key) => pathOf([...path, key])))
      .join(", "),
    allowed: Object.keys(places[place]?.out.shape ?? {})
      .sort()
      .join(", "),
  });
}

function valueProblem(issue: z.core.$ZodIssue): string {
  const { path } = issue;
  const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  // A value of the environment may be a secret.
  const isShown =
    "input" in issue &&
    !path.some((part) => ["environment", "args", "command", "entrypoint"].includes(String(part)));
  return `${pathOf(path)}: ${message}${isShown ? `, got ${show(issue.input)}` : ""}`;
}

function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (index === 1 || (index === 3 && path[2] === "networks") ? "*" : String(part)))
    .join(".");
}

/** An absolute path that stands for itself. */
function isFolder(path: string): boolean {
  return /^\/[^$\0\n]+$/.test(path) && posix.normalize(path) === path;
}

function unexpected(problem: string): FleetError {
  return new FleetError("COMPOSE_UNEXPECTED", { problem });
}
