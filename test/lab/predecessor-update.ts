/**
 * @module The outage of an update as the former tool did it, by the same prober as ours: everything stopped, everything
 * built anew on the server, everything started.
 *
 *     node test/lab/predecessor-update.ts        (needs Linux and root; about 15 minutes)
 */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { get } from "../../outside/http.ts";
import { docker } from "../../lab/docker.ts";
import { layOutPredecessor } from "../../lab/predecessor.ts";
import { ASSETS } from "../../lab/layout.ts";
import { containerName, execInServer, removeServer } from "../../lab/server.ts";
import { makeSuite } from "../../lab/suite/release/make.ts";
import { total, watchTown } from "./prober.ts";
import { testTown } from "./town.ts";

const name = "ville-ancienne";
const routes = ["/", "/health", "/api/health", "/api/settings/branding"];
const applications = ["admin", "portail", "demandes", "mobile", "sig", "services", "terrain"];

const town = await testTown(name, "Mairie de l'Ancienne", 8000, { isPrepared: false });
try {
  const admin = { email: `admin@${town.domain}`, password: "motdepasse de la mairie" };
  await layOutPredecessor(name, { domain: town.domain, admin });
  await bringCode();
  const watch = watchTown(town, [...routes, ...applications.map((each) => `/${each}/`)]);
  const began = performance.now();
  // Its own words; what they end with did not count there.
  const words = `cd /opt/geoclic/deploy
    docker exec geoclic_db pg_dump -U geoclic -Fc geoclic_db -f /tmp/backup_before_update.dump
    docker compose down && docker container prune -f
    docker compose --progress quiet build --no-cache api ${applications.join(" ")}; echo "build: exit $?"
    docker compose --progress quiet up -d; sleep 10`;
  const { stdout, stderr } = await execInServer(name, ["sh", "-c", words]);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${stdout}${stderr.slice(-600)}\n${seconds} s`);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const seen = await watch.stop();
  const shown = await get({
    protocol: "https",
    host: town.server.reach,
    domain: town.domain,
    path: "/api/version",
  });
  console.log(shown.body);
  for (const [path, { requests, failed, longestSeconds }] of Object.entries(seen))
    console.log(`${path}: ${requests} requests, ${failed} failed, longest outage ${longestSeconds} s`);
  console.log(JSON.stringify({ ...total(seen), reasons: undefined }));
} finally {
  await removeServer(name);
}

async function bringCode(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-predecessor-"));
  try {
    const tree = join(folder, "geoclic");
    await makeSuite("1.1.0", tree);
    await cp(join(ASSETS, "predecessor/scripts"), join(tree, "scripts"), { recursive: true });
    await docker(["cp", `${tree}/.`, `${containerName(name)}:/opt/geoclic`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
