/** Every value of a stack's configuration, good and hostile. Not proven here: what Pulumi makes of the YAML. */
import { describe, expect, test } from "vitest";
import { parseStackConfig, zoneOf } from "./stack.ts";
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
const numbers = [0, -1, 1.5, 65_536, "22", "22;reboot", null, true];

test("fills in what may be left out", () => {
  const config = parseStackConfig(fleet);
  expect(config).toMatchObject({
    build: "operator",
    protect: true,
    acme: { server: "https://acme-v02.api.letsencrypt.org/directory" },
    schedules: { backup: "01:30", monitorMinutes: 5 },
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
    ["suite.imagesAsOf", (imagesAsOf) => ({ ...fleet, suite: { ...fleet.suite, imagesAsOf } })],
    ["role", (role) => ({ ...fleet, role })],
    ["protect", (protect) => ({ ...fleet, protect })],
    ["clients[0].canary", (canary) => ({ ...fleet, clients: [{ ...client, canary }] })],
    ["clients", (clients) => ({ ...fleet, clients })],
  ];
  for (const [path, make] of fields)
    test.each(hostile)(`${path}: %j`, (value) => {
      expect(() => parseStackConfig(make(value))).toThrow(path);
    });
});

test.each(numbers)("fails on a port of %j, and on as many minutes", (value) => {
  const port = { ...fleet, clients: [{ ...client, ssh: { ...client.ssh, port: value } }] };
  expect(() => parseStackConfig(port)).toThrow("clients[0].ssh.port");
  expect(() => parseStackConfig({ ...fleet, schedules: { monitorMinutes: value } })).toThrow(
    "schedules.monitorMinutes",
  );
});

test.each([
  ["clients[0].email", { email: "-x@ville.fr" }],
  ["clients[0].email", { email: "admin@ville" }],
  ["clients[0].email", { email: "a@b@ville.fr" }],
  ["clients[0].domain", { domain: "Ville.geoclic.fr" }],
  ["clients[0].domain", { domain: "ville..fr" }],
  ["clients[0].domain", { domain: "-ville.fr" }],
  ["clients[0].domain", { domain: "ville" }],
  ["clients[0].domain", { domain: "ville.fr." }],
  ["clients[0].domain", { domain: `${"a".repeat(64)}.fr` }],
  ["clients[0].ip", { ip: "51.210.42.256" }],
  ["clients[0].ip", { ip: "051.210.42.1" }],
  ["clients[0].ip", { ip: "2001:db8::1" }],
  ["clients[0].reach", { reach: "51.210.42.256" }],
  ["clients[0].ipv6", { ipv6: "51.210.42.1" }],
  ["clients[0].ipv6", { ipv6: "2001:db8::1/64" }],
  ["clients[0].ipv6", { ipv6: "fe80::1%eth0" }],
  ["expected the short form in lower case, 2001:db8::1", { ipv6: "2001:DB8:0::1" }],
  ["clients[0].name", { name: "ville-" }],
  ["clients[0].name", { name: "1ville" }],
  ["clients[0].name", { name: "a".repeat(41) }],
  ["clients[0].ssh.hostKey", { ssh: { hostKey: `ssh-dss ${"A".repeat(68)}` } }],
  ["clients[0].ssh.hostKey", { ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)} root@vps` } }],
  ["clients[0].ssh.hostKey", { ssh: { hostKey: `[1.2.3.4]:22 ssh-ed25519 ${"A".repeat(68)}` } }],
  ["clients[0].release", { release: "0123456789AB" }],
])("fails on %s: %j", (path, change) => {
  expect(() => parseStackConfig({ ...fleet, clients: [{ ...client, ...change }] })).toThrow(path);
});

test.each([
  ["acme.server", { acme: { server: "http://acme.fr/dir" } }],
  ["acme.server", { acme: { server: "https://acme.fr/$(reboot)" } }],
  ["acme.server", { acme: { server: "https://acme.fr/a'b" } }],
  ["acme.server", { acme: { server: "https://acme.fr/a\nb" } }],
  ["acme.server", { acme: { server: "https://u:p@acme.fr/" } }],
  ["dnsServers[0]", { dnsServers: ["1.1.1.256:53"] }],
  ["dnsServers[0]", { dnsServers: ["1.1.1.1:"] }],
  ["schedules.backup", { schedules: { backup: "24:00" } }],
  ["schedules.backup", { schedules: { backup: "02:00" } }],
  ["that hour does not exist", { schedules: { backup: "02:59" } }],
])("fails on %s: %j", (path, change) => {
  expect(() => parseStackConfig({ ...fleet, ...change })).toThrow(path);
});

test.each([
  { acme: { server: "https://acme.geoclic.test/dir" } },
  { acme: { server: "https://127.0.0.1:14000/dir" } },
  { dnsServers: ["127.0.10.53:53", "1.1.1.1"] },
  { schedules: { backup: "23:59", monitorMinutes: 60 } },
  { build: "client" },
  { release: "012345678901" },
])("takes %j", (change) => {
  expect(parseStackConfig({ ...fleet, ...change })).toMatchObject(change);
});

test("a path of the suite is only a path, whatever is in it", () => {
  for (const path of hostile.slice(1))
    expect(parseStackConfig({ ...fleet, suite: { path } })).toMatchObject({ suite: { path } });
  expect(() => parseStackConfig({ ...fleet, suite: { path: "" } })).toThrow("suite.path");
});

test.each([
  "",
  "   ",
  "\u00a0",
  "\ud800",
  "a\nb",
  "a\u2028b",
  "a\0b",
  "x".repeat(121),
])("fails on the town's name %j", (town) => {
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

test("fails on text that only looks like JSON by its name, not by a crash", () => {
  const values = readStackValues({ "p:role": "fleet", "p:suite": '{"path":"/x"}', "p:clients": "[{" }, "p");
  expect(() => parseStackConfig(values)).toThrow(
    'clients: Invalid input: expected array, received string, got "[{"',
  );
});

test("a hostile value is shown short, on one line", () => {
  const error = (name: string) => {
    try {
      parseStackConfig({ ...fleet, clients: [{ ...client, name }] });
    } catch (thrown) {
      return (thrown as Error).message;
    }
    throw new Error("it was taken");
  };
  expect(error("a\nb\u001b[31m")).toContain('got "a\\nb\\u001b[31m"');
  expect(error("x".repeat(10_000)).length).toBeLessThan(400);
});

test("a town's name survives as JSON", () => {
  const config = parseStackConfig(fleet);
  expect(JSON.parse(JSON.stringify(config))).toEqual(config);
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

describe("OVH", () => {
  const owned = { ...client, ip: undefined, serviceName: "vps-0a1b2c3d.vps.ovh.net", reach: "51.210.42.100" };
  const of = (change: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({
    ...fleet,
    zones: ["geoclic.fr"],
    ...rest,
    clients: [{ ...owned, ...change }],
  });

  test("an owned VPS needs no address, only the way to reach it", () => {
    expect(parseStackConfig(of({}))).toMatchObject({ clients: [{ serviceName: owned.serviceName }] });
    expect(() => parseStackConfig(of({ reach: undefined }))).toThrow(
      "clients[0]: expected an ip, or a serviceName with the address to reach it",
    );
  });

  test.each([
    ...hostile,
    "vps-x.vps.ovh.org",
    "VPS-0a1b2c3d.vps.ovh.net",
    "vps-0a1b2c3d.vps.ovh.net.evil.fr",
  ])("fails on the VPS %j", (serviceName) => {
    expect(() => parseStackConfig(of({ serviceName }))).toThrow("clients[0].serviceName");
  });

  test("a managed record needs one of the zones", () => {
    expect(parseStackConfig(of({ dns: "managed" }))).toMatchObject({ clients: [{ dns: "managed" }] });
    for (const domain of ["geoclic.fr", "ville.other.fr", "ville.xgeoclic.fr"])
      expect(() => parseStackConfig(of({ dns: "managed", domain }))).toThrow(
        "clients[0].domain: expected a name below",
      );
    expect(() => parseStackConfig(of({ dns: "managed" }, { zones: [] }))).toThrow("none is declared");
  });

  test.each(hostile)("fails on the zone %j", (zone) => {
    expect(() => parseStackConfig({ ...fleet, zones: [zone] })).toThrow("zones[0]");
  });

  test("the longest zone holds a name", () => {
    expect(zoneOf("a.b.geoclic.fr", ["geoclic.fr", "b.geoclic.fr"])).toBe("b.geoclic.fr");
  });
});

describe("clients of the past", () => {
  test("the name of a retired one is not free", () => {
    expect(() => parseStackConfig({ ...fleet, retired: [{ name: client.name, on: "2026-11-01" }] })).toThrow(
      'clients[0].name: expected a name that is not retired (see `retired`), got "ville-lyon"',
    );
  });

  test.each([
    { on: "2026-13-01" },
    { on: "2026-11-01\n" },
    { name: "A" },
    { why: "x" },
  ])("fails on %j", (change) => {
    expect(() =>
      parseStackConfig({ ...fleet, retired: [{ name: "old", on: "2026-11-01", ...change }] }),
    ).toThrow("retired[0]");
  });

  test("a secret that was brought along is never shown, whatever is wrong with it", () => {
    const secret = "hunter2\nDB_USER=evil";
    const wrong = () => parseStackConfig({ ...fleet, secrets: { ville: { DB_PASSWORD: secret } } });
    expect(wrong).toThrow("secrets.ville.DB_PASSWORD: expected 8 to 200 printable characters");
    expect(wrong).not.toThrow("hunter2");
  });
});

test("a host key that Pulumi's plugin cannot check is refused with the one to ask for", () => {
  const rsa = { ...client, ssh: { hostKey: `ssh-rsa ${"A".repeat(372)}` } };
  expect(() => parseStackConfig({ ...fleet, clients: [rsa] })).toThrow(
    /clients\[0\]\.ssh\.hostKey: .*ssh-keyscan -t ed25519/,
  );
});
