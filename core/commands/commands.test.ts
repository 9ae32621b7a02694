/** The command is the assertion. Not proven here: what ssh, rsync and the server make of it (see test/peers, test/lab). */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { readRsyncStats, rsyncRelease } from "./rsync.ts";
import { serverCommand, toShell } from "./shell.ts";
import { renderKnownHosts, renderSshConfig, type SshTarget, sshFailure } from "./ssh.ts";

const target: SshTarget = {
  client: "ville-lyon",
  host: "51.210.42.100",
  port: 22,
  user: "ubuntu",
  hostKey: "ssh-ed25519 AAAA",
};

describe("toShell", () => {
  test.each([
    "plain",
    "",
    "a b",
    "a'b",
    'a"b',
    "$(reboot)",
    "`id`",
    "a\nb",
    "-rf",
    "*",
    "~root",
    "a\\b",
    "é ü €",
    "x".repeat(10_000),
  ])("survives a real shell: %j", (word) => {
    const line = toShell(["printf", "%s|", word, "end"]);
    expect(execFileSync("sh", ["-c", line], { encoding: "utf8" })).toBe(`${word}|end|`);
  });

  test("fails on a NUL byte", () => {
    expect(() => toShell(["echo", "a\0b"])).toThrow(RangeError);
  });

  test("leaves plain words as they are", () => {
    expect(toShell(serverCommand("base", "--ssh-port", "22"))).toBe(
      "sudo -n /opt/geoclic/server/base --ssh-port 22",
    );
  });
});

test("rsync sends by checksum, with hard links, into a partial folder", () => {
  const words = rsyncRelease({
    client: "ville-lyon",
    source: "/state/releases/b",
    release: "bbbbbbbbbbbb",
    linkTo: ["aaaaaaaaaaaa"],
    sshConfig: "/run/x/config",
  });
  expect(words).toEqual([
    "rsync",
    "--recursive",
    "--links",
    "--perms",
    "--checksum",
    "--delete",
    "--compress",
    "--stats",
    "--timeout=60",
    "--chown=root:root",
    "--rsh=ssh -F /run/x/config",
    "--rsync-path=sudo -n rsync",
    "--link-dest=/opt/geoclic/releases/aaaaaaaaaaaa",
    "/state/releases/b/",
    "ville-lyon:/opt/geoclic/releases/bbbbbbbbbbbb.partial/",
  ]);
});

test("reads rsync's figures", () => {
  const output =
    "Number of files: 1,126 (reg: 100)\nNumber of regular files transferred: 12\nTotal bytes sent: 49,874\n";
  expect(readRsyncStats(output)).toEqual({ files: 1126, transferred: 12, bytesSent: 49874 });
  expect(readRsyncStats("")).toEqual({ files: 0, transferred: 0, bytesSent: 0 });
});

test("the ssh configuration pins the key and takes none but the agent's", () => {
  const text = renderSshConfig(target, { knownHosts: "/run/x/known_hosts", control: "/run/x/c" });
  for (const line of [
    "Host ville-lyon",
    "  HostName 51.210.42.100",
    "  UserKnownHostsFile /run/x/known_hosts",
    "  StrictHostKeyChecking yes",
    "  HostKeyAlgorithms ssh-ed25519",
    "  BatchMode yes",
    "  IdentityFile none",
    "  ForwardAgent no",
  ])
    expect(text.split("\n")).toContain(line);
  expect(renderKnownHosts(target)).toBe("geoclic-ville-lyon ssh-ed25519 AAAA\n");
});

test.each([
  [255, "Host key verification failed.", "HOST_KEY_CHANGED"],
  [255, "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nlost", "HOST_KEY_CHANGED"],
  [255, "no matching host key type found. Their offer: ssh-rsa", "HOST_KEY_CHANGED"],
  [255, "ubuntu@1.2.3.4: Permission denied (publickey).", "SSH_REFUSED"],
  [255, "ssh: connect to host 1.2.3.4 port 22: Connection refused", "SSH_UNREACHABLE"],
  [255, "Connection timed out during banner exchange", "SSH_UNREACHABLE"],
  [255, "", "SSH_UNREACHABLE"],
  [1, "sudo: a password is required", "SUDO_MISSING"],
  [1, "bob is not in the sudoers file.", "SUDO_MISSING"],
  [2, "ls: cannot access", "SSH_FAILED"],
])("status %i with %j is %s", (status, stderr, code) => {
  const error = sshFailure(target, "delivery", { status, stderr });
  expect(error.code).toBe(code);
  expect(error.place).toEqual({ client: "ville-lyon", step: "delivery" });
});

test("reads the line in which a server command tells its failure", () => {
  const stderr = "noise\nerror DISK_FULL [ville-lyon] preflight: / has 1 MiB free. Next: free space.\n";
  const error = sshFailure(target, "activation", { status: 1, stderr });
  expect(error.message).toBe(
    "ville-lyon · activation (preflight): / has 1 MiB free (DISK_FULL). Next: free space.",
  );
});
