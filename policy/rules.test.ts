/** The fleet's rules by tables. That the engine enforces them is seen in test/peers; secrecy in the state is the engine's. */
import { describe, expect, test } from "vitest";
import {
  clearSecretViolations,
  commandViolations,
  connectionViolations,
  doubleViolations,
  protectionViolations,
  purchaseViolations,
  recordViolations,
  type Resource,
  secretViolations,
} from "./rules.ts";

const hostKey = "ssh-ed25519 AAAA";
const resource = (
  type: string,
  props: Record<string, unknown>,
  name = "ville-x",
  isProtected = false,
): Resource => ({
  type,
  name,
  props,
  isProtected,
});
const remote = (props: Record<string, unknown>) =>
  resource("command:remote:Command", { connection: { hostKey }, create: "x", update: "x", ...props });
const local = (props: Record<string, unknown>, name?: string) =>
  resource("command:local:Command", { create: "x", update: "x", ...props }, name);
const record = (props: Record<string, unknown>, name?: string) =>
  resource(
    "ovh:Domain/zoneRecord:ZoneRecord",
    { fieldtype: "A", ttl: 300, zone: "geoclic.fr", ...props },
    name,
  );

test.each<[string, (each: Resource) => string[], Resource, string | undefined]>([
  ["a pinned host key", connectionViolations, remote({}), undefined],
  ["no host key", connectionViolations, remote({ connection: {} }), "hostKey is not pinned"],
  [
    "an empty host key",
    connectionViolations,
    remote({ connection: { hostKey: "" } }),
    "hostKey is not pinned",
  ],
  ["no connection", connectionViolations, remote({ connection: undefined }), "hostKey is not pinned"],
  [
    "a key in the connection",
    connectionViolations,
    remote({ connection: { hostKey, privateKey: "k" } }),
    "privateKey is set",
  ],
  [
    "a password in the connection",
    connectionViolations,
    remote({ connection: { hostKey, password: "k" } }),
    "password is set",
  ],
  ["a local command", connectionViolations, local({}), undefined],
  ["a command that is repeated", commandViolations, remote({}), undefined],
  ["no update", commandViolations, remote({ update: undefined }), "update is not create"],
  ["another update", commandViolations, local({ update: "y" }), "update is not create"],
  ["triggers", commandViolations, local({ triggers: [1] }), "triggers replace"],
  ["no triggers", commandViolations, local({ triggers: [] }), undefined],
  ["a delete", commandViolations, remote({ delete: "rm" }), "delete touches the server"],
  ["a variable", secretViolations, local({ environment: { GEOCLIC_STEP_CLIENT: "a" } }), undefined],
  [
    "a variable named like a secret",
    secretViolations,
    local({ environment: { DB_PASSWORD: "a" } }),
    "environment.DB_PASSWORD",
  ],
  ["an unlogged standard input", secretViolations, remote({ stdin: "s", logging: "none" }), undefined],
  ["a logged standard input", secretViolations, remote({ stdin: "s" }), "set logging to none"],
  [
    "an unprotected secret",
    protectionViolations,
    resource("random:index/randomPassword:RandomPassword", {}),
    "not protected",
  ],
  [
    "a protected secret",
    protectionViolations,
    resource("random:index/randomPassword:RandomPassword", {}, "p", true),
    undefined,
  ],
  ["something else unprotected", protectionViolations, remote({}), undefined],
  ["an address", recordViolations, record({}), undefined],
  ["an alias", recordViolations, record({ fieldtype: "CNAME" }), "A records only"],
  ["a long time to live", recordViolations, record({ ttl: 86_400 }), "lost for longer"],
  ["a purchase", purchaseViolations, resource("ovh:Vps/vps:Vps", {}), "geoclic-fleet order"],
  ["a record", purchaseViolations, record({}), undefined],
])("%s", (_, rule, each, expected) => {
  const violations = rule(each);
  if (expected === undefined) expect(violations).toEqual([]);
  else expect(violations).toEqual([expect.stringContaining(expected)]);
});

describe("a stack", () => {
  const step = (name: string, role: string, values: Record<string, string>) =>
    local(
      {
        environment: Object.fromEntries(
          Object.entries(values).map(([key, value]) => [`GEOCLIC_STEP_${key}`, value]),
        ),
      },
      `${name}-${role}`,
    );
  const town = (name: string, domain: string, host: string, port = "22") => [
    step(name, "server", { HOST: host, PORT: port }),
    step(name, "certificate", { HOST: host, PORT: port, DOMAIN: domain }),
  ];

  test.each<[string, Resource[], string[]]>([
    ["of two towns", [...town("a", "a.fr", "10.0.0.1"), ...town("b", "b.fr", "10.0.0.2")], []],
    [
      "of one server twice",
      [...town("a", "a.fr", "10.0.0.1"), ...town("b", "b.fr", "10.0.0.1")],
      ["a-server and b-server share the server 10.0.0.1:22"],
    ],
    [
      "of two ports of one address",
      [...town("a", "a.fr", "10.0.0.1"), ...town("b", "b.fr", "10.0.0.1", "2222")],
      [],
    ],
    [
      "of one domain twice",
      [...town("a", "a.fr", "10.0.0.1"), ...town("b", "a.fr", "10.0.0.2")],
      ["a-certificate and b-certificate share the domain a.fr"],
    ],
    [
      "of one record twice",
      [record({ subdomain: "a" }, "a-a"), record({ subdomain: "a" }, "b-a")],
      ["a-a and b-a share the record a.geoclic.fr"],
    ],
  ])("%s", (_, resources, expected) => {
    expect(doubleViolations(resources)).toEqual(expected);
  });

  test("holds no generated secret in a command or a variable", () => {
    const secret = resource("random:index/randomPassword:RandomPassword", { result: "0123456789abcdef" });
    const shown = [
      local({ create: "echo 0123456789abcdef" }, "one"),
      local({ environment: { A: "x0123456789abcdefx" } }, "two"),
      local({}, "three"),
    ];
    expect(clearSecretViolations([secret, ...shown])).toEqual([
      "one: a secret of the stack stands in its command or environment",
      "two: a secret of the stack stands in its command or environment",
    ]);
  });
});
