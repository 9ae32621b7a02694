/**
 * The fleet's key is replaced on a real town by the command line, with a master stack, a backend and an agent of its own.
 * Not proven here: a cut at each effect (verbs/rotate-key.test.ts), many servers.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addKey, ensureAgent } from "../../outside/agent.ts";
import { loadFleetKeys } from "../../outside/fleet-agent.ts";
import { proveKey } from "../../outside/key-proof.ts";
import { heldKeys, privateKeys } from "../../outside/master-stack.ts";
import type { SshTarget } from "../../core/commands/ssh.ts";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { up } from "../../lab/lab.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { becomeOperator, configureStack, convergeStack, project } from "../../lab/operator.ts";
import { execInServer, removeServer } from "../../lab/server.ts";
import { makeSuite } from "../../lab/suite/release/make.ts";
import { clientEntry, ensureServer } from "../../lab/town.ts";

const name = "ville-cle";
const master = "master-cle";
const main = resolve(import.meta.dirname, "../../cli/main.ts");
const suitePath = join(OPERATOR, `suite-${name}`);

let folder: string;
let target: SshTarget;
let oldKey: string;
let oldSecret: string;

const fleet = (...words: string[]) =>
  execa(process.execPath, [main, "--lang", "en", ...words], { reject: false, all: true, stdin: "ignore" });
const authorized = async () =>
  (await execInServer(name, ["cat", "/home/ubuntu/.ssh/authorized_keys"])).stdout;

beforeAll(async () => {
  await up();
  await becomeOperator();
  folder = await mkdtemp(join(tmpdir(), "gk-"));
  await mkdir(join(folder, "state"));
  process.env.PULUMI_BACKEND_URL = `file://${join(folder, "state")}`;
  process.env.XDG_RUNTIME_DIR = folder;
  for (const stack of [name, master]) await rm(join(project, `Pulumi.${stack}.yaml`), { force: true });
  await configureStack(master, { role: "master", protect: true });
  const { outputs } = await convergeStack(master, () => {});
  oldKey = String(outputs.publicKey);
  oldSecret = (await privateKeys(master))[0] ?? "";
  const socket = await ensureAgent();
  process.env.SSH_AUTH_SOCK = socket;
  await loadFleetKeys(socket, master);
  await removeServer(name);
  const server = await ensureServer({ name, authorizedKeys: [oldKey], diskMiB: 8000 });
  await makeSuite("1.0.0", suitePath);
  const entry = clientEntry(server, "Mairie");
  await configureStack(name, {
    ...fleetConfig(suitePath, [entry]),
    master: `organization/geoclic-fleet/${master}`,
  });
  await convergeStack(name, () => {});
  const { reach, ip, ssh } = entry as {
    reach?: string;
    ip?: string;
    ssh: { user?: string; port?: number; hostKey: string };
  };
  target = {
    client: name,
    host: String(reach ?? ip),
    port: ssh.port ?? 22,
    user: ssh.user ?? "ubuntu",
    hostKey: ssh.hostKey,
  };
});

afterAll(async () => {
  await removeServer(name);
  for (const stack of [name, master]) await rm(join(project, `Pulumi.${stack}.yaml`), { force: true });
  await rm(folder, { recursive: true, force: true });
});

test("rotate brings the town over, and the master stack and the agent forget the old key", async () => {
  await proveKey(target, oldKey);
  const { exitCode, all } = await fleet("ssh-key", "rotate", "--stack", master, "--yes", "--no-commit");
  expect(all).not.toContain("PRIVATE KEY");
  expect(exitCode, all).toBe(0);
  const [fresh, ...others] = await heldKeys(master);
  expect(others).toEqual([]);
  expect(fresh?.generation).toBe(2);
  expect(await readFile(join(project, `Pulumi.${master}.yaml`), "utf8")).toMatch(
    /keys:\s*(\[ ?2 ?\]|\n\s*- 2)/,
  );
  const blob = (line: string) => line.split(" ")[1] ?? "-";
  const lines = await authorized();
  expect(lines).toContain(`restrict,pty,port-forwarding ssh-ed25519 ${blob(String(fresh?.publicKey))}`);
  expect(lines).not.toContain(blob(oldKey));
  const { stdout } = await execa("ssh-add", ["-L"]);
  expect(stdout).not.toContain(blob(oldKey));
  await proveKey(target, String(fresh?.publicKey));
  expect((await privateKeys(master))[0]).not.toBe(oldSecret);
});

test("the old key is refused", async () => {
  await addKey(String(process.env.SSH_AUTH_SOCK), oldSecret);
  await expect(proveKey(target, oldKey)).rejects.toMatchObject({ code: "SSH_REFUSED" });
  await loadFleetKeys(String(process.env.SSH_AUTH_SOCK), master);
});

test("the fleet has nothing to do because of it", async () => {
  const preview = await fleet("preview", "--stack", name, "--json");
  expect(JSON.parse(preview.stdout)).toMatchObject({ changed: false, resources: [] });
  const { changes } = await convergeStack(name, () => {});
  expect(Object.keys(changes)).toEqual(["same"]);
});
