/** Host keys learnt from a real OpenSSH server, and from peers that are none. */
import { createServer } from "node:net";
import { execa } from "execa";
import { expect, test } from "vitest";
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
