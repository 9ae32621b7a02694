/** What happens to authorized_keys, by the real sed. Not proven: that sshd takes the options (see test/lab). */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { installScripts, restrictKeys } from "./scripts.ts";

const key = "ssh-ed25519 AAAAC3Nza+C1/lZDI1NTE5AAAAI=";
const restricted = `restrict,pty,port-forwarding ${key} geoclic-fleet`;

function edit(input: string, keys = [key]): string {
  const [program, ...words] = restrictKeys(keys);
  const options = words.filter((word) => word !== "-i").slice(0, -1);
  return execFileSync(program, options, { input, encoding: "utf8" });
}

describe("restricting the fleet's key", () => {
  test.each([
    ["a bare key", key, restricted],
    ["a key with a comment", `${key} me@laptop`, restricted],
    ["a key after blanks", `  ${key}`, restricted],
    [
      "a key with an address",
      `from="10.0.0.1" ${key} c`,
      `restrict,pty,port-forwarding,from="10.0.0.1" ${key} c`,
    ],
    [
      "a key with a blank in an option",
      `from="10.0.0.1",environment="A=b c" ${key}`,
      `restrict,pty,port-forwarding,from="10.0.0.1",environment="A=b c" ${key}`,
    ],
    ["a key restricted already", restricted, restricted],
    [
      "a key restricted by hand",
      `from="10.0.0.1",restrict,pty ${key} c`,
      `from="10.0.0.1",restrict,pty ${key} c`,
    ],
    ["a key that is commented out", `# ${key}`, `# ${key}`],
    [
      "another key",
      "ssh-ed25519 AAAAC3NzaXC1/lZDI1NTE5AAAAI= me",
      "ssh-ed25519 AAAAC3NzaXC1/lZDI1NTE5AAAAI= me",
    ],
    ["a longer key", `${key}=`, `${key}=`],
    ["nothing", "", ""],
  ])("%s", (_, before, after) => {
    const once = edit(`${before}\n`);
    expect(once).toBe(`${after}\n`);
    expect(edit(once)).toBe(once);
  });

  test("restricts every key of the fleet, while it is rotated", () => {
    const next = "ssh-ed25519 BBBB";
    expect(edit(`${key}\n${next} x\n`, [key, next])).toBe(
      `${restricted}\nrestrict,pty,port-forwarding ${next} geoclic-fleet\n`,
    );
  });
});

test("scripts come as a tar on standard input, and are root's", () => {
  expect(installScripts("aaaaaaaaaaaa")).toEqual([
    "sudo",
    "-n",
    "sh",
    "-c",
    [
      "set -e",
      "umask 022",
      "mkdir -p /opt/geoclic/server.d",
      "rm -rf /opt/geoclic/server.d/aaaaaaaaaaaa.partial",
      "mkdir /opt/geoclic/server.d/aaaaaaaaaaaa.partial",
      "tar -x --no-same-owner -C /opt/geoclic/server.d/aaaaaaaaaaaa.partial",
      "rm -rf /opt/geoclic/server.d/aaaaaaaaaaaa",
      "mv -T /opt/geoclic/server.d/aaaaaaaaaaaa.partial /opt/geoclic/server.d/aaaaaaaaaaaa",
      "ln -sfn server.d/aaaaaaaaaaaa /opt/geoclic/server.new",
      "mv -T /opt/geoclic/server.new /opt/geoclic/server",
    ].join("; "),
  ]);
});
