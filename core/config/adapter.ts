/** @module The adapter: how a suite is laid out. Read from YAML, checked strictly. */
import { z } from "zod";
import { FleetError } from "../errors.ts";
import { parse } from "./parse.ts";

const relativePath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0\n]+$/, "expected a path inside the suite");
const serviceName = z.string().regex(/^[a-z][a-z0-9_-]{0,30}$/, "expected a compose service name");
const plainValue = z.string().regex(/^[^\\\r\n\0]*$/, "expected a value without line break or backslash");
const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "expected a variable name in capitals");

const Service = z.strictObject({
  /** `built` from the suite's Dockerfile, or `pulled` under the base file's name. */
  image: z.enum(["built", "pulled"]),
  /** Paths whose content decides the image; only they are in the build's context. */
  inputs: z.array(relativePath).optional(),
  stateful: z.boolean().default(false),
  ingress: z.boolean().default(false),
  /** Path to probe from outside. */
  probe: z.string().startsWith("/").optional(),
  /** URL asked inside the container; replaces the base file's health check. */
  healthcheck: z.url().optional(),
  /** Command run inside the container; replaces the base file's health check. */
  healthcommand: z.array(z.string()).optional(),
  /** Limit of memory, e.g. `512m`. @default the base file's, else 512m */
  memory: z
    .string()
    .regex(/^\d+[mg]$/, "expected e.g. 512m")
    .optional(),
  /** Seconds between SIGTERM and SIGKILL. */
  drainSeconds: z.int().min(1).max(300).default(30),
});

const Hook = z.strictObject({
  service: serviceName,
  /** Program and options before the script's text, e.g. `[python, -c]`. */
  interpreter: z.array(z.string().min(1)).min(1),
  /** Script beside the adapter; it gets JSON on its standard input. */
  script: relativePath,
});
export type AdapterHook = z.infer<typeof Hook>;

export const Adapter = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Base compose file. */
  compose: relativePath,
  /** Compose project; never changes, volumes hang on it. */
  project: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  /** Patterns in .gitignore's syntax, never sent. */
  exclude: z.array(z.string().min(1)),
  /** In the order of start and replacement. */
  services: z.record(serviceName, Service),
  health: z.strictObject({ path: z.string().startsWith("/"), field: z.string(), equals: z.string() }),
  env: z.strictObject({
    generated: z.record(variable, z.strictObject({ bytes: z.int().min(16).max(64) })),
    fixed: z.record(variable, plainValue),
    /** `{domain}` and `{email}` are filled in. */
    derived: z.record(variable, plainValue),
  }),
  database: z.strictObject({
    service: serviceName,
    user: z.string(),
    name: z.string(),
    init: relativePath,
    migrations: relativePath,
    /** Files that go before the numbered ones. */
    first: z.array(z.string()).default([]),
    /** SQLSTATEs that a file may meet on a schema that already has its objects. */
    tolerate: z.record(z.string(), z.array(z.string().regex(/^[0-9A-Z]{5}$/))).default({}),
    ledger: z.string().regex(/^[a-z_]+$/),
    breaking: z.array(z.string()).default([]),
    /** Files whose statements run outside a transaction, each kept by itself. */
    autocommit: z.array(z.string()).default([]),
  }),
  files: z.strictObject({ service: serviceName, path: z.string().startsWith("/"), volume: z.string() }),
  /** What each bind mount's source of the base file is. */
  binds: z.record(z.string(), z.enum(["config", "static", "tls", "logs", "acme", "drop"])),
  tls: z.strictObject({ service: serviceName, test: z.array(z.string()), reload: z.array(z.string()) }),
  ingress: z.strictObject({
    service: serviceName,
    /** Bind source to which the route of the running release is added. */
    confd: z.string(),
    /** Folder inside the ingress for what the tool publishes. */
    public: z.string().startsWith("/"),
    /** Webroot inside the ingress for certificates; mounted where the base file does not. */
    acme: z.string().startsWith("/"),
    /** File inside the ingress, in a mounted folder: while it exists the public sees the 503 page. */
    maintenance: z.string().startsWith("/").optional(),
  }),
  hooks: z.strictObject({ createAdmin: Hook, setTown: Hook, disableDefaultAdmin: Hook }),
  demo: z.strictObject({ file: relativePath, allowed: z.boolean() }),
  /** Paths to probe from outside. */
  routes: z.array(z.string().startsWith("/")),
});
export type Adapter = z.infer<typeof Adapter>;
export type AdapterService = z.infer<typeof Service>;

/** @throws FleetError `ADAPTER_INVALID` with the path of every wrong value. */
export function parseAdapter(value: unknown, file: string): Adapter {
  const parsed = parse(Adapter, value);
  if (!parsed.ok) throw new FleetError("ADAPTER_INVALID", { file, problems: parsed.problems });
  const problems = contradictions(parsed.value);
  if (problems.length > 0) throw new FleetError("ADAPTER_INVALID", { file, problems: problems.join("; ") });
  return parsed.value;
}

function contradictions({ services, database, files, tls, ingress, hooks, binds }: Adapter): string[] {
  const known = Object.keys(services);
  const named = { database, files, tls, ingress, ...hooks };
  const unknown = Object.entries(named)
    .filter(([, { service }]) => !known.includes(service))
    .map(
      ([key, { service }]) => `${key}: unknown service "${service}", expected one of: ${known.join(", ")}`,
    );
  if (binds[ingress.confd] === "config") return unknown;
  return [
    ...unknown,
    `ingress.confd: expected a bind of the kind config, got ${JSON.stringify(ingress.confd)}`,
  ];
}
