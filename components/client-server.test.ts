/**
 * The options of a client's children: parent, protection, order, secrecy, time. As the program gives them: what the
 * engine makes of them is not proven (see test/lab and toolchain/conformance).
 */
import type * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { parseAdapter } from "../core/config/adapter.ts";
import { type FleetConfig, parseStackConfig } from "../core/config/stack.ts";
import type { Release } from "../core/release/release.ts";
import { adapterYaml } from "../test/helpers/adapter.ts";
import { type Declared, known, plain, recordResources, watchOptions } from "../test/helpers/pulumi-mocks.ts";
import type { ClientServer, ClientServerArgs } from "./client-server.ts";

const release = {
  id: "bbbbbbbbbbbb",
  scripts: "cccccccccccc",
  services: {
    api: { image: "geoclic/api:aaaaaaaaaaaa" },
    "sig-web": { image: "geoclic/sig-web:dddddddddddd" },
  },
  adapter: parseAdapter(adapterYaml, "geoclic.yaml"),
} as unknown as Release;

const fleet = (change: Record<string, unknown> = {}) =>
  parseStackConfig({
    role: "fleet",
    suite: { path: "/opt/geoclic" },
    clients: [
      {
        name: "ville",
        domain: "ville.geoclic.fr",
        email: "admin@ville.fr",
        town: "Ville",
        ip: "51.210.42.100",
        ssh: { user: "debian", port: 2222, hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
      },
    ],
    ...change,
  }) as FleetConfig;

interface Client {
  readonly component: ClientServer;
  readonly options: ReadonlyMap<string, pulumi.CustomResourceOptions>;
}

let declared: Declared[];
let client: Client;
let open: Client;
let other: Client;

beforeAll(async () => {
  const recorded = await recordResources();
  const { ClientServer } = await import("./client-server.ts");
  const declare = (name: string, config: FleetConfig, change: Partial<ClientServerArgs> = {}): Client => {
    const [first] = config.clients;
    if (!first) throw new Error("expected a client");
    const { watch, options } = watchOptions();
    const args = { client: { ...first, name }, release, fleet: config, ip: first.ip ?? "", ...change };
    return { component: new ClientServer(name, args, { transformations: [watch] }), options };
  };
  client = declare("ville", fleet());
  open = declare(
    "open",
    fleet({ protect: false, build: "client", dnsServers: ["1.1.1.1:53", "9.9.9.9:53"] }),
  );
  other = declare("other", fleet(), {
    after: [client.component.activated].flatMap((each) => each ?? []),
    release: { ...release, id: "eeeeeeeeeeee", scripts: "ffffffffffff" },
  });
  await recorded.settle();
  declared = recorded.declared;
});

const secrets = ["jwt-secret-key", "db-password", "admin-password"];
const commands = [
  "server",
  "base",
  "environment",
  "certificate",
  "delivery",
  "activation",
  "init",
  "schedules",
] as const;

function nameOf(resource: pulumi.Resource): string {
  return String((resource as unknown as { __name?: string }).__name);
}

function before(of: Client, name: string): string[] {
  const dependsOn = of.options.get(name)?.dependsOn ?? [];
  return [dependsOn]
    .flat()
    .map((each) => nameOf(each as pulumi.Resource))
    .sort();
}

function inputs(name: string): Readonly<Record<string, unknown>> {
  const found = declared.find((each) => each.name === name);
  if (!found) throw new Error(`${name} was not declared`);
  return found.inputs;
}

test("children hang on their client, by the client's name", () => {
  for (const role of commands)
    expect(nameOf(client.options.get(`ville-${role}`)?.parent as pulumi.Resource)).toBe("ville");
  for (const role of secrets)
    expect(nameOf(client.options.get(`ville-${role}`)?.parent as pulumi.Resource)).toBe("ville-secrets");
});

describe("protection", () => {
  test("is on every secret, and on nothing else", () => {
    const kept = [...client.options].filter(([, { protect }]) => protect).map(([name]) => name);
    expect(kept.sort()).toEqual(secrets.map((role) => `ville-${role}`).sort());
  });

  test("can be taken away for a fleet that may go", () => {
    expect([...open.options.values()].filter(({ protect }) => protect)).toEqual([]);
  });
});

test.each([
  ["server", []],
  ["base", ["server"]],
  ["environment", ["base"]],
  ["certificate", ["base"]],
  ["delivery", ["base"]],
  ["activation", ["certificate", "delivery", "environment"]],
  ["init", ["activation"]],
  ["schedules", ["activation"]],
])("%s comes after %j", (role, expected) => {
  expect(before(client, `ville-${role}`)).toEqual(expected.map((each) => `ville-${each}`));
});

test("a client that comes after another begins with its first step after that one's activation", () => {
  expect(before(other, "other-server")).toEqual(["ville-activation"]);
  expect(before(other, "other-base")).toEqual(["other-server"]);
});

test.each(commands)("%s is never replaced: only triggers could, and it has none", (role) => {
  const { replaceOnChanges, deleteBeforeReplace, ignoreChanges, retainOnDelete } =
    client.options.get(`ville-${role}`) ?? {};
  expect({ replaceOnChanges, deleteBeforeReplace, ignoreChanges, retainOnDelete }).toEqual({
    replaceOnChanges: ["triggers[*]"],
  });
  expect(inputs(`ville-${role}`)).not.toHaveProperty("triggers");
});

test.each([
  ["environment", ["stdin", "stdout", "stderr", "connection"]],
  ["init", ["stdin", "stdout", "stderr", "connection"]],
  ["base", ["connection"]],
  ["schedules", ["connection"]],
])("%s keeps %j secret", (role, expected) => {
  expect(client.options.get(`ville-${role}`)?.additionalSecretOutputs).toEqual(expected);
});

test("an activation may take an hour, which is what its follower waits", () => {
  expect(client.options.get("ville-activation")?.customTimeouts).toEqual({ create: "60m", update: "60m" });
});

test("the base learns the SSH port that it must leave open", () => {
  expect(inputs("ville-base").create).toBe(
    "sudo -n /opt/geoclic/server/base --client ville --ssh-port 2222 --expect cccccccccccc",
  );
  expect(plain(inputs("ville-base").connection)).toMatchObject({
    host: "51.210.42.100",
    port: 2222,
    user: "debian",
  });
});

test.each([
  ["server", { SCRIPTS: "cccccccccccc" }],
  [
    "certificate",
    {
      DOMAIN: "ville.geoclic.fr",
      IP: "51.210.42.100",
      EMAIL: "admin@ville.fr",
      ACME_SERVER: "https://acme-v02.api.letsencrypt.org/directory",
      DNS_SERVERS: "",
    },
  ],
  ["delivery", { RELEASE: "bbbbbbbbbbbb", BUILD: "operator" }],
  [
    "activation",
    {
      DOMAIN: "ville.geoclic.fr",
      RELEASE: "bbbbbbbbbbbb",
      ENVIRONMENT: expect.stringMatching(/^[0-9a-f]{12}$/),
      SERVICE_API: "aaaaaaaaaaaa",
      SERVICE_SIG_WEB: "dddddddddddd",
    },
  ],
])("the step %s gets the target and %j", (role, own) => {
  const target = {
    CLIENT: "ville",
    HOST: "51.210.42.100",
    PORT: "2222",
    SSH_USER: "debian",
    HOST_KEY: `ssh-ed25519 ${"A".repeat(68)}`,
  };
  const expected = Object.fromEntries(
    Object.entries({ ...target, ...own }).map(([name, value]) => [`GEOCLIC_STEP_${name}`, value]),
  );
  const { create, update, environment } = inputs(`ville-${role}`);
  expect(environment).toEqual(expected);
  expect([create, update]).toEqual([`node cli/step.ts ${role}`, `node cli/step.ts ${role}`]);
});

test("another release changes these inputs and no other", () => {
  const roles = commands.filter((role) => {
    const of = (name: string) =>
      JSON.stringify(inputs(`${name}-${role}`)).replaceAll(new RegExp(`\\b${name}\\b(?!\\.)`, "g"), "N");
    return of("ville") !== of("other");
  });
  expect(roles).toEqual(["server", "base", "environment", "delivery", "activation", "init", "schedules"]);
  const scripts = (role: string) => String(inputs(`other-${role}`).create);
  for (const role of ["base", "environment", "init", "schedules"])
    expect(scripts(role)).toMatch(/ --expect ffffffffffff$/);
});

test("the fleet's choices reach the steps", () => {
  expect(inputs("open-delivery").environment).toMatchObject({ GEOCLIC_STEP_BUILD: "client" });
  expect(inputs("open-certificate").environment).toMatchObject({
    GEOCLIC_STEP_DNS_SERVERS: "1.1.1.1:53 9.9.9.9:53",
  });
});

test("the environment is the suite's, with this town's names and secrets", () => {
  expect(plain(inputs("ville-environment").stdin)).toBe(
    [
      '{"secrets":["DB_PASSWORD","JWT_SECRET_KEY"]}',
      "CORS_ORIGINS=https://ville.geoclic.fr",
      "DB_PASSWORD=hex-of-ville-db-password",
      "DB_USER=geoclic",
      "JWT_SECRET_KEY=hex-of-ville-jwt-secret-key",
      "LETSENCRYPT_EMAIL=admin@ville.fr",
      "",
    ].join("\n"),
  );
});

test("the first account is what init reads, in JSON", () => {
  expect(JSON.parse(String(plain(inputs("ville-init").stdin)))).toEqual({
    admin: {
      email: "admin@ville.fr",
      password: "hex-of-ville-admin-password",
      firstName: "Super",
      lastName: "Admin",
    },
    town: { name: "Ville" },
  });
});

test("a client tells its address, and its first password as a secret", async () => {
  expect(await known(client.component.url)).toEqual({ value: "https://ville.geoclic.fr", secret: false });
  expect(await known(client.component.adminPassword)).toEqual({
    value: "hex-of-ville-admin-password",
    secret: true,
  });
});
