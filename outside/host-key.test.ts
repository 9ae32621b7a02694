/** Host keys learnt from a real OpenSSH server, and from peers that are none. */
import { createServer } from "node:net";
import { execa } from "execa";
import { expect, test } from "vitest";
import { isShutOut } from "../core/commands/ssh.ts";
import { freePort, startSshServer } from "../test/helpers/ssh-server.ts";
import { scanHostKey } from "./host-key.ts";

test("a server's ed25519 key, with the fingerprint that ssh-keygen prints", async () => {
  const server = await startSshServer();
  try {
    const { hostKey, fingerprint } = await scanHostKey("127.0.0.1", server.target.port);
    expect(hostKey).toBe(server.target.hostKey);
    const { stdout } = await execa("ssh-keygen", ["-lf", "-"], { input: hostKey });
    expect(stdout.split(" ")[1]).toBe(fingerprint);
  } finally {
    await server.stop();
  }
});

test("nobody at the port", async () => {
  await expect(scanHostKey("127.0.0.1", await freePort(), { timeoutSeconds: 2 })).rejects.toMatchObject({
    code: "SSH_UNREACHABLE",
  });
});

test("a peer that says nothing is left after the time", async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  const began = Date.now();
  await expect(scanHostKey("127.0.0.1", port, { timeoutSeconds: 1 })).rejects.toMatchObject({
    code: "SSH_UNREACHABLE",
  });
  expect(Date.now() - began).toBeLessThan(7000);
  silent.close();
});

test("a host that looks like an option stays a host", async () => {
  await expect(scanHostKey("-oProxyCommand=x", 22, { timeoutSeconds: 1 })).rejects.toMatchObject({
    code: "SSH_UNREACHABLE",
  });
});

test("a server that shuts this address out is told as one", async () => {
  const counts: number[] = [];
  // As Debian 13's sshd does to an address with penalties.
  const out = createServer((socket) => {
    counts.push(1);
    socket.on("error", () => {});
    socket.end("Not allowed at this time\r\n");
  });
  await new Promise<void>((resolve) => out.listen(0, "127.0.0.1", resolve));
  const { port } = out.address() as { port: number };
  await expect(scanHostKey("127.0.0.1", port, { timeoutSeconds: 2, kinds: "ed25519" })).rejects.toMatchObject(
    { code: "SSH_UNREACHABLE", values: { cause: expect.stringContaining("PerSourcePenalties") } },
  );
  expect(counts).toHaveLength(1);
  const { stderr } = await execa(
    "ssh",
    ["-F", "/dev/null", "-o", "BatchMode=yes", "-p", String(port), "127.0.0.1"],
    {
      reject: false,
    },
  );
  expect(isShutOut(stderr)).toBe(true);
  out.close();
});
