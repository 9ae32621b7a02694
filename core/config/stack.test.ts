/** Every value of a stack's configuration, good and hostile. Not proven here: what Pulumi makes of the YAML. */
import { describe, expect, test } from "vitest";
import { parseStackConfig } from "./stack.ts";
import { readStackValues } from "./values.ts";

const client = {
  name: "ville-lyon",
  domain: "ville-lyon.geoclic.fr",
  email: "admin@ville-lyon.fr",
  town: `Mairie d'Aix-les-Bains "Côté lac"`,
  ip: "51.210.42.100",
  ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
};
const fleet = { role: "fleet", suite: { path: "/opt/geoclic" }, clients: [client] };

const hostile = [
  "",
  " ",
  "a;reboot",
  "a b",
  "$(reboot)",
  "`reboot`",
  "a'b",
  'a"b',
  "-oProxyCommand=x",
  "../etc",
  "a\nb",
  "a\0b",
  "a".repeat(10_000),
];

test("fills in what may be left out", () => {
  const config = parseStackConfig(fleet);
  expect(config).toMatchObject({
    build: "operator",
    protect: true,
    acme: { server: "https://acme-v02.api.letsencrypt.org/directory" },
    schedules: { backup: "02:00", monitorMinutes: 5 },
    clients: [{ ssh: { user: "ubuntu", port: 22 }, dns: "external", canary: false, town: client.town }],
  });
});

describe("fails on a hostile value, with its path", () => {
  const fields: [string, (value: string) => unknown][] = [
    ["clients[0].name", (name) => ({ ...fleet, clients: [{ ...client, name }] })],
    ["clients[0].domain", (domain) => ({ ...fleet, clients: [{ ...client, domain }] })],
    ["clients[0].email", (email) => ({ ...fleet, clients: [{ ...client, email }] })],
    ["clients[0].ip", (ip) => ({ ...fleet, clients: [{ ...client, ip }] })],
    ["clients[0].reach", (reach) => ({ ...fleet, clients: [{ ...client, reach }] })],
    ["clients[0].release", (release) => ({ ...fleet, clients: [{ ...client, release }] })],
    ["clients[0].dns", (dns) => ({ ...fleet, clients: [{ ...client, dns }] })],
    ["clients[0].ssh.user", (user) => ({ ...fleet, clients: [{ ...client, ssh: { ...client.ssh, user } }] })],
    ["clients[0].ssh.hostKey", (hostKey) => ({ ...fleet, clients: [{ ...client, ssh: { hostKey } }] })],
    ["acme.server", (server) => ({ ...fleet, acme: { server } })],
    ["dnsServers[0]", (server) => ({ ...fleet, dnsServers: [server] })],
    ["schedules.backup", (backup) => ({ ...fleet, schedules: { backup } })],
    ["build", (build) => ({ ...fleet, build })],
    ["release", (release) => ({ ...fleet, release })],
  ];
  for (const [path, make] of fields)
    test.each(hostile)(`${path}: %j`, (value) => {
      expect(() => parseStackConfig(make(value))).toThrow(path);
    });
});

test.each(["", "a\nb", "a\u2028b", "a\0b", "x".repeat(121)])("fails on the town's name %j", (town) => {
  expect(() => parseStackConfig({ ...fleet, clients: [{ ...client, town }] })).toThrow("clients[0].town");
});

test.each([
  ["-rf; $(id) `id` 'x' \"y\"", "a quoted name is only a name"],
  ["Saint-Étienne-du-Rouvray (76)", "accents and brackets"],
])("takes the town's name %s", (town) => {
  const config = parseStackConfig({ ...fleet, clients: [{ ...client, town }] });
  expect(config).toMatchObject({ clients: [{ town }] });
});

test("fails with what was got and what is allowed, for every wrong value at once", () => {
  const wrong = { ...fleet, clients: [{ ...client, name: "Ville Lyon", port: 1, ip: "51.210.42" }] };
  expect(() => parseStackConfig(wrong)).toThrow(
    /clients\[0\]\.name: expected 1 to 40 characters.*, got "Ville Lyon".*clients\[0\]\.ip: expected an IPv4 address.*, got "51\.210\.42".*clients\[0\]: unknown key "port"/,
  );
});

test.each(["name", "domain", "ip"] as const)("fails when two clients share their %s", (key) => {
  const other = {
    ...client,
    name: "other",
    domain: "other.geoclic.fr",
    ip: "51.210.42.101",
    [key]: client[key],
  };
  expect(() => parseStackConfig({ ...fleet, clients: [client, other] })).toThrow(
    `clients[1].${key}: already used by clients[0], expected a ${key} of its own, got "${client[key]}"`,
  );
});

test("fails on an unknown role and an unknown key of the stack", () => {
  expect(() => parseStackConfig({ role: "boss" })).toThrow('expected "master" or "fleet"');
  expect(() => parseStackConfig({ ...fleet, shcedules: {} })).toThrow('unknown key "shcedules"');
});

test("reads a project's namespace only, and keeps a release of digits a word", () => {
  const all = {
    "geoclic-fleet:role": "fleet",
    "geoclic-fleet:release": "123456789012",
    "geoclic-fleet:protect": "false",
    "geoclic-fleet:clients": '[{"name":"a"}]',
    "other:role": "x",
  };
  expect(readStackValues(all, "geoclic-fleet")).toEqual({
    role: "fleet",
    release: "123456789012",
    protect: false,
    clients: [{ name: "a" }],
  });
});
