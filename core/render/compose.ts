/** @module The effective compose file: the suite's base file made safe to replace service by service. */
import { parse as parseYaml, stringify } from "yaml";
import type { Adapter, AdapterService } from "../config/adapter.ts";
import { FleetError } from "../errors.ts";
import { serverPaths } from "../naming.ts";

/** What the base file says of a service. Only what the tool reads is named. */
export interface BaseService {
  readonly image?: string;
  readonly build?: string | BaseBuild;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>> | readonly string[];
  readonly [key: string]: unknown;
}

export interface BaseBuild {
  readonly context?: string;
  readonly dockerfile?: string;
  readonly args?: Readonly<Record<string, unknown>> | readonly string[];
}

export interface BaseCompose {
  readonly services: Readonly<Record<string, BaseService>>;
  readonly networks?: unknown;
  readonly volumes?: unknown;
}

/** Where each bind mount's source lives on a server, by its source in the base file. */
export type BindTargets = Readonly<Record<string, string>>;

export interface ComposeInput {
  readonly base: BaseCompose;
  readonly adapter: Adapter;
  /** Image name by service. */
  readonly images: Readonly<Record<string, string>>;
  readonly configBinds: BindTargets;
}

/** @throws FleetError `COMPOSE_UNEXPECTED` when the text is no compose file or names other services than the adapter */
export function parseBaseCompose(text: string, adapter: Adapter): BaseCompose {
  const base: unknown = parseYaml(text, { merge: true });
  if (!isBaseCompose(base)) throw unexpected("it has no `services`");
  const inFile = Object.keys(base.services).sort();
  const inAdapter = Object.keys(adapter.services).sort();
  if (inFile.join() !== inAdapter.join())
    throw unexpected(`it has the services ${inFile.join(", ")}, the adapter ${inAdapter.join(", ")}`);
  return base;
}

/**
 * Renders the file that servers run: no fixed container names, host ports only at the ingress, images by content key,
 * every bind mount outside the release, health checks, log limits, no secret and no fall-back for one.
 * Nothing depends on another service in it: the order of start is the adapter's, and a changed service alone is replaced.
 * @throws FleetError `COMPOSE_UNEXPECTED` when a bind mount is not in the adapter
 */
export function renderCompose({ base, adapter, images, configBinds }: ComposeInput): string {
  const services = Object.fromEntries(
    Object.entries(adapter.services).map(([name, rules]) => [
      name,
      renderService(name, rules, base.services[name] ?? {}),
    ]),
  );
  return stringify(
    {
      name: adapter.project,
      services,
      ...(base.networks ? { networks: base.networks } : {}),
      ...(base.volumes ? { volumes: base.volumes } : {}),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );

  function renderService(name: string, rules: AdapterService, service: BaseService) {
    const { build, image, container_name, ports, volumes, depends_on, environment, healthcheck, ...rest } =
      withoutFallbacks(service);
    const own = (volumes ?? []).flatMap((volume) => mount(name, volume));
    const mounts = [...own, ...published(name, own)];
    const check = healthCheck(rules, healthcheck);
    return {
      ...rest,
      image: images[name],
      pull_policy: "never",
      restart: "unless-stopped",
      init: true,
      mem_limit: rules.memory,
      stop_grace_period: `${rules.drainSeconds}s`,
      logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
      ...(environment ? { environment } : {}),
      ...(check ? { healthcheck: check } : {}),
      ...(rules.ingress && ports ? { ports } : {}),
      ...(mounts.length > 0 ? { volumes: mounts } : {}),
    };
  }

  function mount(service: string, volume: string): string[] {
    if (typeof volume !== "string")
      throw unexpected(
        `service ${service} mounts ${JSON.stringify(volume)}, expected the form "source:target"`,
      );
    const [source = "", target = "", mode] = volume.split(":");
    if (!isBind(source)) return [volume];
    const kind = adapter.binds[source];
    if (kind === undefined)
      throw unexpected(
        `service ${service} mounts ${source}, which the adapter's \`binds\` does not name (it names ${Object.keys(adapter.binds).join(", ")})`,
      );
    if (kind === "drop") return [];
    const suffix = mode ? `:${mode}` : "";
    return [`${hostPath(kind, source, service)}:${target}${suffix}`];
  }

  function hostPath(
    kind: "config" | "static" | "tls" | "logs" | "acme",
    source: string,
    service: string,
  ): string {
    switch (kind) {
      case "config": {
        const path = configBinds[source];
        if (path === undefined) throw unexpected(`no content is known for ${source}`);
        return path;
      }
      case "static":
        return `${serverPaths.static}/${baseName(source)}`;
      case "tls":
        return serverPaths.tls;
      case "logs":
        return `${serverPaths.logs}/${service}`;
      case "acme":
        return serverPaths.acme;
    }
  }

  function published(service: string, mounts: readonly string[]): string[] {
    if (service !== adapter.ingress.service) return [];
    const hasAcme = mounts.some((mount) => mount.split(":")[1] === adapter.ingress.acme);
    return [
      ...(hasAcme ? [] : [`${serverPaths.acme}:${adapter.ingress.acme}:ro`]),
      `${serverPaths.public}:${adapter.ingress.public}:ro`,
    ];
  }

  /** `${SECRET:-constant}` becomes `${SECRET:?…}`: a missing secret must stop the start, not weaken it. */
  function withoutFallbacks(service: BaseService): BaseService {
    const names = Object.keys(adapter.env.generated);
    if (names.length === 0) return service;
    const secret = `(${names.join("|")})`;
    const fallback = "(?::?[-?](?:[^{}]|\\$\\{[^{}]*\\})*)?";
    // `$$` is a dollar of the container's own.
    const pattern = new RegExp(`(?<!\\$)\\$(?:\\{${secret}${fallback}\\}|${secret}(?!\\w))`, "g");
    const required = (_match: string, braced?: string, bare?: string) => `\${${braced ?? bare}:?is missing}`;
    return JSON.parse(JSON.stringify(service).replaceAll(pattern, required)) as BaseService;
  }
}

/** Last part of a path in the base file, e.g. `www` of `./www`. */
export function baseName(path: string): string {
  return path.split("/").filter(Boolean).at(-1) ?? path;
}

/** A path, or one that a variable gives; anything else names a volume. */
function isBind(source: string): boolean {
  return /^[./~$]/.test(source);
}

function healthCheck(rules: AdapterService, base: unknown): unknown {
  if (rules.healthcommand) return { ...timing, test: ["CMD", ...rules.healthcommand.map(literally)] };
  if (rules.healthcheck)
    return { ...timing, test: ["CMD", "wget", "-q", "-T", "3", "-O", "/dev/null", rules.healthcheck] };
  return base;
}

/** Compose would fill in a variable. */
function literally(word: string): string {
  return word.replaceAll("$", "$$$$");
}

/** Quick while a service starts, since a replacement waits for it; rare afterwards, since ten checks share small machines. */
const timing = { interval: "15s", timeout: "4s", retries: 3, start_period: "60s", start_interval: "1s" };

function isBaseCompose(value: unknown): value is BaseCompose {
  return typeof value === "object" && value !== null && "services" in value && isRecord(value.services);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unexpected(problem: string): FleetError {
  return new FleetError("COMPOSE_UNEXPECTED", { problem });
}
