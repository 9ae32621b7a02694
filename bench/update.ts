/**
 * @module What an update of the lab's towns costs, ours and Ansible's, in one run: the same two applications change. All
 * servers share this machine's processors, which is worst for whoever builds on each of them.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { table } from "../cli/table.ts";
import { forgetCertificates } from "../lab/acme.ts";
import { fleetConfig } from "../lab/fleet-config.ts";
import { up } from "../lab/lab.ts";
import { OPERATOR } from "../lab/layout.ts";
import { becomeOperator, configureStack, convergeMaster, convergeStack } from "../lab/operator.ts";
import { layOutPredecessor } from "../lab/predecessor.ts";
import { execInServer, type LabServer, removeServer } from "../lab/server.ts";
import { makeSuite } from "../lab/suite/release/make.ts";
import { clientEntry, domainOf, ensureServer } from "../lab/town.ts";
import { measure } from "./measure.ts";

export interface UpdateCost {
  readonly tool: "geoclic-fleet" | "ansible";
  readonly towns: number;
  /** `update`, or the same command again with nothing to do. */
  readonly what: "update" | "nothing";
  /** Wall time. */
  readonly seconds: number;
  /** Of the operator's own processes, builds by the engine not among them. */
  readonly operatorCpuSeconds: number;
  /** Of everything on one server, the mean of all. */
  readonly serverCpuSeconds: number;
  /** Received by one server, the mean of all: frames of its network interface. */
  readonly bytesIn: number;
}

const stack = "mesures";
const suite = join(OPERATOR, "suite-mesures");
const cli = resolve(import.meta.dirname, "../cli/main.ts");
const playbook = join(import.meta.dirname, "ansible/update.yml");
const diskMiB = 8000;

/** Takes some 15 minutes. @throws Error when a tool fails: its time would be none */
export async function benchUpdate(
  sizes: readonly number[],
  report: (line: string) => void,
): Promise<UpdateCost[]> {
  await up();
  await becomeOperator();
  await forgetCertificates();
  const { publicKey } = await convergeMaster(() => {});
  const ours = numbered(Math.max(...sizes), (number) => `mesure-${number}`);
  const theirs = ours.map((name) => `${name}-ansible`);
  const costs: UpdateCost[] = [];
  try {
    costs.push(...(await measureOurs(ours)));
    await Promise.all(ours.map(removeServer));
    costs.push(...(await measureAnsible(theirs)));
    return costs;
  } finally {
    await Promise.all([...ours, ...theirs].map(removeServer));
  }

  async function measureOurs(names: readonly string[]): Promise<UpdateCost[]> {
    const servers = await make(names, true);
    await makeSuite("1.0.0", suite);
    await configureStack(
      stack,
      fleetConfig(
        suite,
        servers.map((server) => clientEntry(server, server.name)),
      ),
    );
    report(`${names.length} towns are made`);
    await convergeStack(stack, () => {});
    const found: UpdateCost[] = [];
    for (const towns of sizes) {
      await change(towns);
      const own = servers.slice(0, towns);
      const pace = ["--waves", "100%", "--soak", "0", "--yes", "--no-commit", "--skip-check"];
      const words = [...own.flatMap(({ name }) => ["--client", name]), ...pace, "--stack", stack];
      const command = [process.execPath, cli, "update", ...words] as const;
      found.push(await cost("geoclic-fleet", "update", own, command));
      found.push(await cost("geoclic-fleet", "nothing", own, command));
    }
    return found;
  }

  async function measureAnsible(names: readonly string[]): Promise<UpdateCost[]> {
    const servers = await make(names, true);
    for (const { name } of servers) {
      const domain = domainOf(name);
      await layOutPredecessor(name, {
        domain,
        admin: { email: `admin@${domain}`, password: "motdepasse de la mairie" },
      });
    }
    const folder = await mkdtemp(join(tmpdir(), "geoclic-ansible-"));
    try {
      const inventory = join(folder, "inventory.ini");
      const known = join(folder, "known_hosts");
      await writeFile(
        known,
        servers
          .map(({ reach, port, hostKey }) => `[${reach}]:${port} ${hostKey}\n${reach} ${hostKey}\n`)
          .join(""),
      );
      const lines = servers.map(
        ({ name, reach, port, user }) =>
          `${name} ansible_host=${reach} ansible_port=${port} ansible_user=${user} domain=${domainOf(name)}`,
      );
      const options = `-o UserKnownHostsFile=${known} -o StrictHostKeyChecking=yes`;
      await writeFile(
        inventory,
        `[towns]\n${lines.join("\n")}\n[towns:vars]\nsuite=${suite}\nansible_ssh_common_args='${options}'\nansible_ssh_pipelining=true\n`,
      );
      const run = (own: readonly LabServer[]) =>
        [
          "ansible-playbook",
          "-i",
          inventory,
          "--limit",
          own.map(({ name }) => name).join(","),
          playbook,
        ] as const;
      // The first run records migrations and fills each builder's cache.
      const first = await execa(run(servers)[0], run(servers).slice(1), { reject: false, all: true });
      if (first.exitCode !== 0) throw new Error(String(first.all).slice(-2000));
      const found: UpdateCost[] = [];
      for (const towns of sizes) {
        await change(towns);
        const own = servers.slice(0, towns);
        found.push(await cost("ansible", "update", own, run(own)));
        found.push(await cost("ansible", "nothing", own, run(own)));
      }
      return found;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function make(names: readonly string[], isPrepared: boolean): Promise<LabServer[]> {
    const servers: LabServer[] = [];
    for (const name of names)
      servers.push(await ensureServer({ name, authorizedKeys: [publicKey], diskMiB, isPrepared }));
    return servers;
  }

  async function cost(
    tool: UpdateCost["tool"],
    what: UpdateCost["what"],
    servers: readonly LabServer[],
    command: readonly [string, ...string[]],
  ): Promise<UpdateCost> {
    const before = await Promise.all(servers.map(counters));
    const { status, output, seconds, cpuSeconds } = await measure(command, { cwd: process.cwd() });
    if (status !== 0) throw new Error(`${command.join(" ").slice(0, 200)}: ${output.slice(-2000)}`);
    const after = await Promise.all(servers.map(counters));
    const mean = (of: (one: Counters) => number) =>
      after.reduce((sum, one, index) => sum + of(one) - of(before[index] ?? one), 0) / servers.length;
    const found = {
      ...{ tool, towns: servers.length, what, seconds, operatorCpuSeconds: cpuSeconds },
      serverCpuSeconds: mean(({ cpuSeconds: each }) => each),
      bytesIn: mean(({ bytesIn }) => bytesIn),
    };
    report(`${tool}, ${what}, ${servers.length} towns: ${seconds.toFixed(1)} s`);
    return found;
  }
}

interface Counters {
  readonly cpuSeconds: number;
  readonly bytesIn: number;
}

async function counters({ name }: LabServer): Promise<Counters> {
  // Control groups of version 1 count in nanoseconds, those of version 2 in microseconds.
  const words = `old=/sys/fs/cgroup/cpuacct/cpuacct.usage
    if [ -e $old ]; then echo $(($(cat $old) / 1000)); else sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat; fi
    cat /sys/class/net/eth0/statistics/rx_bytes`;
  const { stdout, exitCode } = await execInServer(name, ["sh", "-c", words]);
  const [usage, bytesIn] = /^(\d+)\n(\d+)/.exec(stdout)?.slice(1) ?? [];
  if (exitCode !== 0 || usage === undefined) throw new Error(`${name} tells no counters: ${stdout}`);
  return { cpuSeconds: Number(usage) / 1e6, bytesIn: Number(bytesIn) };
}

/** Two applications get other words than any run before. */
async function change(towns: number): Promise<void> {
  const word = `Bonjour à ${towns}, ${Date.now()}`;
  await makeSuite("1.0.0", suite, { words: { portail: word, admin: word } });
}

function numbered(count: number, name: (number: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => name(index + 1));
}

/** Ratios are Ansible's to ours, of the same towns and work. */
export function updateTable(costs: readonly UpdateCost[]): string {
  const head = [
    "towns",
    "what",
    "tool",
    "seconds",
    "ratio",
    "operator CPU s",
    "server CPU s",
    "server KiB in",
  ];
  const rows = costs.map((one) => {
    const other = costs.find(
      ({ tool, towns, what }) => tool === "geoclic-fleet" && towns === one.towns && what === one.what,
    );
    return [
      String(one.towns),
      one.what,
      one.tool,
      one.seconds.toFixed(1),
      other ? `× ${(one.seconds / other.seconds).toFixed(2)}` : "",
      one.operatorCpuSeconds.toFixed(1),
      one.serverCpuSeconds.toFixed(1),
      (one.bytesIn / 1024).toFixed(0),
    ];
  });
  return table(head, rows);
}
