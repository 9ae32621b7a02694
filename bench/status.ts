/** @module What one `status` costs by number of servers, all imitated on loopback and all answering at once. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { startAgent } from "./agent.ts";
import { benchClients } from "./clients.ts";
import { measure } from "./measure.ts";
import { ensureCertificate } from "./peers/authority.ts";
import { ensureHostKey, startServers } from "./peers/servers.ts";
import { type Measured, median } from "./results.ts";

/** Ratios are to one host, which is measured first. */
export async function benchStatus(
  hosts: readonly number[],
  runs: number,
  report: (line: string) => void,
): Promise<Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-bench-"));
  Object.assign(process.env, { GEOCLIC_HOME: folder, XDG_RUNTIME_DIR: folder });
  const all = benchClients(Math.max(...hosts));
  await ensureCertificate(
    join(folder, "tls"),
    all.map(({ domain }) => domain),
  );
  const hostKey = await ensureHostKey(folder);
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", join(folder, "user")]);
  const agent = await startAgent(await readFile(join(folder, "user"), "utf8"));
  const servers = await startServers(folder, all, (await readFile(join(folder, "user.pub"), "utf8")).trim());
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "tls/ca.pem") };
  try {
    const measured: Measured[] = [];
    for (const count of [1, ...hosts.filter((each) => each > 1)]) {
      const costs = [];
      const before = servers.connections();
      for (let run = 0; run < runs; run += 1) {
        const words = [
          join(import.meta.dirname, "status-asker.ts"),
          String(count),
          userInfo().username,
          hostKey,
        ];
        // No connection of an earlier run is there.
        const runtime = await mkdtemp(join(folder, "r"));
        const ended = await measure([process.execPath, ...words], {
          cwd: process.cwd(),
          env: { ...env, XDG_RUNTIME_DIR: runtime },
        });
        if (ended.status !== 0) throw new Error(`status of ${count} hosts failed: ${ended.output}`);
        report(`${count} hosts: ${ended.seconds.toFixed(2)} s`);
        costs.push(ended);
      }
      const connections = (servers.connections() - before) / runs;
      const verbs = { status: { ...median(costs), connections } };
      measured.push({ clients: count, resources: 0, stateBytes: 0, first: undefined, verbs });
    }
    return measured;
  } finally {
    servers.close();
    agent.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
