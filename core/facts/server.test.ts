/**
 * A server's first facts, from os-release texts as the systems ship them, and by the real question in a real shell.
 * Not proven: what a real sudo says (see test/peers), how much room a town needs.
 */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { askServer, checkServer, readServer } from "./server.ts";

const osRelease = {
  debian11: `PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nNAME="Debian GNU/Linux"\nVERSION_ID="11"\nVERSION="11 (bullseye)"\nVERSION_CODENAME=bullseye\nID=debian\nHOME_URL="https://www.debian.org/"\nSUPPORT_URL="https://www.debian.org/support"\nBUG_REPORT_URL="https://bugs.debian.org/"\n`,
  debian12: `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\n`,
  debian13: `PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION="13 (trixie)"\nVERSION_CODENAME=trixie\nDEBIAN_VERSION_FULL=13.1\nID=debian\nHOME_URL="https://www.debian.org/"\n`,
  debianTesting: `PRETTY_NAME="Debian GNU/Linux forky/sid"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=forky\nID=debian\nHOME_URL="https://www.debian.org/"\n`,
  ubuntu2004: `NAME="Ubuntu"\nVERSION="20.04.6 LTS (Focal Fossa)"\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 20.04.6 LTS"\nVERSION_ID="20.04"\nHOME_URL="https://www.ubuntu.com/"\nVERSION_CODENAME=focal\nUBUNTU_CODENAME=focal\n`,
  ubuntu2204: `PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nVERSION="22.04.5 LTS (Jammy Jellyfish)"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=jammy\n`,
  ubuntu2404: `PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION="24.04.3 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\nLOGO=ubuntu-logo\n`,
  alma9: `NAME="AlmaLinux"\nVERSION="9.4 (Seafoam Ocelot)"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPLATFORM_ID="platform:el9"\nPRETTY_NAME="AlmaLinux 9.4 (Seafoam Ocelot)"\nANSI_COLOR="0;34"\n`,
  alpine: `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\nHOME_URL="https://alpinelinux.org/"\n`,
};
const tail = (scripts = "", free: number | string = 9000, machine = "x86_64") =>
  `FACT_MACHINE=${machine}\nFACT_FREE=${free}\nFACT_SCRIPTS=${scripts}\n${scripts ? "FACT_WHOLE=yes\n" : ""}`;

test.each([
  ["debian12", "debian 12", "Debian GNU/Linux 12 (bookworm)"],
  ["debian13", "debian 13", "Debian GNU/Linux 13 (trixie)"],
  ["ubuntu2204", "ubuntu 22.04", "Ubuntu 22.04.5 LTS"],
  ["ubuntu2404", "ubuntu 24.04", "Ubuntu 24.04.3 LTS"],
] as const)("takes %s", (key, system, prettyName) => {
  const facts = readServer(osRelease[key] + tail("0123456789ab"));
  expect(facts).toEqual({
    ...{ system, prettyName, machine: "x86_64", freeMiB: 9000 },
    ...{ scripts: "0123456789ab", areScriptsWhole: true },
  });
  expect(() => checkServer("1.2.3.4", facts)).not.toThrow();
});

test.each([
  ["debian11", "Debian GNU/Linux 11 (bullseye)"],
  ["debianTesting", "Debian GNU/Linux forky/sid"],
  ["ubuntu2004", "Ubuntu 20.04.6 LTS"],
  ["alma9", "AlmaLinux 9.4 (Seafoam Ocelot)"],
  ["alpine", "Alpine Linux v3.20"],
] as const)("fails on %s, with what is allowed", (key, prettyName) => {
  expect(() => checkServer("1.2.3.4", readServer(osRelease[key] + tail()))).toThrow(
    `1.2.3.4 runs ${prettyName} (x86_64) (OS_UNSUPPORTED). Next: use one of: Debian 12, Debian 13, Ubuntu 22.04, Ubuntu 24.04 on x86_64.`,
  );
});

describe("free space", () => {
  test.each([
    ["a new server needs room for everything", "", 3071, true],
    ["a new server with just enough", "", 3072, false],
    ["ours needs less", "0123456789ab", 256, false],
    ["ours needs something", "0123456789ab", 255, true],
    ["none was told", "", "", true],
  ])("%s", (_, scripts, free, fails) => {
    const check = () => checkServer("h", readServer(osRelease.debian13 + tail(scripts, free)));
    if (fails) expect(check).toThrow("DISK_FULL");
    else expect(check).not.toThrow();
  });
});

test("the question is answered by a POSIX shell in lines that can be read", () => {
  const [shell, flag, script] = askServer;
  const withoutSudo = String(script).replace("LC_ALL=C sudo -n true || exit 1", "true");
  const facts = readServer(execFileSync(shell, [String(flag), withoutSudo], { encoding: "utf8" }));
  expect(facts.system).toMatch(/^\S+ \S*$/);
  expect(facts.machine).not.toBe("");
  expect(facts.freeMiB).toBeGreaterThan(0);
});
