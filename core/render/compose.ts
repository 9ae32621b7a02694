/** @module The effective compose file: the suite's base file made safe to replace service by service. */
import type { Adapter, AdapterService } from "../config/adapter.ts";
import { FleetError } from "../errors.ts";
import { serverPaths } from "../naming.ts";
import type { BaseCompose, BaseMount, BaseService, Environment } from "./base-compose.ts";
import { writeCompose } from "./yaml.ts";

/** Where each bind mount's source lives on a server, by its source in the base file. */
export type BindTargets = Readonly<Record<string, string>>;

export interface ComposeInput {
  readonly base: BaseCompose;
  readonly adapter: Adapter;
  /** Image name by service. */
  readonly images: Readonly<Record<string, string>>;
  readonly configBinds: BindTargets;
}

/**
 * Renders the file that servers run: no fixed container names, host ports only at the ingress, images by content key,
 * every bind mount outside the release, health checks, log limits, no new privileges, no secret and no fall-back for one.
 * Nothing depends on another service in it: the order of start is the adapter's, and a changed service alone is replaced.
 * @throws FleetError `COMPOSE_UNEXPECTED` when the content of a mounted configuration is not known
 */
export function renderCompose({ base, adapter, images, configBinds }: ComposeInput): string {
  const services = Object.fromEntries(
    Object.entries(adapter.services).flatMap(([name, rules]) => {
      const service = base.services[name];
      return service ? [[name, renderService(name, rules, service)]] : [];
    }),
  );
  return writeCompose({
    name: adapter.project,
    services,
    ...(isEmpty(base.networks) ? {} : { networks: base.networks }),
    ...(isEmpty(base.volumes) ? {} : { volumes: base.volumes }),
  });

  function renderService(name: string, rules: AdapterService, service: BaseService) {
    const { kept, ports, mounts: own, environment, healthcheck, memory } = withoutFallbacks(service);
    const mounts = [...own.flatMap((each) => mount(name, each)), ...published(name, own)];
    const check = healthCheck(rules, healthcheck);
    return {
      ...kept,
      image: images[name],
      pull_policy: "never",
      restart: "unless-stopped",
      init: true,
      security_opt: ["no-new-privileges:true"],
      mem_limit: rules.memory ?? memory ?? defaultMemory,
      stop_grace_period: `${rules.drainSeconds}s`,
      logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
      ...(environment ? { environment: withSecrets(environment) } : {}),
      ...(check ? { healthcheck: check } : {}),
      ...(ports.length > 0 ? { ports } : {}),
      ...(mounts.length > 0 ? { volumes: mounts } : {}),
    };
  }

  function mount(service: string, { source, target, isReadOnly, kind }: BaseMount): string[] {
    if (kind === "drop") return [];
    const from = kind ? hostPath(kind, source, service) : source;
    // What a release or the tool puts there is no container's to change.
    const mode = isReadOnly || (kind !== undefined && kind !== "logs") ? ":ro" : "";
    return [`${from}:${target}${mode}`];
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

  function published(service: string, mounts: readonly BaseMount[]): string[] {
    if (service !== adapter.ingress.service) return [];
    const hasAcme = mounts.some(({ target }) => target === adapter.ingress.acme);
    return [
      ...(hasAcme ? [] : [`${serverPaths.acme}:${adapter.ingress.acme}:ro`]),
      `${serverPaths.public}:${adapter.ingress.public}:ro`,
    ];
  }

  /** A secret without a value would be taken from wherever Compose finds one, or be left out. */
  function withSecrets(environment: Environment): Environment {
    const isBare = (name: string, value: unknown) =>
      value === null && Object.hasOwn(adapter.env.generated, name);
    if (Array.isArray(environment))
      return environment.map((entry: string) =>
        isBare(entry, null) ? `${entry}=${required(entry)}` : entry,
      );
    return Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        isBare(name, value) ? required(name) : value,
      ]),
    );
  }

  /** `${SECRET:-constant}` becomes `${SECRET:?…}`: a missing secret must stop the start, not weaken it. */
  function withoutFallbacks(service: BaseService): BaseService {
    const names = Object.keys(adapter.env.generated);
    if (names.length === 0) return service;
    const secret = `(${names.join("|")})`;
    const fallback = "(?::?[-?](?:[^{}]|\\$\\{[^{}]*\\})*)?";
    // `$$` is a dollar of the container's own.
    const pattern = new RegExp(`(?<!\\$)\\$(?:\\{${secret}${fallback}\\}|${secret}(?!\\w))`, "g");
    const replaced = JSON.stringify(service).replaceAll(
      pattern,
      (_match: string, braced?: string, bare?: string) => required(braced ?? bare ?? ""),
    );
    return JSON.parse(replaced) as BaseService;
  }
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

/** Last part of a path in the base file, e.g. `www` of `./www`. */
export function baseName(path: string): string {
  return path.split("/").filter(Boolean).at(-1) ?? path;
}

function healthCheck(rules: AdapterService, base: unknown): unknown {
  if (rules.healthcommand) return { ...timing, test: ["CMD", ...rules.healthcommand.map(literally)] };
  if (rules.healthcheck)
    return { ...timing, test: ["CMD", "wget", "-q", "-T", "3", "-O", "/dev/null", rules.healthcheck] };
  return base;
}

function required(secret: string): string {
  return `\${${secret}:?is missing}`;
}

/** Compose would fill in a variable. */
function literally(word: string): string {
  return word.replaceAll("$", "$$$$");
}

/** Where neither the adapter nor the base file says one. */
const defaultMemory = "512m";

/** Quick while a service starts, since a replacement waits for it; rare afterwards, since ten checks share small machines. */
const timing = { interval: "15s", timeout: "4s", retries: 3, start_period: "60s", start_interval: "1s" };

function unexpected(problem: string): FleetError {
  return new FleetError("COMPOSE_UNEXPECTED", { problem });
}
