/**
 * `import`, by what it contacts, brings and writes: all or nothing. Not proven here: lines (core/registry), encryption and
 * servers (see test/lab).
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toShell } from "../../core/commands/shell.ts";
import { FleetError } from "../../core/errors.ts";
import { memoryStack } from "../../test/helpers/stack-memory.ts";
import {
  type ClientSecrets,
  type Found,
  type ImportContext,
  type ImportRequest,
  importRegistry,
} from "./import-registry.ts";

const example = readFileSync("Pulumi.prod.yaml", "utf8");
const registry = [
  "# registry",
  "geoclic-prod|geoclic.fr|geoclic.fr|ubuntu|22|rsync|2026-02-06",
  "nice|nice.geoclic.fr|10.0.0.9|ubuntu|22|rsync|2026-02-06",
  "lyon|lyon.geoclic.fr|10.0.0.10|root|2222|rsync|2026-02-06",
].join("\n");
const request: ImportRequest = { text: registry, reach: "{1}.{2}.{3}.{4}" };
const keyOf = (letter: string) => ({
  hostKey: `ssh-ed25519 ${letter.repeat(68)}`,
  fingerprint: `SHA256:${letter}`,
});
const environment = (name: string) =>
  `DB_PASSWORD=${name}-db-secret\nJWT_SECRET_KEY=${name}-jwt-secret\nLETSENCRYPT_EMAIL=admin@${name}.fr\n`;

interface Server {
  readonly env?: string | FleetError;
  readonly settings?: string;
  /** Status and text of what its containers run with. */
  readonly running?: { readonly status: number; readonly stdout: string };
}

function world(servers: Readonly<Record<string, Server>> = {}, change: Partial<ImportContext> = {}) {
  const file = memoryStack(example);
  const happened: string[] = [];
  const told: string[] = [];
  const shown: Found[] = [];
  const brought: ClientSecrets[] = [];
  const context: ImportContext = {
    file,
    scanHostKey: async (host, port) => {
      happened.push(`scan ${host}:${port}`);
      return keyOf(host.at(-1) === "9" ? "N" : "L");
    },
    openSsh: async (target) => ({
      target,
      run: async (_step, command) => {
        const line = toShell(command);
        happened.push(
          `${target.user}@${target.host} ${target.hostKey.slice(12, 13)} ${/\S+$/.exec(line)?.[0]}`,
        );
        const {
          env = environment(target.client),
          running = { status: 3, stdout: "" },
          settings = `{"nom_collectivite":"Mairie de ${target.client}"}`,
        } = servers[target.client] ?? {};
        if (line.includes("deploy/.env")) {
          if (env instanceof FleetError) throw env;
          return env === "" ? { status: 3, stdout: "" } : { status: 0, stdout: env };
        }
        if (line.includes("docker inspect")) return running;
        return { status: 0, stdout: line.includes("psql") ? `${settings}\n` : "" };
      },
      forward: () => Promise.reject(new Error("nothing is forwarded")),
      sendRelease: () => Promise.reject(new Error("nothing is sent")),
    }),
    ownAddresses: () => ["10.9.9.9"],
    resolve: async () => [],
    secretVariables: async () => ["JWT_SECRET_KEY", "DB_PASSWORD"],
    encrypt: async (secrets) => {
      brought.push(secrets);
      const secured = Object.entries(secrets).map(([client, values]) => [
        client,
        Object.fromEntries(Object.keys(values).map((name) => [name, { secure: `v1:${client}-${name}` }])),
      ]);
      return { secured: Object.fromEntries(secured), top: { encryptionsalt: "v1:salt" } };
    },
    show: (found) => void shown.push(...found),
    confirmHostKeys: async (found) => {
      happened.push(`confirm ${found.map(({ key }) => key?.fingerprint ?? "-").join(" ")}`);
      return true;
    },
    describe: (error) => error.message,
    tell: (key) => void told.push(key),
    ...change,
  };
  return { file, happened, told, shown, brought, context };
}

test("keys are shown before anything is read, secrets are brought encrypted, in one commit", async () => {
  const { file, happened, brought, context } = world();
  await importRegistry(context, request);
  const asked = happened.findIndex((line) => line.startsWith("confirm"));
  expect(happened.slice(0, asked + 1)).toEqual([
    "scan 10.0.0.9:22",
    "scan 10.0.0.10:2222",
    "confirm - SHA256:N SHA256:L",
  ]);
  expect(happened.slice(asked + 1).filter((line) => line.startsWith("root@10.0.0.10 L"))).toHaveLength(4);
  expect(brought).toEqual([
    {
      nice: { DB_PASSWORD: "nice-db-secret", JWT_SECRET_KEY: "nice-jwt-secret" },
      lyon: { DB_PASSWORD: "lyon-db-secret", JWT_SECRET_KEY: "lyon-jwt-secret" },
    },
  ]);
  const { clients, secrets } = await file.read();
  expect(clients.slice(3)).toMatchObject([
    {
      name: "nice",
      email: "admin@nice.fr",
      town: "Mairie de nice",
      ssh: { user: "ubuntu", port: 22, hostKey: keyOf("N").hostKey },
    },
    { name: "lyon", ip: "10.0.0.10", ssh: { user: "root", port: 2222 } },
  ]);
  expect(Object.keys(secrets)).toEqual(["nice", "lyon"]);
  expect(file.text().startsWith(example)).toBe(true);
  expect(file.text()).toContain("secure: v1:nice-DB_PASSWORD");
  expect(file.text()).toContain("encryptionsalt: v1:salt");
  expect(file.text()).not.toMatch(/-secret/);
  expect(file.commits).toHaveLength(1);
});

test("again, everything is declared already", async () => {
  const { file, told, context } = world();
  await importRegistry(context, request);
  await importRegistry(context, request);
  expect(file.commits).toHaveLength(1);
  expect(told.at(-1)).toBe("import.nothing");
});

const runs = (url: string) => ({
  status: 0,
  stdout: [
    { services: { api: { environment: { DATABASE_URL: "postgresql://g:lyon-db-secret@db/x" } } } },
    { service: "api", env: [`DATABASE_URL=${url}`] },
  ]
    .map((line) => JSON.stringify(line))
    .join("\n"),
});

test("a `.env` that was edited after the containers were made is told, and nothing of that town is brought", async () => {
  const lyon = { running: runs("postgresql://g:the-old-one@db/x") };
  const { file, shown, context, brought } = world({ lyon });
  await expect(importRegistry(context, request)).rejects.toMatchObject({ code: "IMPORT_REFUSED" });
  const problem = shown.find(({ line }) => line.name === "lyon")?.problem;
  expect(problem).toMatchObject({
    code: "ENVIRONMENT_DIFFERS",
    values: { names: "DB_PASSWORD (DATABASE_URL of api)" },
    place: { client: "lyon" },
  });
  expect(JSON.stringify([problem, problem?.message])).not.toMatch(/the-old-one|lyon-db-secret/);
  expect([file.commits, brought]).toEqual([[], []]);
});

test("containers that run with what `.env` says are no obstacle; where Docker does not tell, that is told", async () => {
  const same = world({ lyon: { running: runs("postgresql://g:lyon-db-secret@db/x") } });
  await importRegistry(same.context, request);
  expect([same.file.commits.length, same.told.includes("import.unseen")]).toEqual([1, false]);
  for (const running of [
    { status: 127, stdout: "" },
    { status: 0, stdout: "docker-compose version 1.29" },
  ]) {
    const silent = world({ lyon: { running } });
    await importRegistry(silent.context, request);
    expect([silent.file.commits.length, silent.told.includes("import.unseen")]).toEqual([1, true]);
  }
});

const unreachable = new FleetError("SSH_UNREACHABLE", { cause: "x" });
test.each<[string, Server, string]>([
  ["cannot be logged in to", { env: new FleetError("SSH_REFUSED", {}) }, "SSH_REFUSED"],
  ["was never the predecessor's", { env: "" }, "NOT_PREDECESSOR"],
  [
    "does not tell its database's password",
    { env: "JWT_SECRET_KEY=abcdefgh\nLETSENCRYPT_EMAIL=a@b.fr\n" },
    "DB_PASSWORD_UNKNOWN",
  ],
  [
    "has a secret that cannot be kept",
    { env: environment("lyon").replace("lyon-db-secret", "a b") },
    "SECRET_UNFIT",
  ],
  ["has a file that Compose does not read", { env: "DB_PASSWORD='abcdefgh\n" }, "ENVIRONMENT_UNREADABLE"],
  ["does not tell an e-mail", { env: "DB_PASSWORD=abcdefgh\n" }, "EMAIL_UNKNOWN"],
  [
    "has a hostile e-mail",
    { env: environment("lyon").replace("admin@", "-oX=$(reboot)@") },
    "CONFIG_INVALID",
  ],
  ["does not tell its town", { settings: "{}" }, "TOWN_UNKNOWN"],
  ["has a hostile town", { settings: '{"nom_collectivite":"a\\nb: c"}' }, "CONFIG_INVALID"],
])("a server that %s refuses everything; with --skip-refused only itself", async (_, lyon, code) => {
  const { file, shown, context } = world({ lyon });
  await expect(importRegistry(context, request)).rejects.toMatchObject({
    code: "IMPORT_REFUSED",
    values: { lines: "4" },
  });
  expect(file.text()).toBe(example);
  expect(shown.map(({ problem }) => problem?.code)).toEqual([undefined, undefined, code]);
  expect(JSON.stringify(shown.map(({ problem }) => problem?.message))).not.toMatch(/-secret|a b/);
  await importRegistry(context, { ...request, skipRefused: true });
  expect((await file.read()).clients.map(({ name }) => name).slice(3)).toEqual(["nice"]);
});

test("a server that does not answer is refused, and nothing is read there", async () => {
  const { happened, context } = world({}, { scanHostKey: () => Promise.reject(unreachable) });
  await expect(importRegistry(context, request)).rejects.toMatchObject({
    code: "IMPORT_REFUSED",
    values: { lines: "3, 4" },
  });
  expect(happened).toEqual([]);
});

test("keys that are not confirmed: nothing is read, nothing is written", async () => {
  const { file, happened, context } = world({}, { confirmHostKeys: async () => false });
  await expect(importRegistry(context, request)).rejects.toMatchObject({ code: "HOST_KEYS_UNCONFIRMED" });
  expect(happened.every((line) => line.startsWith("scan"))).toBe(true);
  expect(file.text()).toBe(example);
});

test("a dry run shows everything, encrypts and writes nothing", async () => {
  const { file, shown, brought, told, context } = world({ lyon: { env: "" } });
  await importRegistry(context, { ...request, dryRun: true });
  expect(shown).toHaveLength(3);
  expect([file.text(), brought, told.at(-1)]).toEqual([example, [], "import.dryRun"]);
});

test("what a server does not tell comes from the options", async () => {
  const { file, context } = world({ lyon: { env: "DB_PASSWORD=abcdefgh\n", settings: "" } });
  await importRegistry(context, {
    ...request,
    email: "fleet@geoclic.fr",
    townFromName: true,
    reach: "127.0.10.{4}",
  });
  expect((await file.read()).clients.at(-1)).toMatchObject({
    name: "lyon",
    email: "fleet@geoclic.fr",
    town: "Lyon",
    reach: "127.0.10.10",
  });
});

test("a domain that leads here is the master's", async () => {
  const resolve = async (domain: string) => (domain === "nice.geoclic.fr" ? ["10.9.9.9"] : []);
  const { file, context } = world({}, { resolve });
  await importRegistry(context, request);
  expect((await file.read()).clients.map(({ name }) => name).slice(3)).toEqual(["lyon"]);
});

test("an engine that does not encrypt leaves the file as it was", async () => {
  const { file, context } = world({}, { encrypt: () => Promise.reject(new FleetError("ENGINE_FAILED", {})) });
  await expect(importRegistry(context, request)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  expect(file.text()).toBe(example);
});

test("an empty registry is refused", async () => {
  await expect(importRegistry(world().context, { ...request, text: "# nothing\n\n" })).rejects.toMatchObject({
    code: "IMPORT_EMPTY",
  });
});
