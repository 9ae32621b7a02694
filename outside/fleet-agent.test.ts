/**
 * The fleet's keys go into an agent by the real `ssh-add`; the agent is one that notes what it is told. Not proven here: that
 * OpenSSH's agent forgets a key when it is told to.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadFleetKeys } from "./fleet-agent.ts";

const master = vi.hoisted(() => ({ public: "", private: "" }));
vi.mock("./master-stack.ts", () => ({
  heldKeys: async () => [{ generation: 1, publicKey: master.public }],
  privateKeys: async () => [master.private],
}));

// Numbers of the agent's protocol: draft-ietf-sshm-ssh-agent, section 7.1.
const [success, list, answer, add, addConstrained] = [6, 11, 12, 17, 25];
let folder: string;
let socket: string;
let agent: Server;
let isHeld: boolean;
/** What each key was added with: seconds, or `for good`. */
let added: (number | "for good")[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-agent-"));
  vi.stubEnv("GEOCLIC_HOME", folder);
  vi.stubEnv("XDG_RUNTIME_DIR", undefined);
  await mkdir(join(folder, "run"), { mode: 0o700 });
  socket = join(folder, "run/agent.sock");
  [isHeld, added] = [false, []];
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f", join(folder, "key")]);
  master.private = await readFile(join(folder, "key"), "utf8");
  master.public = (await readFile(join(folder, "key.pub"), "utf8")).trim();
  agent = await noting();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  agent.close();
  await rm(folder, { recursive: true, force: true });
});

test("a lifetime goes to the agent with each key, also with one that it holds already", async () => {
  await loadFleetKeys(socket, "master", 8);
  expect(added).toEqual([8 * 3600]);
  isHeld = true;
  await loadFleetKeys(socket, "master", 1);
  expect(added).toEqual([8 * 3600, 3600]);
});

test("without one a key is held for good, and one that is held is left as it is", async () => {
  await loadFleetKeys(socket, "master");
  expect(added).toEqual(["for good"]);
  isHeld = true;
  await loadFleetKeys(socket, "master");
  expect(added).toEqual(["for good"]);
});

async function noting(): Promise<Server> {
  const server = createServer((connection) => {
    let received = Buffer.alloc(0);
    connection.on("data", (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
        const end = 4 + received.readUInt32BE(0);
        connection.write(framed(reply(received.subarray(4, end))));
        received = received.subarray(end);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}

function reply(message: Buffer): Buffer {
  const [kind] = message;
  if (kind === list) {
    if (!isHeld) return Buffer.from([answer, 0, 0, 0, 0]);
    const blob = Buffer.from(master.public.split(" ")[1] ?? "", "base64");
    return Buffer.concat([Buffer.from([answer, 0, 0, 0, 1]), framed(blob), framed(Buffer.from("fleet"))]);
  }
  if (kind === add) added.push("for good");
  // Its end is the constraint: 1 for a lifetime, then seconds.
  else if (kind === addConstrained && message.at(-5) === 1)
    added.push(message.readUInt32BE(message.length - 4));
  else return Buffer.from([5]);
  return Buffer.from([success]);
}

function framed(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}
