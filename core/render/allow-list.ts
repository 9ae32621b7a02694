/**
 * @module What a suite's compose file may say: an allow-list. A key that is not in it could give a container the whole server,
 * on every town, and before that on the operator's machine; or it would be dropped, and the suite run as nobody meant.
 */
import { z } from "zod";

/** Compose takes no notice of `x-…`. */
function mapping<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(
    (value) => (isRecord(value) ? without(value, (key) => key.startsWith("x-")) : value),
    z.strictObject(shape, "expected a mapping"),
  );
}

const text = z.string("expected a text");
const flag = z.boolean("expected true or false");
const texts = z.array(text, "expected a list of texts");
const words = z.union([text, texts], "expected a text or a list of texts");
const size = z.union(
  [z.int().positive(), z.string().regex(/^\d+(\.\d+)?[kmg]?b?$/i, "expected a size, e.g. 512m")],
  "expected a size, e.g. 512m",
);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], "expected a text or a number");
const duration = z.string().regex(/^(\d+(\.\d+)?(us|ms|s|m|h))+$/, "expected a duration, e.g. 30s");
const count = z.int("expected a whole number");
const share = z.union(
  [z.number().positive(), z.string().regex(/^\d+(\.\d+)?$/, "expected a number, e.g. 0.5")],
  "expected a number, e.g. 0.5",
);
const name = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, "expected a name of letters, digits, _, . and -");
const variable = z.string().regex(/^[^\s=$]+$/, "expected a variable's name");
/** Docker's own names: a network of that name is not the suite's. */
const ownName = name.refine((given) => !["host", "none", "bridge", "default"].includes(given), {
  error: "expected a name that Docker does not have itself",
});
const label = z.string().regex(/^(?!com\.docker\.|io\.docker\.|org\.dockerproject\.)[A-Za-z0-9][\w./-]*/, {
  error: "expected a label outside Docker's own names",
});

const Networks = z.preprocess(
  (value) => (Array.isArray(value) ? Object.fromEntries(value.map((each) => [String(each), null])) : value),
  z.record(name, mapping({ aliases: texts.optional() }).nullable(), "expected a list of networks"),
);

/** Said to Compose as they stand. None of them reaches out of the container. */
export const kept = {
  cap_drop: texts.optional(),
  command: words.nullish(),
  cpus: share.optional(),
  entrypoint: words.nullish(),
  expose: z
    .array(
      z.union([z.int(), z.string().regex(/^\d+(-\d+)?(\/(tcp|udp))?$/, "expected a port")]),
      "expected a list of ports",
    )
    .optional(),
  extra_hosts: z.union([texts, z.record(z.string(), words)], "expected a list of NAME:ADDRESS").optional(),
  hostname: name.optional(),
  labels: z
    .union([z.array(label), z.record(label, scalar)], "expected labels outside Docker's own names")
    .optional(),
  networks: Networks.optional(),
  pids_limit: count.optional(),
  read_only: flag.optional(),
  shm_size: size.optional(),
  stdin_open: flag.optional(),
  stop_signal: text.optional(),
  tmpfs: z
    .union(
      [
        z.string().startsWith("/", "expected an absolute path"),
        z.array(z.string().startsWith("/", "expected an absolute path")),
      ],
      "expected a path, or a list of paths",
    )
    .optional(),
  tty: flag.optional(),
  ulimits: z
    .record(
      name,
      z.union(
        [z.int(), z.strictObject({ soft: z.int(), hard: z.int() })],
        "expected a number, or {soft, hard}",
      ),
      "expected a mapping",
    )
    .optional(),
  user: text.optional(),
  working_dir: text.optional(),
};

/** Said by the tool in its own way, or without a meaning on a server. */
const replaced = {
  container_name: z.unknown().optional(),
  depends_on: z.unknown().optional(),
  develop: z.unknown().optional(),
  init: z.unknown().optional(),
  logging: z.unknown().optional(),
  pull_policy: z.unknown().optional(),
  restart: z.unknown().optional(),
  stop_grace_period: z.unknown().optional(),
};

const Build = mapping({
  context: text.default("."),
  dockerfile: text.default("Dockerfile"),
  target: name.optional(),
  args: z
    .record(
      variable,
      z.union(
        [
          z.number(),
          z.boolean(),
          z.string().regex(/^[^$]*$/, "expected a value without $: it is not filled in"),
        ],
        "expected a value without $: it is not filled in",
      ),
      "expected a mapping",
    )
    .default({}),
});
const Limits = mapping({ cpus: share.optional(), memory: size.optional(), pids: count.optional() });
const Resources = mapping({ limits: Limits.optional() });
const Deploy = mapping({ resources: Resources.optional() });
const Healthcheck = mapping({
  disable: flag.optional(),
  interval: duration.optional(),
  retries: count.optional(),
  start_interval: duration.optional(),
  start_period: duration.optional(),
  test: words.optional(),
  timeout: duration.optional(),
});
export const Service = mapping({
  ...kept,
  ...replaced,
  build: z.preprocess((value) => (typeof value === "string" ? { context: value } : value), Build).optional(),
  deploy: Deploy.optional(),
  environment: z
    .union(
      [
        z.record(variable, scalar),
        z.array(z.string().regex(/^[^\s=$]+(=|$)/, "expected NAME or NAME=VALUE")),
      ],
      "expected variables and their values",
    )
    .optional(),
  healthcheck: Healthcheck.optional(),
  image: text.optional(),
  mem_limit: size.optional(),
  ports: z.unknown().optional(),
  security_opt: z
    .tuple([z.union([z.literal("no-new-privileges:true"), z.literal("no-new-privileges")])], {
      error: "expected no-new-privileges:true alone, which every container has anyway",
    })
    .optional(),
  volumes: z.array(z.unknown(), "expected a list").default([]),
});
const Network = mapping({
  name: ownName.optional(),
  driver: z.literal("bridge", { error: "expected bridge" }).optional(),
});
const Volume = mapping({ name: name.optional() });
export const Top = mapping({
  /** The project is the adapter's. */
  name: z.unknown().optional(),
  version: z.unknown().optional(),
  services: z.record(name, Service, "expected a mapping"),
  networks: z.record(name, Network.nullable(), "expected a mapping").default({}),
  volumes: z.record(name, Volume.nullable(), "expected a mapping").default({}),
});

/** The mappings of the file by their place, names as `*`. */
export const places: Readonly<Record<string, { readonly out: { readonly shape: object } }>> = {
  "": Top,
  "services.*": Service,
  "services.*.build": Build,
  "services.*.deploy": Deploy,
  "services.*.deploy.resources": Resources,
  "services.*.deploy.resources.limits": Limits,
  "services.*.healthcheck": Healthcheck,
  "services.*.networks.*": mapping({ aliases: texts }),
  "networks.*": Network,
  "volumes.*": Volume,
};

export function without(
  record: Record<string, unknown>,
  isLeftOut: (key: string) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !isLeftOut(key)));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
