/**
 * Clients with a record at OVH, on a VPS owned there, detached, or with secrets that they brought along. Mocks do not
 * prove what OVH does with a record (see toolchain/conformance) nor what the engine does with what is dropped.
 */
import type * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { type FleetConfig, parseStackConfig, refuseDropped } from "../core/config/stack.ts";
import type { Release } from "../core/release/release.ts";
import { type Declared, isSecret, known, plain, recordResources } from "../test/helpers/pulumi-mocks.ts";
import type { FleetOutputs } from "./fleet.ts";

const release = {
  id: "bbbbbbbbbbbb",
  scripts: "cccccccccccc",
  services: { api: { image: "geoclic/api:aaaaaaaaaaaa" } },
  adapter: {
    env: {
      generated: { JWT_SECRET_KEY: { bytes: 32 }, DB_PASSWORD: { bytes: 16 } },
      fixed: {},
      derived: {},
    },
  },
} as unknown as Release;
const ssh = { hostKey: `ssh-ed25519 ${"A".repeat(68)}` };
const town = (name: string, change: Record<string, unknown>) => ({
  name,
  domain: `${name}.geoclic.fr`,
  email: "a@ville.fr",
  town: "Ville",
  ssh,
  ...change,
});
const managed = { dns: "managed" };
const config = parseStackConfig({
  role: "fleet",
  suite: { path: "/x" },
  zones: ["geoclic.fr"],
  nameServers: ["213.251.128.1:53"],
  secrets: { brings: { DB_PASSWORD: "old-password" } },
  clients: [
    town("owned", { ...managed, serviceName: "vps-0a1b2c3d.vps.ovh.net", reach: "51.210.42.200" }),
    town("brings", { ip: "10.0.0.2" }),
    town("gone", { ...managed, ip: "10.0.0.3", detached: true, canary: true }),
    town("deep", { ...managed, ip: "10.0.0.4", domain: "carte.deep.geoclic.fr" }),
    town("six", { ...managed, ip: "10.0.0.5", ipv6: "2001:db8::5" }),
  ],
}) as FleetConfig;

let declared: Declared[];
let outputs: FleetOutputs;

beforeAll(async () => {
  const recorded = await recordResources();
  const { fleetStack } = await import("./fleet.ts");
  outputs = fleetStack(config, new Map([["present", release]]));
  await recorded.settle();
  declared = recorded.declared;
});

const namesOf = (client: string) =>
  declared
    .filter(({ name }) => name === client || name.startsWith(`${client}-`))
    .map(({ type, name }) => `${type.split(":").at(-1)} ${name}`)
    .sort();
const of = (name: string) => {
  const found = declared.find((each) => each.name === name && !each.type.startsWith("geoclic:"));
  if (!found) throw new Error(`${name} was not declared`);
  return found.inputs;
};

describe("a record at OVH", () => {
  test("is one A record with the time to live of a town that may move", () => {
    expect(of("owned-a")).toEqual({
      zone: "geoclic.fr",
      subdomain: "owned",
      fieldtype: "A",
      target: "51.210.42.200",
      ttl: 300,
    });
    expect(of("deep-a")).toMatchObject({ subdomain: "carte.deep" });
  });

  test("has an AAAA record beside it where the client declares an IPv6 address, and the steps learn it", () => {
    expect(of("six-aaaa")).toEqual({ ...of("six-a"), fieldtype: "AAAA", target: "2001:db8::5" });
    expect(of("six-record").environment).toMatchObject({ GEOCLIC_STEP_IPV6: "2001:db8::5" });
    expect(of("six-certificate").environment).toMatchObject({
      GEOCLIC_STEP_IPV6: "2001:db8::5",
      GEOCLIC_STEP_RECORD_IPV6: "six-aaaa-id",
    });
    expect(declared.map(({ name }) => name)).not.toContain("owned-aaaa");
    expect(of("owned-certificate").environment).not.toHaveProperty("GEOCLIC_STEP_IPV6");
  });

  test("is looked up before, with what was remembered the last time", () => {
    expect(of("owned-record")).toMatchObject({
      create: "node cli/step.ts record",
      update: "node cli/step.ts record",
      addPreviousOutputInEnv: true,
      environment: {
        GEOCLIC_STEP_CLIENT: "owned",
        GEOCLIC_STEP_DOMAIN: "owned.geoclic.fr",
        GEOCLIC_STEP_ZONE: "geoclic.fr",
        GEOCLIC_STEP_IP: "51.210.42.200",
      },
    });
  });

  test("is published before a certificate is asked for", () => {
    expect(of("owned-certificate").environment).toMatchObject({
      GEOCLIC_STEP_ZONE: "geoclic.fr",
      GEOCLIC_STEP_RECORD: "owned-a-id",
      GEOCLIC_STEP_NAME_SERVERS: "213.251.128.1:53",
      GEOCLIC_STEP_IP: "51.210.42.200",
    });
    expect(of("brings-certificate").environment).not.toHaveProperty("GEOCLIC_STEP_ZONE");
  });

  test("nobody sends an OVH key to a step: it stands in the environment of the operator", () => {
    expect(JSON.stringify(declared)).not.toMatch(/OVH_|consumer|applicationSecret/i);
  });
});

test("the address of an owned VPS is OVH's, the first of IPv4", async () => {
  const owned = outputs.clients.find(({ name }) => name === "owned");
  expect(await known(owned?.ip as pulumi.Output<string>)).toEqual({ value: "51.210.42.200", secret: false });
});

test("a detached client is its secrets and its record, and nothing that converges; nobody waits for it", () => {
  expect(namesOf("gone")).toEqual([
    "ClientRecord gone-dns",
    "ClientSecrets gone-secrets",
    "ClientServer gone",
    "Command gone-record",
    "RandomPassword gone-admin-password",
    "RandomPassword gone-db-password",
    "RandomPassword gone-jwt-secret-key",
    "ZoneRecord gone-a",
  ]);
});

test("a secret that was brought along is used as it is, and the others are made", () => {
  expect(namesOf("brings").filter((name) => name.startsWith("Random"))).toEqual([
    "RandomPassword brings-admin-password",
    "RandomPassword brings-jwt-secret-key",
  ]);
  const { stdin } = of("brings-environment");
  expect(isSecret(stdin)).toBe(true);
  expect(plain(stdin)).toContain("\nDB_PASSWORD=old-password\n");
  expect(plain(stdin)).toContain("\nJWT_SECRET_KEY=hex-of-brings-jwt-secret-key\n");
});

describe("a client that is no longer in the stack file", () => {
  const present = { clients: config.clients, retired: [{ name: "ended", on: "2026-11-01" }] };

  test.each<[string, string[]]>([
    ["nobody is missing", ["owned", "brings"]],
    ["the stack is new", []],
    ["it was retired", ["owned", "ended"]],
  ])("is nothing to refuse when %s", (_, former) => {
    expect(() => refuseDropped(present, former)).not.toThrow();
  });

  test("is refused, with the way out", () => {
    expect(() => refuseDropped(present, ["owned", "lost", "other"])).toThrow(
      /no longer has lost, other.*geoclic-fleet remove.*geoclic-fleet retire/,
    );
  });
});

describe("a VPS whose address OVH does not tell", () => {
  const silent = "vps-99999999.vps.ovh.net";
  const one = { ...config, clients: [{ ...config.clients[0], serviceName: silent }] } as FleetConfig;

  test("keeps the address that it had", async () => {
    const { fleetStack } = await import("./fleet.ts");
    const former = [{ name: "owned", ip: "51.210.42.7" }];
    const { clients } = fleetStack(one, new Map([["present", release]]), { former });
    expect((await known(clients[0]?.ip as pulumi.Output<string>)).value).toBe("51.210.42.7");
  });
});
