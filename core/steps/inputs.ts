/**
 * @module What the program hands to its local steps: plain variables, which a preview shows.
 * Only what must re-run a step is in them; paths of this machine are not, so that every operator's machine agrees.
 */
import { z } from "zod";
import type { SshTarget } from "../commands/ssh.ts";
import { parse } from "../config/parse.ts";
import { FleetError } from "../errors.ts";

const Target = z.object({
  CLIENT: z.string().min(1),
  HOST: z.string().min(1),
  PORT: z.coerce.number().int(),
  SSH_USER: z.string().min(1),
  HOST_KEY: z.string().min(1),
});

export const PrepareInput = Target.extend({ SCRIPTS: z.string().min(1) });
export const CertificateInput = Target.extend({
  DOMAIN: z.string().min(1),
  IP: z.string().min(1),
  IPV6: z.string().min(1).optional(),
  EMAIL: z.string().min(1),
  ACME_SERVER: z.string().min(1),
  /** Joined by blanks; empty: the machine's own resolver. */
  DNS_SERVERS: z.string(),
  /** Zone at OVH that holds the record, and its id there; both or none. */
  ZONE: z.string().min(1).optional(),
  RECORD: z.string().regex(/^\d+$/).optional(),
  /** Of the AAAA record. */
  RECORD_IPV6: z.string().regex(/^\d+$/).optional(),
  /** Authoritative servers, joined by blanks; empty: those that the zone names. */
  NAME_SERVERS: z.string().optional(),
});
export const RecordInput = z.object({
  CLIENT: z.string().min(1),
  DOMAIN: z.string().min(1),
  ZONE: z.string().min(1),
  IP: z.string().min(1),
  IPV6: z.string().min(1).optional(),
});
export const DeliveryInput = Target.extend({
  RELEASE: z.string().min(1),
  BUILD: z.enum(["operator", "client"]),
});
export const ActivationInput = Target.extend({
  RELEASE: z.string().min(1),
  DOMAIN: z.string().min(1),
});

export type PrepareInput = z.infer<typeof PrepareInput>;
export type RecordInput = z.infer<typeof RecordInput>;
export type CertificateInput = z.infer<typeof CertificateInput>;
export type DeliveryInput = z.infer<typeof DeliveryInput>;
export type ActivationInput = z.infer<typeof ActivationInput>;

/** Variable of a step's process: path of a file whose existence says that the operation is cancelled. */
export const cancelVariable = "GEOCLIC_CANCEL";

/** Variable of steps that must not believe what is there: `1` while drift is put right. */
export const repairVariable = "GEOCLIC_REPAIR";

/** Names every variable of a step so that it cannot meet one of the machine's. */
const prefix = "GEOCLIC_STEP_";

/** Variables of a step's process from its input. */
export function stepVariables(input: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [prefix + name, String(value)]));
}

/** @throws FleetError `STEP_INPUT_INVALID` */
export function readStepInput<T>(step: string, schema: z.ZodType<T>, env: NodeJS.ProcessEnv): T {
  const own = Object.entries(env)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value]);
  const parsed = parse(schema, Object.fromEntries(own));
  if (!parsed.ok) throw new FleetError("STEP_INPUT_INVALID", { step, problems: parsed.problems });
  return parsed.value;
}

export function sshTarget(input: z.infer<typeof Target>): SshTarget {
  return {
    client: input.CLIENT,
    host: input.HOST,
    port: input.PORT,
    user: input.SSH_USER,
    hostKey: input.HOST_KEY,
  };
}
