/** The fleet's rules by tables. That the engine enforces them, and hands them what is secret, is seen in test/peers. */
import { describe, expect, test } from "vitest";
import {
  clearInputViolations,
  commandViolations,
  connectionViolations,
  doubleViolations,
  generatedSecretViolations,
  isSecretName,
  notKnown,
  protectionViolations,
  purchaseViolations,
  recordViolations,
  type Resource,
  standardInputViolations,
  variableViolations,
} from "./rules.ts";

const hostKey = "ssh-ed25519 AAAA";
const password = "random:index/randomPassword:RandomPassword";

type Inputs = Record<string, unknown>;
const resource = (type: string, inputs: Inputs, change: Partial<Resource> = {}): Resource => ({
  type,
  name: "ville-x",
  inputs,
  secretInputs: [],
  secretOutputs: [],
  isProtected: false,
  ...change,
});
const remote = (inputs: Inputs, change?: Partial<Resource>) =>
  resource(
    "command:remote:Command",
    { connection: { hostKey }, create: "x", update: "x", ...inputs },
    change,
  );
const local = (inputs: Inputs, change?: Partial<Resource>) =>
  resource("command:local:Command", { create: "x", update: "x", ...inputs }, change);
const record = (inputs: Inputs, change?: Partial<Resource>) =>
  resource(
    "ovh:Domain/zoneRecord:ZoneRecord",
    { fieldtype: "A", ttl: 300, zone: "geoclic.fr", ...inputs },
    change,
  );

/** `expected`: a part of each violation. */
function judge(rule: (each: Resource) => string[], each: Resource, expected: readonly string[]): void {
  expect(rule(each)).toEqual(expected.map((part) => expect.stringContaining(part)));
}

test.each<[string, Resource, string[]]>([
  ["a pinned host key", remote({}), []],
  ["a host key of another type", remote({ connection: { hostKey: "ecdsa-sha2-nistp256 AAAA" } }), []],
  ["no host key", remote({ connection: {} }), ["hostKey is not pinned"]],
  ["an empty host key", remote({ connection: { hostKey: "" } }), ["hostKey is not pinned"]],
  ["a host key that nobody knows yet", remote({ connection: { hostKey: notKnown } }), ["not pinned"]],
  ["a connection that nobody knows yet", remote({ connection: notKnown }), ["not pinned"]],
  ["no connection", remote({ connection: undefined }), ["hostKey is not pinned"]],
  ["a key", remote({ connection: { hostKey, privateKey: "k" } }), ["privateKey is set"]],
  ["a password", remote({ connection: { hostKey, password: "k" } }), ["password is set"]],
  ["a local command", local({}), []],
  ["a copied file", resource("command:remote:CopyToRemote", { connection: {} }), ["not pinned"]],
])("connection: %s", (_, each, expected) => judge(connectionViolations, each, expected));

test.each<[string, Resource, string[]]>([
  ["the same again", remote({}), []],
  ["no update", remote({ update: undefined }), ["update is not create"]],
  ["another update", local({ update: "y" }), ["update is not create"]],
  ["triggers", local({ triggers: [1] }), ["triggers replace"]],
  ["triggers that nobody knows yet", local({ triggers: notKnown }), ["triggers replace"]],
  ["no triggers", local({ triggers: [] }), []],
  ["a delete", remote({ delete: "rm" }), ["delete touches the server"]],
  ["no command", resource(password, { triggers: [1] }), []],
])("command: %s", (_, each, expected) => judge(commandViolations, each, expected));

const secretInputs = ["stdin"];
const secretOutputs = ["stdout", "stderr"];
test.each<[string, Resource, string[]]>([
  ["none", remote({}), []],
  ["hidden", remote({ stdin: "s", logging: "none" }, { secretInputs, secretOutputs }), []],
  ["not known yet", remote({ stdin: notKnown, logging: "none" }, { secretOutputs }), []],
  ["not known yet, logged", remote({ stdin: notKnown }, { secretOutputs }), ["set logging to none"]],
  ["in clear", remote({ stdin: "s", logging: "none" }, { secretOutputs }), ["wrap it in pulumi.secret"]],
  ["logged", remote({ stdin: "s" }, { secretInputs, secretOutputs }), ["set logging to none"]],
  [
    "half logged",
    remote({ stdin: "s", logging: "stderr" }, { secretInputs, secretOutputs }),
    ["set logging to none"],
  ],
  [
    "answered in clear",
    remote({ stdin: "s", logging: "none" }, { secretInputs, secretOutputs: ["stdout"] }),
    ["stderr kept in clear"],
  ],
  [
    "of a local command",
    local({ stdin: "s" }),
    ["wrap it", "set logging to none", "stdout and stderr kept in clear"],
  ],
])("standard input: %s", (_, each, expected) => judge(standardInputViolations, each, expected));

test.each<[string, Resource, string[]]>([
  ["a plain one", local({ environment: { GEOCLIC_STEP_HOST_KEY: "a" } }), []],
  ["a secret's", local({ environment: { DB_PASSWORD: "a" } }), ["environment.DB_PASSWORD"]],
  [
    "a secret's, marked",
    local({ environment: { DB_PASSWORD: "a" } }, { secretInputs: ["environment.DB_PASSWORD"] }),
    ["environment.DB_PASSWORD"],
  ],
  ["none that is known yet", local({ environment: notKnown }), []],
])("variables: %s", (_, each, expected) => judge(variableViolations, each, expected));

test.each<[string, Resource, string[]]>([
  ["a plain one", remote({}), []],
  ["a secret's", resource("x:y:Z", { a: { apiKey: "k" } }), ["a.apiKey is kept in clear"]],
  ["a secret's in a list", resource("x:y:Z", { a: [{ token: "k" }] }), ["a.0.token is kept in clear"]],
  ["a secret's that is not known yet", resource("x:y:Z", { token: notKnown }), []],
  ["a secret's, marked", resource("x:y:Z", { token: "k" }, { secretInputs: ["token"] }), []],
  ["a secret's, marked above", resource("x:y:Z", { a: { token: "k" } }, { secretInputs: ["a"] }), []],
  ["a secret's, marked beside", resource("x:y:Z", { token: "k" }, { secretInputs: ["toke"] }), ["token"]],
])("inputs: %s", (_, each, expected) => judge(clearInputViolations, each, expected));

test.each<[string, boolean]>([
  ["DB_PASSWORD", true],
  ["adminPassword", true],
  ["passwords", true],
  ["JWT_SECRET_KEY", true],
  ["OVH_CONSUMER_KEY", true],
  ["apiKey", true],
  ["privateKeyPem", true],
  ["credentials", true],
  ["GEOCLIC_STEP_HOST_KEY", false],
  ["hostKey", false],
  ["publicKey", false],
  ["GEOCLIC_STEP_SERVICE_TOKENIZER", false],
  ["secretary", false],
  ["key", false],
])("%s is named like a secret: %s", (name, expected) => expect(isSecretName(name)).toBe(expected));

test.each<[string, Resource, string[]]>([
  ["unprotected", resource(password, {}), ["not protected"]],
  ["protected", resource(password, {}, { isProtected: true }), []],
  ["no secret", remote({}), []],
])("generated secret: %s", (_, each, expected) => judge(protectionViolations, each, expected));

test.each<[string, Resource, string[]]>([
  ["an address", record({}), []],
  ["an address that nobody knows yet", record({ target: notKnown }), []],
  ["an IPv6 address", record({ fieldtype: "AAAA" }), []],
  ["an alias", record({ fieldtype: "CNAME" }), ["A and AAAA records only"]],
  ["no time to live", record({ ttl: undefined }), ["ttl is undefined"]],
  ["a time to live of OVH's choice", record({ ttl: 0 }), ["ttl is 0"]],
  ["a long time to live", record({ ttl: 86_400 }), ["lost for long"]],
])("record: %s", (_, each, expected) => judge(recordViolations, each, expected));

test("nothing is bought", () => {
  judge(purchaseViolations, resource("ovh:Vps/vps:Vps", {}), ["geoclic-fleet order"]);
  judge(purchaseViolations, record({}), []);
});

describe("a stack", () => {
  const step = (name: string, role: string, values: Record<string, string>) =>
    local(
      {
        environment: Object.fromEntries(
          Object.entries(values).map(([key, value]) => [`GEOCLIC_STEP_${key}`, value]),
        ),
      },
      { name: `${name}-${role}` },
    );
  const town = (name: string, domain: string, ip: string, port = "22", host = ip) => [
    step(name, "server", { HOST: host, PORT: port }),
    step(name, "certificate", { HOST: host, PORT: port, DOMAIN: domain, IP: ip }),
  ];

  test.each<[string, Resource[], string[]]>([
    ["of two towns", [...town("a", "a.fr", "10.0.0.1"), ...town("b", "b.fr", "10.0.0.2")], []],
    [
      "of one server twice",
      [...town("a", "a.fr", "10.0.0.1"), ...town("b", "b.fr", "10.0.0.2", "22", "10.0.0.1")],
      ["a-server and b-server share the server 10.0.0.1 22"],
    ],
    [
      "of one server twice, told in another order",
      [...town("b", "b.fr", "10.0.0.2", "22", "10.0.0.1"), ...town("a", "a.fr", "10.0.0.1")],
      ["a-server and b-server share the server 10.0.0.1 22"],
    ],
    [
      "of one address behind two ports",
      [...town("a", "a.fr", "10.0.0.1"), ...town("b", "b.fr", "10.0.0.1", "2222")],
      ["a-certificate and b-certificate share the address 10.0.0.1"],
    ],
    [
      "of one domain three times",
      ["a", "b", "c"].flatMap((name, index) => town(name, "a.fr", `10.0.0.${index}`)),
      ["a-certificate and b-certificate and c-certificate share the domain a.fr"],
    ],
    [
      "of which little is known yet",
      ["a", "b"].flatMap((name) => [
        local({ environment: notKnown }, { name: `${name}-server` }),
        local({ environment: { GEOCLIC_STEP_IP: notKnown } }, { name: `${name}-certificate` }),
        record({ subdomain: notKnown }, { name: `${name}-a` }),
      ]),
      [],
    ],
    [
      "of one record twice",
      [record({ subdomain: "a" }, { name: "a-a" }), record({ subdomain: "a" }, { name: "b-a" })],
      ["a-a and b-a share the record A a geoclic.fr"],
    ],
    [
      "with an IPv4 and an IPv6 address of one name",
      [
        record({ subdomain: "a" }, { name: "a-a" }),
        record({ subdomain: "a", fieldtype: "AAAA" }, { name: "a-aaaa" }),
      ],
      [],
    ],
  ])("%s", (_, resources, expected) => {
    expect(doubleViolations(resources)).toEqual(expected);
  });

  test("holds a generated secret in secret inputs only, and in no command or variable at all", () => {
    const value = "0123456789abcdef";
    const all = [
      resource(password, { length: 16 }, { outputs: { result: value } }),
      local({ create: `echo ${value}` }, { name: "command", secretInputs: ["create"] }),
      local({ environment: { A: `x${value}x` } }, { name: "variable", secretInputs: ["environment"] }),
      remote({ stdin: value }, { name: "clear" }),
      remote({ stdin: value }, { name: "secret", secretInputs: ["stdin"] }),
      resource("x:y:Z", { a: [value] }, { name: "other" }),
      resource("x:y:Z", { a: notKnown }, { name: "not known" }),
      local({}, { name: "none" }),
    ];
    expect(generatedSecretViolations(all)).toEqual([
      "command: create holds a generated secret in clear",
      "variable: environment.A holds a generated secret in clear",
      "clear: stdin holds a generated secret in clear",
      "other: a.0 holds a generated secret in clear",
    ]);
  });

  test("whose secrets are not known yet holds none", () => {
    const all = [resource(password, {}, { outputs: { result: notKnown } }), local({ create: "echo" })];
    expect(generatedSecretViolations(all)).toEqual([]);
  });
});
