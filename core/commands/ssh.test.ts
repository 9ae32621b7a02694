/**
 * What OpenSSH and sudo say when something fails, word by word from OpenSSH 8.4 to 10 and sudo 1.9.
 * Not proven: that a given server says it (see test/peers).
 */
import { expect, test } from "vitest";
import { lastLine, type SshTarget, serverFailure, sshFailure } from "./ssh.ts";

const target: SshTarget = { client: "ville", host: "51.210.42.100", port: 22, user: "ubuntu", hostKey: "k" };

const changed = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key for geoclic-ville has changed and you have requested strict checking.
Host key verification failed.
`;

test.each([
  ["another key", 255, changed, "HOST_KEY_CHANGED"],
  [
    "a key of another kind",
    255,
    "Unable to negotiate with 51.210.42.100 port 22: no matching host key type found. Their offer: rsa-sha2-512,rsa-sha2-256,ssh-rsa",
    "HOST_KEY_CHANGED",
  ],
  [
    "no key known",
    255,
    "No ED25519 host key is known for geoclic-ville and you have requested strict checking.\r\nHost key verification failed.\r\n",
    "HOST_KEY_CHANGED",
  ],
  ["a key not let in", 255, "ubuntu@51.210.42.100: Permission denied (publickey).", "SSH_REFUSED"],
  [
    "a key not let in, other ways offered",
    255,
    "ubuntu@51.210.42.100: Permission denied (publickey,password,keyboard-interactive).",
    "SSH_REFUSED",
  ],
  [
    "an agent with too many keys",
    255,
    "Received disconnect from 51.210.42.100 port 22:2: Too many authentication failures\nDisconnected from 51.210.42.100 port 22",
    "SSH_REFUSED",
  ],
  ["a closed port", 255, "ssh: connect to host 51.210.42.100 port 22: Connection refused", "SSH_UNREACHABLE"],
  ["no route", 255, "ssh: connect to host 51.210.42.100 port 22: No route to host", "SSH_UNREACHABLE"],
  ["a firewall", 255, "ssh: connect to host 51.210.42.100 port 22: Connection timed out", "SSH_UNREACHABLE"],
  [
    "a name that is none",
    255,
    "ssh: Could not resolve hostname ville.fr: Name or service not known",
    "SSH_UNREACHABLE",
  ],
  ["a mute server", 255, "Connection timed out during banner exchange", "SSH_UNREACHABLE"],
  [
    "a server that hangs up",
    255,
    "kex_exchange_identification: Connection closed by remote host\nConnection closed by 51.210.42.100 port 22",
    "SSH_UNREACHABLE",
  ],
  ["a line that broke", 255, "client_loop: send disconnect: Broken pipe", "SSH_UNREACHABLE"],
  ["a line that went silent", 255, "Timeout, server 51.210.42.100 not responding.", "SSH_UNREACHABLE"],
  ["a sudo that wants a password", 1, "sudo: a password is required", "SUDO_MISSING"],
  ["a user who may not", 1, "ubuntu is not in the sudoers file.", "SUDO_MISSING"],
  [
    "a command that may not",
    1,
    "Sorry, user ubuntu is not allowed to execute '/usr/bin/sh' as root on vps.\nsudo: ubuntu is not allowed to run sudo on vps",
    "SUDO_MISSING",
  ],
  ["no sudo, by bash", 127, "bash: line 1: sudo: command not found", "SUDO_MISSING"],
  ["no sudo, by dash", 127, "sh: 1: sudo: not found", "SUDO_MISSING"],
  ["anything else", 1, "ls: cannot access '/opt/geoclic/releases': No such file or directory", "SSH_FAILED"],
  ["a file that may not be read", 1, "cat: /etc/shadow: Permission denied", "SSH_FAILED"],
])("%s", (_, status, stderr, code) => {
  const error = sshFailure(target, "server", { status, stderr });
  expect(error.code).toBe(code);
  expect(error.place).toEqual({ client: "ville", step: "server" });
});

test.each([
  ["a command that a signal ended", "", "SSH_FAILED"],
  ["a command that ended with 255 and words of ssh", "Permission denied (publickey).", "SSH_FAILED"],
  ["a server command's own failure", "error A_1 [ville] server: x. Next: y.", "A_1"],
])("while the line holds, 255 is %s", (_, stderr, code) => {
  const error = sshFailure(target, "server", { status: 255, stderr, isConnected: true });
  expect(error.code).toBe(code);
});

test("names what ssh said, as one line without control characters", () => {
  const stderr = "\u001b[31mssh: connect to host h port 22: No route to host\u001b[0m\r\n\r\n";
  const error = sshFailure(target, "server", { status: 255, stderr });
  expect(error.values.cause).toBe("[31mssh: connect to host h port 22: No route to host[0m");
  expect(error.message).not.toMatch(/\p{Cc}/u);
});

test.each([
  ["a\nb\n\n", "b"],
  ["a\r\n", "a"],
  ["\n \n", ""],
  ["", ""],
])("the last line of %j is %j", (text, line) => {
  expect(lastLine(text)).toBe(line);
});

test.each([
  [
    "error DISK_FULL [ville] preflight: / has 1 MiB free. Next: free space.",
    "activation (preflight)",
    "DISK_FULL",
    "/ has 1 MiB free",
    "free space.",
  ],
  ["error A_1 [] activation: x Next: y", "activation", "A_1", "x", "y"],
  ["error A [v] a: b: c. d. Next: e. Next: f", "activation (a)", "A", "b: c. d", "e. Next: f"],
])("reads %s", (line, step, code, cause, action) => {
  const error = serverFailure("ville", "activation", `noise\n${line}\n`);
  expect(error?.place).toEqual({ client: "ville", step });
  expect(error?.values).toEqual({ cause, action });
  expect(error?.code).toBe(code);
});

test.each([
  "error: something",
  "error lower [v] a: b. Next: c",
  "error A [v] a: b",
  "error A [v] a: b. Next: c\nmore",
  "",
])("takes no failure out of %j", (stderr) => {
  expect(serverFailure("ville", "activation", stderr)).toBeUndefined();
});
