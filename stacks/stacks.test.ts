/**
 * Exactly which resources a stack declares, with which inputs. Not proven by mocks: parentage, order, aliases, protection,
 * what a change of input does (see test/lab and the conformance suite).
 */
import { beforeAll, expect, test } from "vitest";
import { parseStackConfig } from "../core/config/stack.ts";
import type { Release } from "../core/release/release.ts";
import { type Declared, isSecret, plain, recordResources } from "../test/helpers/pulumi-mocks.ts";

const release = {
  id: "bbbbbbbbbbbb",
  scripts: "cccccccccccc",
  services: { api: { image: "geoclic/api:aaaaaaaaaaaa" }, nginx: { image: "geoclic/nginx:dddddddddddd" } },
  adapter: {
    env: {
      generated: { JWT_SECRET_KEY: { bytes: 32 }, DB_PASSWORD: { bytes: 16 } },
      fixed: { A: "1" },
      derived: {},
    },
  },
} as unknown as Release;

let declared: Declared[];
let outputs: { clients: unknown; adminPasswords: unknown };

beforeAll(async () => {
  const recorded = await recordResources();
  const { fleetStack } = await import("./fleet.ts");
  const config = parseStackConfig({
    role: "fleet",
    suite: { path: "/opt/geoclic" },
    clients: [
      {
        name: "ville",
        domain: "ville.geoclic.fr",
        email: "admin@ville.fr",
        town: `Mairie d'Aix "Côté lac"; $(reboot)`,
        ip: "51.210.42.100",
        reach: "127.0.10.10",
        ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
      },
    ],
  });
  if (config.role !== "fleet") throw new Error("expected a fleet");
  outputs = fleetStack(config, new Map([["present", release]]));
  await recorded.settle();
  declared = recorded.declared;
});

test("a client is exactly these resources", () => {
  expect(declared.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
    "command:local:Command ville-activation",
    "command:local:Command ville-certificate",
    "command:local:Command ville-delivery",
    "command:local:Command ville-server",
    "command:remote:Command ville-base",
    "command:remote:Command ville-environment",
    "command:remote:Command ville-init",
    "command:remote:Command ville-schedules",
    "geoclic:fleet:ClientSecrets ville-secrets",
    "geoclic:fleet:ClientServer ville",
    "pulumi:pulumi:StackReference organization/geoclic-fleet/master",
    "random:index/randomPassword:RandomPassword ville-admin-password",
    "random:index/randomPassword:RandomPassword ville-db-password",
    "random:index/randomPassword:RandomPassword ville-jwt-secret-key",
  ]);
});

test("every command can be run again: update is create, nothing replaces", () => {
  for (const { type, inputs } of declared.filter(({ type }) => type.startsWith("command:"))) {
    expect(inputs.update, type).toBe(inputs.create);
    expect(inputs).not.toHaveProperty("triggers");
    expect(inputs).not.toHaveProperty("delete");
    expect(inputs.addPreviousOutputInEnv).toBe(false);
  }
});

test("a connection pins the host key and holds no key", () => {
  for (const { inputs } of declared.filter(({ type }) => type === "command:remote:Command"))
    expect(plain(inputs.connection)).toEqual({
      host: "127.0.10.10",
      port: 22,
      user: "ubuntu",
      hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
      dialErrorLimit: 4,
      perDialTimeout: 15,
    });
});

test("the lines on the server are short and carry the scripts' hash", () => {
  const line = (name: string) => of(name).create;
  expect(line("ville-base")).toBe(
    "sudo -n /opt/geoclic/server/base --client ville --ssh-port 22 --expect cccccccccccc",
  );
  expect(line("ville-environment")).toBe(
    "sudo -n /opt/geoclic/server/write-env --client ville --expect cccccccccccc",
  );
  expect(line("ville-schedules")).toBe(
    "sudo -n /opt/geoclic/server/schedules --client ville --backup 01:30 --monitor-minutes 5 --domain ville.geoclic.fr --expect cccccccccccc",
  );
});

test("secrets go by standard input, are marked secret and never logged", () => {
  for (const [name, value] of [
    ["ville-environment", "DB_PASSWORD=hex-of-ville-db-password"],
    ["ville-init", '"password":"hex-of-ville-admin-password"'],
  ] as const) {
    const { stdin, logging } = of(name);
    expect(isSecret(stdin)).toBe(true);
    expect(plain(stdin)).toContain(value);
    expect(logging).toBe("none");
  }
  const shown = declared.filter(({ type }) => type === "command:local:Command");
  expect(JSON.stringify(shown)).not.toContain("hex-of");
});

test("a release shows as its id and one key a service", () => {
  expect(of("ville-activation").environment).toEqual({
    GEOCLIC_STEP_CLIENT: "ville",
    GEOCLIC_STEP_HOST: "127.0.10.10",
    GEOCLIC_STEP_PORT: "22",
    GEOCLIC_STEP_SSH_USER: "ubuntu",
    GEOCLIC_STEP_HOST_KEY: `ssh-ed25519 ${"A".repeat(68)}`,
    GEOCLIC_STEP_DOMAIN: "ville.geoclic.fr",
    GEOCLIC_STEP_RELEASE: "bbbbbbbbbbbb",
    GEOCLIC_STEP_ENVIRONMENT: expect.stringMatching(/^[0-9a-f]{12}$/),
    GEOCLIC_STEP_SERVICE_API: "aaaaaaaaaaaa",
    GEOCLIC_STEP_SERVICE_NGINX: "dddddddddddd",
  });
});

test("the town's name reaches the server as data only", () => {
  const { town } = JSON.parse(String(plain(of("ville-init").stdin))) as { town: { name: string } };
  expect(town.name).toBe(`Mairie d'Aix "Côté lac"; $(reboot)`);
  expect(JSON.stringify(declared.map(({ inputs }) => inputs.create))).not.toContain("reboot");
});

test("the outputs list the clients without a secret", () => {
  expect(JSON.stringify(outputs.clients)).not.toContain("hex-of");
  expect(outputs.clients).toMatchObject([
    { name: "ville", url: "https://ville.geoclic.fr", release: "bbbbbbbbbbbb" },
  ]);
});

function of(name: string): Readonly<Record<string, unknown>> {
  const found = declared.find((each) => each.name === name);
  if (!found) throw new Error(`${name} was not declared`);
  return found.inputs;
}
