/** Texts of the official command plugin and of its substitute. Not proven: that they say so (see test/peers). */
import { expect, test } from "vitest";
import { engineFailure } from "./engine.ts";

const own = "ville · server: 10.0.0.1:22 does not answer (SSH_UNREACHABLE). Next: check.";
const server = "error DISK_FULL [ville] base.space: / is full. Next: free space.";

test.each([
  [
    "a step of this machine",
    "ville-server",
    `exit status 1: running "node cli/step.ts server":\n1 line before\n${own}\n`,
    own,
  ],
  [
    "a server's command, by the official plugin",
    "ville-base",
    `Process exited with status 1: running "sudo -n /opt/geoclic/server/base --client ville":\nbase: x\n${server}\n`,
    "ville · base (base.space): / is full (DISK_FULL). Next: free space.",
  ],
  [
    "a client with hyphens",
    "ville-sur-mer-environment",
    `exit status 1: running "x":\nerror BUSY [ville-sur-mer] environment: y. Next: wait.`,
    "ville-sur-mer · environment: y (BUSY). Next: wait.",
  ],
  [
    "a server that does not answer",
    "ville-base",
    "after 4 failed attempts: dial tcp 10.0.0.1:22: connect: connection refused",
    "ville · base: its server was not reached: after 4 failed attempts: dial tcp 10.0.0.1:22: connect: connection refused " +
      "(CONNECTION_FAILED). Next: look at it with `geoclic-fleet status` (address, port, host key, the fleet's key), then run again.",
  ],
  [
    "another host key",
    "ville-base",
    "after 4 failed attempts: ssh: handshake failed: ssh: host key mismatch",
    "ville · base: its server was not reached: after 4 failed attempts: ssh: handshake failed: ssh: host key mismatch " +
      "(CONNECTION_FAILED). Next: look at it with `geoclic-fleet status` (address, port, host key, the fleet's key), then run again.",
  ],
  [
    "a defect",
    "ville-server",
    'exit status 1: running "x":\nTypeError: y',
    'ville-server: exit status 1: running "x":\nTypeError: y',
  ],
  ["what is no resource's", undefined, "the configuration is not valid\n", "the configuration is not valid"],
])("%s", (_, resource, message, expected) => {
  expect(engineFailure(resource, message, "en")).toBe(expected);
});

test("a server's failure is told in French", () => {
  expect(engineFailure("ville-base", `exit status 1: running "x":\n${server}`, "fr")).toMatch(
    /^ville · base \(base\.space\): plus assez de place sur le serveur \(.*\(DISK_FULL\)\. À faire : libérez/,
  );
});
