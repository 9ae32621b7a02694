/** The policy pack in the real engine: what violates a rule does not pass a preview, and what the fleet declares does. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { local, remote } from "@pulumi/command";
import { type CustomResourceOptions, secret } from "@pulumi/pulumi";
import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import { RandomPassword } from "@pulumi/random";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeSuite } from "../../lab/suite/release/make.ts";
import { toolchainEnvironment } from "../../toolchain/environment.ts";

const checkout = resolve(import.meta.dirname, "../..");
const policyPacks = [join(checkout, "policy")];
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-policy-"));
  // The Automation API adds to the process's environment.
  for (const name of Object.keys(process.env)) if (/^(PULUMI|OVH)_/.test(name)) delete process.env[name];
  const wanted = toolchainEnvironment(process.env);
  // The CLI is looked up on it.
  process.env.PATH = wanted.PATH;
  await mkdir(join(folder, "state"));
  environment = {
    ...wanted,
    GEOCLIC_LAB: "1",
    GEOCLIC_HOME: folder,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "policy",
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** All that a preview told, after `passed` or `failed`. */
async function preview(stack: Stack): Promise<string> {
  return stack.preview({ policyPacks, color: "never" }).then(
    ({ stdout }) => `passed\n${stdout}`,
    (error: Error) => `failed\n${error.message}`,
  );
}

function stackOf(name: string, program: PulumiFn): Promise<Stack> {
  return LocalWorkspace.createStack(
    { stackName: name, projectName: "geoclic-fleet", program },
    { envVars: environment },
  );
}

const open = { host: "127.0.0.1", user: "u" };
const connection = { ...open, hostKey: `ssh-ed25519 ${"A".repeat(68)}` };
const same = { create: "true", update: "true" };
const hidden: CustomResourceOptions = { additionalSecretOutputs: ["stdout", "stderr"] };
const password = (name: string) => new RandomPassword(name, { length: 20 }, { protect: true }).result;

test("what keeps every rule passes, when values are not known yet and when they are", async () => {
  const stack = await stackOf("good", async () => {
    const stdin = secret(password("password"));
    new remote.Command("base", { connection, ...same });
    new local.Command("hidden", { ...same, stdin, logging: "none" }, hidden);
  });
  expect(await preview(stack)).toMatch(/^passed\n/);
  await stack.up({ target: ["**password", "**hidden"], color: "never" });
  expect(await preview(stack)).toMatch(/^passed\n/);
});

test.each<[string, PulumiFn, RegExp]>([
  [
    "no-host-key",
    async () => void new remote.Command("bad", { connection: open, ...same }),
    /bad: connection\.hostKey is not pinned/,
  ],
  [
    "triggers",
    async () => void new local.Command("bad", { ...same, triggers: [1] }),
    /bad: triggers replace the command/,
  ],
  [
    "unprotected",
    async () => void new RandomPassword("bad", { length: 20 }),
    /bad: a secret is not protected/,
  ],
  [
    "stdin-in-clear",
    async () => void new remote.Command("bad", { connection, ...same, stdin: "s", logging: "none" }, hidden),
    /bad: stdin is kept in clear/,
  ],
  [
    "stdin-logged",
    async () =>
      void new remote.Command("bad", { connection, ...same, stdin: secret(password("new")) }, hidden),
    /bad: stdin is given while output is logged/,
  ],
  [
    "variable",
    async () => void new local.Command("bad", { ...same, environment: { A_TOKEN: secret("s") } }),
    /bad: environment\.A_TOKEN is shown in previews/,
  ],
  [
    "one-server-twice",
    async () => {
      const target = { GEOCLIC_STEP_HOST: "10.0.0.1", GEOCLIC_STEP_PORT: "22" };
      for (const name of ["a-server", "b-server"]) new local.Command(name, { ...same, environment: target });
    },
    /a-server and b-server share the server 10\.0\.0\.1 22/,
  ],
])("%s does not pass", async (name, program, message) => {
  const told = await preview(await stackOf(name, program));
  expect(told).toMatch(/^failed\n/);
  expect(told).toMatch(message);
});

test("a generated secret that comes into a command is found, marked or not", async () => {
  let line = (_: unknown): unknown => "true";
  const stack = await stackOf("generated", async () => {
    const create = line(password("password")) as string;
    new local.Command("shown", { create, update: create });
  });
  expect(await preview(stack)).toMatch(/^passed\n/);
  await stack.up({ color: "never" });
  line = (value) => value;
  const told = await preview(stack);
  expect(told).toMatch(/^failed\n/);
  expect(told).toMatch(/shown: create holds a generated secret in clear/);
});

test("a fleet that may go says so, and its secrets need no protection", async () => {
  const stack = await stackOf("free", async () => void new RandomPassword("free", { length: 20 }));
  await stack.setConfig("geoclic-fleet:protect", { value: "false" });
  expect(await preview(stack)).toMatch(/^passed\n/);
});

test("what is protected is not deleted: the engine itself refuses it in a preview", async () => {
  const declared = ["kept"];
  const stack = await stackOf("deleted", async () => declared.forEach(password));
  await stack.up({ color: "never" });
  declared.pop();
  const told = await preview(stack);
  expect(told).toMatch(/^failed\n/);
  expect(told).toMatch(/kept.*protected|protected.*kept/s);
});

test("the fleet's own program passes", async () => {
  const workDir = join(folder, "project");
  const suite = join(folder, "suite");
  await makeSuite("1.0.0", suite);
  await mkdir(workDir);
  const project = parse(await readFile(join(checkout, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  const write = (name: string, value: unknown) => writeFile(join(workDir, name), stringify(value));
  await write("Pulumi.yaml", { ...project, main: join(checkout, "index.ts") });
  const configure = (stack: string, config: Record<string, unknown>) =>
    write(`Pulumi.${stack}.yaml`, {
      config: Object.fromEntries(
        Object.entries(config).map(([key, value]) => [`geoclic-fleet:${key}`, value]),
      ),
    });
  const client = (number: number) => ({
    name: `ville-${number}`,
    domain: `ville-${number}.geoclic.fr`,
    email: "admin@geoclic.fr",
    town: "Ville",
    ip: `198.18.0.${number}`,
    ssh: { hostKey: connection.hostKey },
  });
  await configure("master", { role: "master", protect: false });
  await configure("fleet", { role: "fleet", suite: { path: suite }, clients: [client(1), client(2)] });
  const stack = (stackName: string) =>
    LocalWorkspace.createOrSelectStack({ stackName, workDir }, { envVars: environment });
  await (await stack("master")).up({ color: "never" });
  const told = await preview(await stack("fleet"));
  expect(told).toMatch(/^passed\n/);
  expect(told).toMatch(/geoclic-fleet@v1\.0\.0/);
  expect(told).not.toMatch(/can't run policy|\[(mandatory|advisory|remediate)\]/i);
});
