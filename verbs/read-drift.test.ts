/** What is asked of servers to compare them, and what becomes of their answers. Not proven: the comparison itself (assets/server/tests, test/lab). */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scriptSums } from "../core/commands/scripts.ts";
import { ClientConfig, FleetConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import { DriftAnswer, type ExpectedServer, expectedServer } from "../core/facts/drift.ts";
import type { Release } from "../core/release/release.ts";
import { fakeContext } from "../test/helpers/fake-context.ts";
import { readDrift } from "./read-drift.ts";

const release = {
  id: "bbbbbbbbbbbb",
  scripts: "cccccccccccc",
  binds: [
    {
      hash: "dddddddddddd",
      source: "deploy/nginx/conf.d",
      target: "/opt/geoclic/shared/binds/dddddddddddd/conf.d",
      files: { "geoclic.conf": "own\n" },
    },
  ],
  static: [
    {
      name: "www",
      source: "deploy/www",
      target: "/opt/geoclic/shared/static/www",
      mountPoints: ["photos"],
    },
  ],
  adapter: {
    ingress: { maintenance: "www/.closed" },
    env: {
      generated: { DB_PASSWORD: { bytes: 16 } },
      fixed: { APP_ENV: "production" },
      derived: { URL: "https://{domain}" },
    },
  },
} as unknown as Release;
const client = ClientConfig.parse({
  name: "ville",
  domain: "ville.fr",
  email: "a@ville.fr",
  town: "Ville",
  ip: "10.0.0.1",
  ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
});
const fleet = FleetConfig.parse({ role: "fleet", suite: { path: "/suite" } });
const file = (path: string, digest: string, executable = false) => ({
  kind: "file" as const,
  path,
  executable,
  digest,
  bytes: 1,
});
const tree = [
  file("compose.yml", "c1"),
  file("suite/deploy/nginx/conf.d/site.conf", "n1"),
  file("suite/deploy/www/index.html", "w1", true),
  file("suite/deploy/www/photos/a.png", "p1"),
  { kind: "link" as const, path: "suite/latest", target: "deploy" },
];
const named = {
  client,
  desired: release,
  target: { client: "ville", host: "h", port: 22, user: "ubuntu", hostKey: "k" },
};
const finding = { area: "file", item: "/x", kind: "changed", detail: "" };

test("expects the release's trees, binds with our own files, and static folders without what is mounted in them", () => {
  const expected = expectedServer(named, { release, tree, scripts: [file("run.py", "r1")] }, fleet, [
    "ssh-ed25519 A",
  ]);
  const places = Object.fromEntries(expected.places.map(({ path, entries }) => [path, entries]));
  expect(places).toEqual({
    "/opt/geoclic/releases/bbbbbbbbbbbb": {
      "compose.yml": "c1 -",
      "suite/deploy/nginx/conf.d/site.conf": "n1 -",
      "suite/deploy/www/index.html": "w1 x",
      "suite/deploy/www/photos/a.png": "p1 -",
      "suite/latest": "-> deploy",
    },
    "/opt/geoclic/server.d/cccccccccccc": { "run.py": "r1 -" },
    "/opt/geoclic/shared/binds/dddddddddddd/conf.d": {
      "site.conf": "n1 -",
      "geoclic.conf": expect.stringMatching(/^[0-9a-f]{64} -$/),
    },
    "/opt/geoclic/shared/static/www": { "index.html": "w1 x" },
  });
  // What the install itself puts beside the scripts is nobody's change.
  expect(expected.places.find(({ path }) => path.includes("/server.d/"))?.ignored).toEqual([scriptSums]);
  expect(expected).toMatchObject({
    plain: "APP_ENV=production\nURL=https://ville.fr\n",
    secrets: ["DB_PASSWORD"],
    schedules: { CLIENT: "ville", DOMAIN: "ville.fr", BACKUP: "01:30", MINUTES: "5" },
  });
});

function context(answer: (line: string) => string | Error, isHeld = true) {
  const inputs: ExpectedServer[] = [];
  const fake = fakeContext({ answer, keys: ["ssh-ed25519 A"], ...(isHeld ? { release } : {}) });
  return {
    ...fake,
    inputs,
    readTree: async () => tree,
    openSsh: async (target: Parameters<typeof fake.openSsh>[0]) => {
      const ssh = await fake.openSsh(target);
      return {
        ...ssh,
        run: (...[step, command, options]: Parameters<typeof ssh.run>) => {
          if (options?.input) inputs.push(JSON.parse(String(options.input)) as ExpectedServer);
          return ssh.run(step, command, options);
        },
      };
    },
  };
}

test("asks each server once, with hashes of the operator's store, and hands its findings on", async () => {
  const asked = context((line) =>
    line.startsWith("readlink")
      ? `releases/${release.id}\n`
      : JSON.stringify({ format: 1, findings: [finding] }),
  );
  expect(await readDrift(asked, [named], fleet)).toEqual([{ name: "ville", findings: [finding] }]);
  expect(asked.sent).toEqual([
    "readlink /opt/geoclic/current",
    "sudo -n timeout --kill-after=5 120 /opt/geoclic/server/drift --client ville --json",
  ]);
  expect(asked.inputs[0]).toMatchObject({ release: release.id, keys: ["ssh-ed25519 A"] });
});

test("knows every area and kind that a server tells", () => {
  const source = readFileSync(new URL("../assets/server/geoclic_server/drift.py", import.meta.url), "utf8");
  const told = [
    ...source.matchAll(/_finding\("([a-z]+)", .*?, "([a-z]+)"(?: if .*? else "([a-z]+)")?[,)]/g),
  ].flatMap(([, area, ...kinds]) => kinds.filter(Boolean).map((kind) => ({ area, item: "x", kind })));
  expect(told.length).toBeGreaterThan(20);
  expect(DriftAnswer.parse({ format: 1, findings: told }).findings).toMatchObject(told);
  expect(new Set(told.map(({ area }) => area))).toEqual(
    new Set(DriftAnswer.shape.findings.element.shape.area.options),
  );
});

test("says when the running release is not in the store, instead of comparing it with another", async () => {
  const asked = context(
    (line) => (line.startsWith("readlink") ? "releases/aaaaaaaaaaaa\n" : '{"format":1,"findings":[]}'),
    false,
  );
  const [drift] = await readDrift(asked, [named], fleet);
  expect(drift?.findings).toMatchObject([{ area: "release", item: "aaaaaaaaaaaa" }]);
  expect(asked.inputs[0]?.places).toEqual([]);
});

test.each([
  [
    "a server out of reach",
    () => new FleetError("SSH_UNREACHABLE", { host: "h", port: 22, cause: "x" }),
    "SSH_UNREACHABLE",
  ],
  ["an answer of another form", () => '{"format":2}', "ANSWER_UNREADABLE"],
])("%s hides nobody", async (_, answer, code) => {
  const other = { ...named, target: { ...named.target, client: "autre" } };
  const asked = context((line) => (line.includes("autre") ? '{"format":1,"findings":[]}' : answer()));
  const drifts = await readDrift(asked, [named, other], fleet);
  expect(drifts[0]).toMatchObject({ name: "ville", findings: [], error: { code } });
});
