/** The policy pack in the real engine: what violates a rule does not pass a preview, and what the fleet declares does. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { local, remote } from "@pulumi/command";
import { LocalWorkspace, type PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { RandomPassword } from "@pulumi/random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toolchainEnvironment } from "../../toolchain/environment.ts";

const pack = resolve(import.meta.dirname, "../../policy");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-policy-"));
  Object.assign(process.env, toolchainEnvironment(process.env), { GEOCLIC_LAB: "1" });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function preview(
  name: string,
  program: PulumiFn,
  config: Record<string, string> = {},
): Promise<string> {
  const stack = await LocalWorkspace.createStack(
    { stackName: name, projectName: "geoclic-fleet", program },
    {
      envVars: {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "policy",
        PULUMI_OPTION_CWD: "",
      },
    },
  );
  for (const [key, value] of Object.entries(config)) await stack.setConfig(`geoclic-fleet:${key}`, { value });
  const result = await stack.preview({ policyPacks: [pack], color: "never" }).then(
    ({ stdout }) => `passed\n${stdout}`,
    (error: Error) => error.message,
  );
  return result;
}

const connection = { host: "127.0.0.1", user: "u" };
const pinned = { ...connection, hostKey: `ssh-ed25519 ${"A".repeat(68)}` };

test("a command with a pinned host key passes", async () => {
  const program = async () =>
    void new remote.Command("good", { connection: pinned, create: "true", update: "true" });
  expect(await preview("good", program)).toMatch(/^passed\n/);
});

test.each<[string, PulumiFn, RegExp]>([
  [
    "no-host-key",
    async () => void new remote.Command("bad", { connection, create: "true", update: "true" }),
    /bad: connection\.hostKey is not pinned/,
  ],
  [
    "triggers",
    async () => void new local.Command("bad", { create: "true", update: "true", triggers: [1] }),
    /bad: triggers replace the command/,
  ],
  [
    "unprotected",
    async () => void new RandomPassword("bad", { length: 20 }),
    /bad: a secret is not protected/,
  ],
  [
    "one-server-twice",
    async () => {
      const environment = { GEOCLIC_STEP_HOST: "10.0.0.1", GEOCLIC_STEP_PORT: "22" };
      for (const name of ["a-server", "b-server"])
        new local.Command(name, { create: "true", update: "true", environment });
    },
    /a-server and b-server share the server 10\.0\.0\.1:22/,
  ],
])("%s does not pass", async (name, program, message) => {
  const told = await preview(name, program);
  expect(told).not.toMatch(/^passed/);
  expect(told).toMatch(message);
});

test("a fleet that may go says so, and its secrets need no protection", async () => {
  const program = async () => void new RandomPassword("free", { length: 20 });
  expect(await preview("free", program, { protect: "false" })).toMatch(/^passed\n/);
});
