/** The adapter's schema, by tables, and the adapter that ships. Not proven: that it fits a suite (see the release's tests). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { adapterYaml } from "../../test/helpers/adapter.ts";
import { parseAdapter } from "./adapter.ts";

const changed = (change: Record<string, unknown>) => ({ ...adapterYaml, ...change });
const api = (change: Record<string, unknown>) =>
  changed({ services: { ...adapterYaml.services, api: { ...adapterYaml.services.api, ...change } } });

test("the adapter that ships is valid, and keeps the order of its services", () => {
  const file = new URL("../../assets/suites/geoclic.yaml", import.meta.url);
  const adapter = parseAdapter(parseYaml(readFileSync(file, "utf8")), "geoclic.yaml");
  expect(Object.keys(adapter.services)).toEqual([
    "db",
    "api",
    "admin",
    "portail",
    "demandes",
    "mobile",
    "sig",
    "services",
    "terrain",
    "nginx",
  ]);
  expect(adapter.project).toBe("deploy");
});

test("fills in what may be left out", () => {
  const { services, database } = parseAdapter(adapterYaml, "f");
  expect(services.admin).toEqual({
    image: "built",
    inputs: ["admin"],
    stateful: false,
    ingress: false,
    drainSeconds: 30,
  });
  expect(database).toMatchObject({ first: [], tolerate: {}, breaking: [] });
});

describe("fails", () => {
  test.each<[string, unknown, string]>([
    ["no adapter", null, "(root): "],
    ["an unknown key", changed({ colour: "red" }), 'unknown key "colour"'],
    ["an unknown key of a service", api({ port: 1 }), 'services.api: unknown key "port"'],
    ["a kind of image", api({ image: "copied" }), "services.api.image: "],
    [
      "a limit of memory without unit",
      api({ memory: "512" }),
      'services.api.memory: expected e.g. 512m, got "512"',
    ],
    ["a drain of no time", api({ drainSeconds: 0 }), "services.api.drainSeconds: "],
    [
      "a path out of the suite",
      api({ inputs: ["a/../../b"] }),
      "services.api.inputs[0]: expected a path inside",
    ],
    ["an absolute path", changed({ compose: "/etc/passwd" }), "compose: expected a path inside the suite"],
    ["a path with a line break", changed({ compose: "a\nb" }), "compose: expected a path inside the suite"],
    ["a project in capitals", changed({ project: "Deploy" }), "project: "],
    ["a name with a slash", changed({ name: "geo/clic" }), "name: "],
    ["a service's name with a blank", changed({ services: { "a b": { image: "built" } } }), "a b"],
    [
      "a short secret",
      changed({ env: { ...adapterYaml.env, generated: { A: { bytes: 8 } } } }),
      "env.generated.A.bytes: ",
    ],
    [
      "a variable in small letters",
      changed({ env: { ...adapterYaml.env, fixed: { path: "x" } } }),
      "expected a variable name in capitals",
    ],
    [
      "a value with a line break",
      changed({ env: { ...adapterYaml.env, fixed: { A: "x\nDB_PASSWORD=y" } } }),
      "env.fixed.A: expected a value without line break or backslash",
    ],
    [
      "a value with a backslash",
      changed({ env: { ...adapterYaml.env, derived: { A: "a\\b" } } }),
      "env.derived.A: expected a value without line break or backslash",
    ],
    [
      "an SQLSTATE that is none",
      changed({ database: { ...adapterYaml.database, tolerate: { "1.sql": ["42"] } } }),
      "database.tolerate.1.sql[0]: ",
    ],
    [
      "a ledger that SQL would have to quote",
      changed({ database: { ...adapterYaml.database, ledger: 'a"b' } }),
      "database.ledger: ",
    ],
    ["an unknown kind of bind", changed({ binds: { "./x": "keep" } }), "binds../x: "],
    [
      "TLS of an unknown service",
      changed({ tls: { ...adapterYaml.tls, service: "proxy" } }),
      'tls: unknown service "proxy", expected one of: db, api, admin, nginx',
    ],
    [
      "a hook of an unknown service",
      changed({ hooks: { ...adapterYaml.hooks, setTown: { ...adapterYaml.hooks.setTown, service: "x" } } }),
      'setTown: unknown service "x"',
    ],
    [
      "a folder for the ingress that is no configuration",
      changed({ ingress: { ...adapterYaml.ingress, confd: "./www" } }),
      'ingress.confd: expected a bind of the kind config, got "./www"',
    ],
  ])("on %s", (_, value, message) => {
    expect(() => parseAdapter(value, "geoclic.yaml")).toThrow(message);
    expect(() => parseAdapter(value, "geoclic.yaml")).toThrow("the adapter geoclic.yaml is not valid: ");
  });

  test("and names everything that is wrong at once", () => {
    const wrong = changed({
      tls: { ...adapterYaml.tls, service: "a" },
      files: { ...adapterYaml.files, service: "b" },
    });
    expect(() => parseAdapter(wrong, "f")).toThrow(/files: unknown service "b".*; tls: unknown service "a"/);
  });
});
