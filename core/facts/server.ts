/** @module What a server is before anything is put on it: how to ask, how to read, what is refused. */
import { scriptSums } from "../commands/scripts.ts";
import type { Command } from "../commands/shell.ts";
import { FleetError } from "../errors.ts";

export interface ServerFacts {
  /** `ID` and `VERSION_ID` of /etc/os-release, e.g. `debian 13`. */
  readonly system: string;
  readonly prettyName: string;
  readonly machine: string;
  readonly freeMiB: number;
  /** Hash by which the scripts are installed, if any are. */
  readonly scripts: string;
  /** Each of them has the content that it was sent with. */
  readonly areScriptsWhole: boolean;
}

const supported: Readonly<Record<string, string>> = {
  "debian 12": "Debian 12",
  "debian 13": "Debian 13",
  "ubuntu 22.04": "Ubuntu 22.04",
  "ubuntu 24.04": "Ubuntu 24.04",
};

/** A first provision with its images, measured at 2 GiB, and a release beside it. */
const neededMiB = 3072;

export const askServer: Command = [
  "sh",
  "-c",
  [
    "LC_ALL=C sudo -n true || exit 1",
    "cat /etc/os-release",
    'echo "FACT_MACHINE=$(uname -m)"',
    // The fullest of the file systems that a release fills; some may not be there yet.
    "echo \"FACT_FREE=$(df -Pm / /opt /var/lib /var/lib/docker 2>/dev/null | awk 'NR > 1 { print $4 }' | sort -n | head -n 1)\"",
    'echo "FACT_SCRIPTS=$(basename "$(readlink /opt/geoclic/server 2>/dev/null)")"',
    `cd /opt/geoclic/server 2>/dev/null && sha256sum --check --status ${scriptSums} 2>/dev/null && echo FACT_WHOLE=yes || true`,
  ].join("; "),
];

export function readServer(output: string): ServerFacts {
  const value = (name: string) =>
    new RegExp(`^${name}=(.*)$`, "m")
      .exec(output)?.[1]
      ?.trim()
      .replace(/^"(.*)"$/, "$1") ?? "";
  return {
    system: `${value("ID")} ${value("VERSION_ID")}`,
    prettyName: value("PRETTY_NAME") || "an unknown system",
    machine: value("FACT_MACHINE"),
    freeMiB: Number(value("FACT_FREE")) || 0,
    scripts: value("FACT_SCRIPTS"),
    areScriptsWhole: value("FACT_WHOLE") === "yes",
  };
}

/** @throws FleetError `OS_UNSUPPORTED` or `DISK_FULL`; a server that has our scripts already needs less room */
export function checkServer(host: string, facts: ServerFacts): void {
  const allowed = `${Object.values(supported).join(", ")} on x86_64`;
  if (!(facts.system in supported) || facts.machine !== "x86_64")
    throw new FleetError("OS_UNSUPPORTED", { host, got: `${facts.prettyName} (${facts.machine})`, allowed });
  const needed = facts.scripts ? 256 : neededMiB;
  if (facts.freeMiB < needed)
    throw new FleetError("DISK_FULL", { host, path: "/", freeMiB: facts.freeMiB, neededMiB: needed });
}
