/**
 * @module Every step of a client: what the program hands to it, and whether a repair runs it again. Only what must run a
 * step again is handed over; paths of this machine are not, so that every operator's machine agrees.
 */
import { z } from "zod";
import type { SshTarget } from "../commands/ssh.ts";

const text = z.string().min(1);
const id = z.string().regex(/^\d+$/);
/** Travels as words joined by blanks. */
const words = z.array(text).readonly();

const Target = z.object({
  client: text,
  host: text,
  port: z.coerce.number().int(),
  sshUser: text,
  hostKey: text,
});

/** Input of the steps that run on the operator's machine, as the program sends it and the step reads it. */
export const stepInputs = {
  server: Target.extend({ scripts: text }),
  record: z.object({ client: text, domain: text, zone: text, ip: text, ipv6: text.optional() }),
  certificate: Target.extend({
    domain: text,
    ip: text,
    ipv6: text.optional(),
    email: text,
    acmeServer: text,
    /** Empty: the machine's own resolver. */
    dnsServers: words,
    /** Zone at OVH that holds the record, and its id there; both or none. */
    zone: text.optional(),
    record: id.optional(),
    /** Of the AAAA record. */
    recordIpv6: id.optional(),
    /** Authoritative servers; empty: those that the zone names. */
    nameServers: words.optional(),
  }),
  delivery: Target.extend({ release: text, build: z.enum(["operator", "client"]) }),
  activation: Target.extend({ release: text, domain: text }),
} as const;

export type LocalStep = keyof typeof stepInputs;
export type StepInput<S extends LocalStep> = z.infer<(typeof stepInputs)[S]>;

/** Sent beside a step's input: the step does not read it, but runs again when it changes. */
export interface StepTriggers {
  readonly server: object;
  readonly record: object;
  readonly certificate: object;
  readonly delivery: object;
  readonly activation: {
    /** Hash of the plain environment. */
    readonly environment: string;
    /** Key of each service's container by its name. */
    readonly service: Readonly<Record<string, string>>;
  };
}

/** Steps that put a server's state right, in their order; accounts, the town's name and records are not theirs. */
export const repairedSteps = [
  "server",
  "base",
  "environment",
  "certificate",
  "delivery",
  "activation",
  "schedules",
] as const;

export function sshTarget({ client, host, port, sshUser, hostKey }: z.infer<typeof Target>): SshTarget {
  return { client, host, port, user: sshUser, hostKey };
}
