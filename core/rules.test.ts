/** Rules of certificates, DNS, health, facts, messages and inputs, by tables. Not proven: Let's Encrypt's own counting. */
import { describe, expect, test } from "vitest";
import { type AcmeEvent, acmeBudget } from "./certificate/budget.ts";
import { checkDns } from "./certificate/dns.ts";
import { FleetError, describe as tell } from "./errors.ts";
import { checkServer, readServer } from "./facts/server.ts";
import { shownRelease, unhealthy } from "./health.ts";
import { catalogue, type ErrorCode, languageOf, type TextKey, text } from "./messages/catalogue.ts";
import { readStepInput, stepVariables } from "./step/variables.ts";

const now = Date.UTC(2026, 10, 23);
const hour = 3_600_000;
const server = "https://acme.example/dir";

describe("the budget of certificates", () => {
  const event = (domain: string, hoursAgo: number, outcome: AcmeEvent["outcome"] = "issued"): AcmeEvent => ({
    domain,
    server,
    time: now - hoursAgo * hour,
    outcome,
  });
  const many = (count: number, make: (index: number) => AcmeEvent) =>
    Array.from({ length: count }, (_, i) => make(i));

  test.each([
    ["nothing asked yet", [], true],
    ["44 of the family", many(44, (i) => event(`v${i}.geoclic.fr`, 24)), true],
    ["45 of the family", many(45, (i) => event(`v${i}.geoclic.fr`, 24)), false],
    ["45 of another family", many(45, (i) => event(`v${i}.other.fr`, 24)), true],
    ["45 of the family, a week ago", many(45, (i) => event(`v${i}.geoclic.fr`, 169)), true],
    ["4 of the same name", many(4, () => event("a.geoclic.fr", 24)), false],
    ["4 failures of the name within the hour", many(4, () => event("a.geoclic.fr", 0.5, "failed")), false],
    ["4 failures of the name, two hours ago", many(4, () => event("a.geoclic.fr", 2, "failed")), true],
    ["4 failures of another name", many(4, () => event("b.geoclic.fr", 0.5, "failed")), true],
    [
      "4 of the same name at another server",
      many(4, () => ({ ...event("a.geoclic.fr", 1), server: "x" })),
      true,
    ],
  ] as const)("%s", (_, events, ok) => {
    expect(acmeBudget(events, "a.geoclic.fr", server, now).ok).toBe(ok);
  });

  test("says when it is free again", () => {
    const budget = acmeBudget(
      many(4, (i) => event("a.geoclic.fr", i)),
      "a.geoclic.fr",
      server,
      now,
    );
    expect(budget).toEqual({
      ok: false,
      limit: "4 certificates per name and 7 days",
      used: 4,
      until: now - 3 * hour + 168 * hour,
    });
  });
});

test.each([
  [["10.0.0.1"], [], undefined],
  [[], [], "DNS_MISSING"],
  [["10.0.0.2"], [], "DNS_ELSEWHERE"],
  [["10.0.0.1", "10.0.0.2"], [], "DNS_ELSEWHERE"],
  [["10.0.0.1"], ["2001:db8::1"], undefined],
  [[], ["2001:db8::1"], "DNS_ELSEWHERE"],
])("addresses %j and %j: %s", (a, aaaa, code) => {
  const check = () => checkDns({ domain: "a.fr", ip: "10.0.0.1", servers: "x" }, { a, aaaa });
  if (code) expect(check).toThrow(code);
  else expect(check()).toEqual(aaaa);
});

test.each([
  ["declared", "2001:db8::1", ["2001:db8::1"], []],
  ["declared, told in another form", "2001:db8::1", ["2001:DB8:0:0::1"], []],
  ["another than the declared one", "2001:db8::1", ["2001:db8::2"], ["2001:db8::2"]],
  ["one too many", "2001:db8::1", ["2001:db8::1", "2001:db8::2"], ["2001:db8::2"]],
  ["declared and missing", "2001:db8::1", [], []],
])("IPv6 addresses that must prove themselves, %s", (_, ipv6, aaaa, unproven) => {
  const question = { domain: "a.fr", ip: "10.0.0.1", ipv6, servers: "x" };
  expect(checkDns(question, { a: ["10.0.0.1"], aaaa })).toEqual(unproven);
});

const rule = { path: "/api/health", field: "status", equals: "healthy" };

test.each([
  [200, '{"status":"healthy"}', undefined],
  [200, '{"status":"degraded","checks":{}}', 'HTTP 200, status is "degraded", expected "healthy"'],
  [503, '{"status":"healthy"}', "HTTP 503"],
  [200, "<html>", "HTTP 200, no JSON: <html>"],
  [200, "null", "no JSON"],
  [200, "{}", "status is undefined"],
])("health: HTTP %i with %s", (status, body, cause) => {
  const found = unhealthy(rule, { status, body });
  if (cause === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(cause);
});

test.each([
  [200, '{"release":"aaaaaaaaaaaa"}', "aaaaaaaaaaaa"],
  [404, '{"release":"aaaaaaaaaaaa"}', undefined],
  [200, '{"release":1}', undefined],
  [200, "x", undefined],
])("shown release: HTTP %i with %s", (status, body, release) => {
  expect(shownRelease({ status, body })).toBe(release);
});

describe("a server's first facts", () => {
  const output = (id: string, version: string, free: number, machine = "x86_64") =>
    `PRETTY_NAME="${id} ${version} (x)"\nID=${id}\nVERSION_ID="${version}"\nFACT_MACHINE=${machine}\nFACT_FREE=${free}\nFACT_SCRIPTS=\n`;

  test.each([
    ["debian", "12", 9000, "x86_64", undefined],
    ["debian", "13", 9000, "x86_64", undefined],
    ["ubuntu", "22.04", 9000, "x86_64", undefined],
    ["ubuntu", "24.04", 9000, "x86_64", undefined],
    ["debian", "11", 9000, "x86_64", "OS_UNSUPPORTED"],
    ["ubuntu", "20.04", 9000, "x86_64", "OS_UNSUPPORTED"],
    ["almalinux", "9.4", 9000, "x86_64", "OS_UNSUPPORTED"],
    ["alpine", "3.20", 9000, "x86_64", "OS_UNSUPPORTED"],
    ["debian", "13", 9000, "aarch64", "OS_UNSUPPORTED"],
    ["debian", "13", 2000, "x86_64", "DISK_FULL"],
  ])("%s %s with %i MiB on %s: %s", (id, version, free, machine, code) => {
    const check = () => checkServer("h", readServer(output(id, version, free, machine)));
    if (code) expect(check).toThrow(code);
    else expect(check).not.toThrow();
  });

  test("an answer without anything is an unsupported system, not a crash", () => {
    expect(() => checkServer("h", readServer(""))).toThrow("an unknown system");
  });
});

describe("messages", () => {
  const { en, fr } = catalogue;
  const places = (message: string) => [...message.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

  test.each(Object.keys(en.errors) as ErrorCode[])("%s has the same places in both languages", (code) => {
    for (const part of ["what", "next"] as const) {
      const [french = "", english = ""] = [fr.errors[code]?.[part], en.errors[code]?.[part]];
      expect(french).not.toBe("");
      expect(new Set(places(french))).toEqual(new Set(places(english)));
    }
  });

  test.each(Object.keys(en.texts) as TextKey[])("%s has the same places in both languages", (key) => {
    expect(fr.texts[key] ?? "").not.toBe("");
    expect(places(fr.texts[key] ?? "")).toEqual(places(en.texts[key] ?? ""));
  });

  test("a value is never read as a template", () => {
    const error = new FleetError(
      "DNS_MISSING",
      { domain: "{{ip}} $t(x)", ip: "1.2.3.4", servers: "s" },
      { client: "v" },
    );
    expect(tell(error, "fr")).toBe(
      "v: {{ip}} $t(x) n'a pas d'adresse (serveurs interrogés : s) (DNS_MISSING). À faire : créez un enregistrement A {{ip}} $t(x) → 1.2.3.4 et relancez dès qu'il répond.",
    );
    expect(text("agent.ready", "en", { fingerprint: "{{x}}" })).toContain("{{x}}");
  });

  test.each([
    ["fr_FR.UTF-8", "fr"],
    ["fr", "fr"],
    ["fr-CA", "fr"],
    ["en_US.UTF-8", "en"],
    ["C.UTF-8", "en"],
    ["frr_DE", "en"],
    [undefined, "en"],
  ])("the locale %s is %s", (locale, language) => {
    expect(languageOf(locale)).toBe(language);
  });
});

describe("a step's input", () => {
  const input = { client: "v", host: "h", port: 22, sshUser: "u", hostKey: "k", scripts: "s" };

  test("comes back as it went", () => {
    expect(readStepInput("server", { ...stepVariables(input), PATH: "/bin" })).toEqual(input);
  });

  test("fails with the name of what is missing", () => {
    const { scripts: _, ...rest } = input;
    expect(() => readStepInput("server", stepVariables(rest))).toThrow("scripts");
  });

  test.each([
    ["a list", { dnsServers: ["10.0.0.1", "10.0.0.2"] }, { GEOCLIC_STEP_DNS_SERVERS: "10.0.0.1 10.0.0.2" }],
    ["an empty list", { dnsServers: [] }, { GEOCLIC_STEP_DNS_SERVERS: "" }],
    [
      "a record",
      { service: { "portail-citoyen": "a", api: "b" } },
      { GEOCLIC_STEP_SERVICE_PORTAIL_CITOYEN: "a", GEOCLIC_STEP_SERVICE_API: "b" },
    ],
    ["what is not there", { ipv6: undefined }, {}],
  ])("%s travels as plain variables", (_, sent, variables) => {
    expect(stepVariables(sent)).toEqual(variables);
  });

  test("lists come back as lists", () => {
    const certificate = {
      ...{ client: "v", host: "h", port: 22, sshUser: "u", hostKey: "k", domain: "v.fr", ip: "10.0.0.1" },
      ...{ email: "a@v.fr", acmeServer: "https://acme/dir", dnsServers: ["a", "b"], nameServers: [] },
    };
    expect(readStepInput("certificate", stepVariables(certificate))).toEqual(certificate);
  });
});
