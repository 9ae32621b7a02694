/**
 * @module What a person may ask for, by any door: one schema a verb. Values are typed; how they are typed in (`25%`, `7.50`)
 * is the door's. No request holds a secret: a password or a mailed token comes beside it.
 */
import { z } from "zod";
import { clientName, sshUser } from "../config/stack.ts";
import { parseShare, parseWaves } from "../rollout/waves.ts";

const text = z.string().min(1).max(500);
const names = z.array(clientName).min(1).max(5000);
const count = z.int().min(1);

const share = z.union([
  z.strictObject({ count: z.int().min(0).max(9999) }),
  z.strictObject({ percent: z.int().min(0).max(100) }),
]);

/** Which clients: those named, or all that are converged. */
const choice = { clients: names.optional(), all: z.boolean().optional() };

const pace = {
  /** Sizes of the waves after the canaries; the last one is repeated. */
  waves: z.array(share).min(1).max(20),
  maxFailures: share,
  soakSeconds: z.int().min(0).max(86_400),
  /** Resources that the engine works on at once. */
  parallel: count.max(500).optional(),
  withoutCanary: z.boolean().optional(),
};

const entry = {
  domain: text.optional(),
  email: text.optional(),
  town: text.optional(),
  ip: text.optional(),
  ipv6: text.optional(),
  serviceName: text.optional(),
  reach: text.optional(),
  sshUser: text.optional(),
  sshPort: z.int().optional(),
  hostKey: z.string().min(1).max(2000).optional(),
  dns: z.enum(["managed", "external"]).optional(),
  canary: z.boolean().optional(),
};

const wish = z.strictObject({
  client: z.strictObject({
    name: clientName,
    domain: text,
    email: text,
    town: text,
    dns: z.enum(["managed", "external"]),
    canary: z.boolean(),
  }),
  ssh: z.strictObject({ user: sshUser, port: z.int() }),
  reach: text,
  plan: text,
  datacenter: text,
  os: text,
});

export const Request = z.discriminatedUnion("verb", [
  z.strictObject({
    verb: z.literal("update"),
    ...choice,
    ...pace,
    /** Id in the store, or a tag or commit of the suite that one was made of; none: the suite's present tree. */
    release: text.optional(),
    services: z.array(text).min(1).optional(),
    /** Name of a file among the release's migrations. */
    migration: text.optional(),
    onlyOutdated: z.boolean().optional(),
    skipCheck: z.boolean().optional(),
  }),
  z.strictObject({ verb: z.literal("rollback"), ...choice, ...pace }),
  z.strictObject({ verb: z.literal("backup"), clients: names, parallel: count.max(100).default(10) }),
  z.strictObject({ verb: z.literal("provision"), client: clientName }),
  z.strictObject({
    verb: z.literal("init"),
    client: clientName,
    email: text.optional(),
    town: text.optional(),
    withDemo: z.boolean().optional(),
  }),
  z.strictObject({ verb: z.literal("add"), name: text, ...entry, check: z.boolean().optional() }),
  z.strictObject({ verb: z.literal("remove"), name: text }),
  z.strictObject({
    verb: z.literal("retire"),
    name: text,
    withoutBackup: z.boolean(),
    /** Converge the stack, so that its record and its secrets go. */
    up: z.boolean(),
    endContract: z.boolean(),
  }),
  z.strictObject({
    verb: z.literal("import"),
    /** Path of the predecessor's clients.conf on the machine of the door. */
    path: text,
    email: text.optional(),
    townFromName: z.boolean().optional(),
    skipRefused: z.boolean().optional(),
    dryRun: z.boolean().optional(),
    /** Where each server is reached, `{1}` to `{4}` being the parts of its address. */
    reach: text,
  }),
  z.strictObject({
    verb: z.literal("order"),
    name: clientName,
    /** None: an order of before is gone on with. */
    wish: wish.optional(),
    waitMinutes: z.int().min(0),
    maxCents: z.int().min(0).optional(),
    orderId: z.int().min(1).optional(),
    buyAgain: z.boolean(),
  }),
  z.strictObject({ verb: z.literal("drift"), clients: names, fix: z.literal(true) }),
  z.strictObject({
    verb: z.literal("ssh-key rotate"),
    /** The one that holds the key. */
    stack: text,
    parallel: count.max(200),
    commit: z.boolean(),
  }),
]);
export type Request = z.infer<typeof Request>;
export type Verb = Request["verb"];
export type RequestOf<V extends Verb> = Extract<Request, { verb: V }>;

/**
 * A request as a journal keeps it, of this version or of one that kept options as they were typed.
 * @returns nothing where no request can be made of it any more
 */
export function readRequest(verb: string, kept: Readonly<Record<string, unknown>>): Request | undefined {
  const typed = Request.safeParse({ ...kept, verb });
  if (typed.success) return typed.data;
  const former = Request.safeParse({
    ...(verb === "update" || verb === "rollback" ? slow : {}),
    ...untyped(kept),
    verb,
  });
  return former.success ? former.data : undefined;
}

/** What the first journals did not keep of a rollout: its slowest way. */
const slow = { waves: [{ percent: 100 }], maxFailures: { count: 0 }, soakSeconds: 0 };

/** Options that were kept as text, as values. */
function untyped(kept: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { waves, maxFailures, services, parallel, ...rest } = kept;
  const whenText = (value: unknown, read: (value: string) => unknown) => {
    try {
      return typeof value === "string" ? read(value) : value;
    } catch {
      return undefined;
    }
  };
  const read = {
    waves: whenText(waves, parseWaves),
    maxFailures: whenText(maxFailures, (value) => parseShare("--max-failures", value)),
    services: whenText(services, (value) => value.split(/[\s,]+/).filter(Boolean)),
    parallel: whenText(parallel, Number),
  };
  return { ...rest, ...Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)) };
}
