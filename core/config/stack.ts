/** @module The configuration of a stack: strict schemas, parsed once in `index.ts`. */
import { z } from "zod";
import { shortIpv6 } from "../certificate/dns.ts";
import type { SshTarget } from "../commands/ssh.ts";
import { FleetError } from "../errors.ts";
import { isReleaseId } from "../naming.ts";
import { parse } from "./parse.ts";

const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const ipv4 = z.ipv4("expected an IPv4 address, e.g. 51.210.42.100");
const ipv6 = z
  .ipv6({ error: "expected an IPv6 address, e.g. 2001:41d0:203:1::2a", abort: true })
  // OVH and DNS tell it so: another form would differ at every preview.
  .refine((address) => shortIpv6(address) === address, {
    error: ({ input }) => `expected the short form in lower case, ${shortIpv6(String(input))}`,
  });
const httpsUrl = /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[A-Za-z0-9._~/-]*)?$/;

const dnsServer = z
  .string()
  .refine(
    (server) => ipv4.safeParse(server.replace(/:\d{1,5}$/, "")).success,
    "expected address:port, e.g. 1.1.1.1:53",
  );
const domain = z.string().regex(hostName, "expected a host name in lower case, e.g. ville-lyon.geoclic.fr");
const email = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._%+-]*@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}$/,
    "expected an e-mail address, e.g. admin@ville-lyon.fr",
  );
const releaseId = z.string().refine(isReleaseId, "expected a release id: 12 characters of 0-9a-f");
const hostKey = z.string().regex(
  /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,1000}={0,3}$/,
  // Pulumi's command plugin offers a server of today no signature that fits an ssh-rsa key.
  'expected a public host key of ed25519 or ecdsa, without comment, e.g. "ssh-ed25519 AAAA…" (`ssh-keyscan -t ed25519 HOST`)',
);

/** An IPv4 address or a host name, as a server may be called by. */
export const address = z.union([ipv4, z.string().regex(hostName)]);
export const sshUser = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "expected a user name, e.g. ubuntu");

export const clientName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    "expected 1 to 40 characters of a-z, 0-9 and -, a letter first, e.g. ville-lyon",
  );
const serviceName = z
  .string()
  .regex(
    /^vps-?[a-z0-9]{4,20}\.vps\.ovh\.(net|ca|us)$/,
    "expected a VPS of OVH, e.g. vps-0a1b2c3d.vps.ovh.net",
  );

const Client = z.strictObject({
  /** The key of the client everywhere. */
  name: clientName,
  domain,
  /** Administrator of the town; Let's Encrypt's account too. */
  email,
  /** The town's name as its citizens read it. */
  town: z
    .string()
    .min(1, "expected the town's name")
    .max(120, "expected at most 120 characters")
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u, "expected a name without control characters or line breaks")
    .regex(/\S/, "expected the town's name"),
  /** The server's address; where it is left out, OVH is asked for that of `serviceName`. */
  ip: ipv4.optional(),
  /** The same server's IPv6 address: its AAAA record with `dns: managed`, else one that may stand beside the A record. */
  ipv6: ipv6.optional(),
  /** The VPS that is owned at OVH. */
  serviceName: serviceName.optional(),
  /** Where SSH and probes connect. @default the ip */
  reach: z.union([ipv4, z.string().regex(hostName)], "expected an IPv4 address or a host name").optional(),
  ssh: z.strictObject({
    user: sshUser.default("ubuntu"),
    port: z.int().min(1).max(65_535).default(22),
    hostKey,
  }),
  /** `managed`: the A record (and the AAAA record, where `ipv6` stands) is made in a zone of `zones`; `external`: it is made elsewhere and only checked. */
  dns: z.enum(["managed", "external"], 'expected "managed" or "external"').default("external"),
  release: releaseId.optional(),
  /** Every other client waits until this one is proven. */
  canary: z.boolean().default(false),
  /** Kept declared and protected, no longer converged. */
  detached: z.boolean().default(false),
});
export const ClientConfig = Client.refine(
  ({ ip, serviceName, reach }) => ip !== undefined || (serviceName !== undefined && reach !== undefined),
  "expected an ip, or a serviceName with the address to reach it",
);
export type ClientConfig = z.infer<typeof ClientConfig>;

export const FleetConfig = z
  .strictObject({
    role: z.literal("fleet"),
    suite: z.strictObject({
      /** Folder of the suite's checkout. */
      path: z.string().min(1),
      /** Adapter file, relative to this project. */
      adapter: z.string().min(1).default("assets/suites/geoclic.yaml"),
      /** Changing it rebuilds all images on fresh base images, e.g. `2026-11`. */
      imagesAsOf: z
        .string()
        .regex(/^[0-9A-Za-z.-]{1,20}$/, "expected up to 20 characters, e.g. 2026-11")
        .default("first"),
    }),
    /** Where images are built: on the operator's machine, once, or on each client. */
    build: z.enum(["operator", "client"]).default("operator"),
    release: releaseId.optional(),
    acme: z
      .strictObject({
        /** ACME directory. */
        server: z
          .string()
          .regex(httpsUrl, "expected an https URL")
          .default("https://acme-v02.api.letsencrypt.org/directory"),
      })
      .prefault({}),
    /** DNS servers asked before a certificate, `address:port`; none: the machine's own resolver. */
    dnsServers: z.array(dnsServer).default([]),
    /** Zones at OVH in which the records of `dns: managed` are made. */
    zones: z.array(domain).default([]),
    /** Authoritative servers of the zones, `address:port`; none: those that the zone names. */
    nameServers: z.array(dnsServer).default([]),
    schedules: z
      .strictObject({
        /** Local time of the server, `HH:MM`. */
        backup: z
          .string()
          .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "expected a time, e.g. 01:30")
          .regex(
            /^(?!02)/,
            "expected a time outside 02:00 to 02:59, e.g. 01:30: on the night of the change to summer time that hour does not exist, and no backup would be made",
          )
          .default("01:30"),
        monitorMinutes: z.int().min(1).max(60).default(5),
      })
      .prefault({}),
    /** Refuse that Pulumi deletes secrets. @default true */
    protect: z.boolean().default(true),
    /** Stack that holds the fleet's key. */
    master: z.string().min(1).default("organization/geoclic-fleet/master"),
    clients: z.array(ClientConfig).default([]),
    /** Clients that were taken off the fleet for good; their names are not free until they are removed from here. */
    retired: z.array(z.strictObject({ name: clientName, on: z.iso.date() })).default([]),
    /**
     * Secrets that a client brought from a former installation, by client and variable; all others are generated.
     * Kept encrypted in the stack file.
     */
    secrets: z
      .record(
        clientName,
        z.record(z.string(), z.string().regex(/^[!-~]{8,200}$/, "expected 8 to 200 printable characters")),
      )
      .default({}),
  })
  .superRefine((config, context) => {
    for (const key of ["name", "domain", "ip", "ipv6", "serviceName"] as const)
      unique(config.clients, key, context);
    for (const [index, { domain, dns }] of config.clients.entries())
      if (dns === "managed" && !zoneOf(domain, config.zones))
        context.addIssue({
          code: "custom",
          path: ["clients", index, "domain"],
          message: `expected a name below one of the zones (${config.zones.join(", ") || "none is declared"}), as dns is "managed"`,
          input: domain,
        });
    const retired = new Set(config.retired.map(({ name }) => name));
    for (const [index, { name }] of config.clients.entries())
      if (retired.has(name))
        context.addIssue({
          code: "custom",
          path: ["clients", index, "name"],
          message: "expected a name that is not retired (see `retired`)",
          input: name,
        });
  });
export type FleetConfig = z.infer<typeof FleetConfig>;

export const MasterConfig = z.strictObject({
  role: z.literal("master"),
  /** Refuse that Pulumi deletes the fleet's key. @default true */
  protect: z.boolean().default(true),
  /** Generations of the fleet's key, oldest first: two while it is rotated. Kept by `ssh-key rotate`. */
  keys: z
    .array(z.int().min(1).max(9999))
    .min(1)
    .max(2)
    .refine(
      ([first = 0, second = Infinity]) => first < second,
      "expected one generation, or two, oldest first",
    )
    .default([1]),
});
export type MasterConfig = z.infer<typeof MasterConfig>;

export const StackConfig = z.discriminatedUnion(
  "role",
  [MasterConfig, FleetConfig],
  'expected "master" or "fleet"',
);
export type StackConfig = z.infer<typeof StackConfig>;

/** Where SSH and probes connect. */
export function reachOf({ reach, ip, name }: Pick<ClientConfig, "reach" | "ip" | "name">): string {
  const address = reach ?? ip;
  if (address === undefined) throw new RangeError(`${name} has no address`);
  return address;
}

/** The longest of the zones that holds a name. */
export function zoneOf(name: string, zones: readonly string[]): string | undefined {
  return zones.filter((zone) => name.endsWith(`.${zone}`)).sort((a, b) => b.length - a.length)[0];
}

/** @throws FleetError `CONFIG_INVALID` with the path of every wrong value. */
export function parseStackConfig(value: unknown): StackConfig {
  const parsed = parse(StackConfig, value);
  if (!parsed.ok) throw new FleetError("CONFIG_INVALID", { problems: parsed.problems });
  return parsed.value;
}

/** Where and how a client's server is reached. */
export function targetOf(client: ClientConfig): SshTarget {
  const { user, port, hostKey } = client.ssh;
  return { client: client.name, host: reachOf(client), port, user, hostKey };
}

/**
 * A client's secrets and address are not given up by deleting some lines.
 * @throws FleetError `CLIENT_DROPPED`
 */
export function refuseDropped(
  { clients, retired }: Pick<FleetConfig, "clients" | "retired">,
  former: readonly string[],
): void {
  const known = new Set([...clients, ...retired].map(({ name }) => name));
  const dropped = former.filter((name) => !known.has(name));
  if (dropped.length > 0) throw new FleetError("CLIENT_DROPPED", { clients: dropped.join(", ") });
}

function unique(
  clients: readonly ClientConfig[],
  key: "name" | "domain" | "ip" | "ipv6" | "serviceName",
  context: z.RefinementCtx,
): void {
  const first = new Map<string, number>();
  for (const [index, client] of clients.entries()) {
    const value = client[key];
    if (value === undefined) continue;
    const other = first.get(value);
    if (other === undefined) first.set(value, index);
    else
      context.addIssue({
        code: "custom",
        path: ["clients", index, key],
        message: `already used by clients[${other}], expected a ${key} of its own`,
        input: value,
      });
  }
}
