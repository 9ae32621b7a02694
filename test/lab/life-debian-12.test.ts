/**
 * A shorter life of a town on Debian 12, where Docker and restic come from their own makers, with what the real suite has
 * and the stand-in has elsewhere not: an API that takes 10 s to start, and no version but a checkout's tag. Each test goes
 * on where the one before it ended. Not proven here: the real packages of Docker and restic (the lab makes them of
 * Debian's), Ubuntu.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { serverPaths } from "../../core/naming.ts";
import { rebootServer, removeServer } from "../../lab/server.ts";
import type { SuiteEdits } from "../../lab/suite/release/make.ts";
import { total, watchTown } from "./prober.ts";
import { containers, type TestTown, testTown } from "./town.ts";

const name = "ville-douze";
/** A file that cannot run in a transaction. */
const outside = "093_index_sans_verrou.sql";
const edits: SuiteEdits = { apiStartSeconds: 10, isCheckout: true };
let town: TestTown;

beforeAll(async () => {
  town = await testTown(name, "Mairie de Douze", 6000, { system: "debian-12" });
});

afterAll(async () => {
  await removeServer(name);
});

describe("the first provision", () => {
  test("fails where the database's image lacks an extension, and says which", async () => {
    await town.suite("1.0.0", { ...edits, databaseImage: "15-3.3-bare" });
    const message = await town.fails();
    expect(message).toContain("unaccent");
    expect(message).toContain("init_v12_pro.sql:6");
  });

  test("goes on with an image that has it, and ends with ten healthy containers", async () => {
    await town.suite("1.0.0", edits);
    await town.up();
    await expectTenHealthy();
    const health = JSON.parse((await ask("/api/health")).body) as Record<string, unknown>;
    expect(health).toMatchObject({ status: "healthy", version: "1.0.0" });
  });

  test("has Docker from Docker's repository, restic as it was released, and nothing of Debian's instead", async () => {
    const installed = await town.exec("dpkg-query", "--show", "--showformat", "${Package}\n");
    const packages = installed.split("\n");
    expect(packages).toEqual(expect.arrayContaining(["docker-ce", "containerd.io", "docker-compose-plugin"]));
    expect(packages).not.toContain("docker.io");
    expect(packages).not.toContain("restic");
    expect(await town.exec("restic", "version")).toMatch(/^restic 0\.18\./);
    expect(await town.exec("sh", "-c", ". /etc/os-release; echo $ID $VERSION_ID")).toBe("debian 12");
    expect(await town.exec("sh", "-c", "apt-get -qq update && systemctl is-system-running")).toBe("running");
  });
});

describe("from then on", () => {
  test("a second pulumi up changes nothing", async () => {
    const before = [await containers(town), await town.exec("sha256sum", serverPaths.env)];
    const { changes, seconds } = await town.up();
    expect(Object.keys(changes), town.shown.slice(-40).join("\n")).toEqual(["same"]);
    expect([...seconds]).toEqual([]);
    expect([await containers(town), await town.exec("sha256sum", serverPaths.env)]).toEqual(before);
  });

  test("an update waits for the slow API, runs a file outside a transaction, and fails no request", async () => {
    const before = await containers(town);
    await town.suite("1.1.0", { ...edits, migrations: [outside] });
    const watch = watchTown(town, ["/api/health", "/portail/", "/sig/"]);
    await town.up();
    const seen = total(await watch.stop());
    const after = await containers(town);
    expect(Object.keys(after).filter((service) => before[service] !== after[service])).toEqual([
      "api",
      "portail",
    ]);
    expect(seen).toMatchObject({ failed: 0, reasons: [] });
    expect(seen.requests).toBeGreaterThan(300);
    expect(JSON.parse((await ask("/api/health")).body)).toMatchObject({ version: "1.1.0" });
    const query = `select outcome from fleet_migrations where name = '${outside}'`;
    const psql = ["psql", "-U", "geoclic", "-d", "geoclic_db", "-At", "-c", query];
    expect((await town.exec("docker", "exec", "deploy-db-1", ...psql)).trim()).toBe("applied");
  });

  test("a backup is made", async () => {
    await town.exec("systemctl", "start", "geoclic-backup.service");
    const files = await town.exec("sh", "-c", `ls ${serverPaths.root}/shared/backups/*/`);
    for (const file of ["database.dump", "photos.tar.gz", "manifest.json"]) expect(files).toContain(file);
  });

  test("the certificate is renewed beside the running nginx", async () => {
    const before = await containers(town);
    const renew = "certbot renew --force-renewal --no-random-sleep-on-renew";
    // The lab's authority refuses some nonces on purpose; certbot tries each only twice.
    await town.exec("sh", "-c", `${renew} || ${renew}`);
    expect(await containers(town)).toEqual(before);
    const served = `echo | openssl s_client -connect 127.0.0.1:443 -servername ${town.domain} 2>/dev/null | openssl x509 -noout -serial`;
    const issued = `openssl x509 -noout -serial -in /etc/letsencrypt/live/${town.domain}/fullchain.pem`;
    expect(await town.exec("sh", "-c", served)).toBe(await town.exec("sh", "-c", issued));
  });

  test("all ten come back after a reboot", async () => {
    const before = await containers(town);
    await rebootServer(name);
    await expect
      .poll(async () => (await ask("/api/health").catch(() => ({ body: "" }))).body, {
        timeout: 180_000,
        interval: 1000,
      })
      .toContain('"healthy"');
    await expectTenHealthy();
    expect(await containers(town)).toEqual(before);
    await town.exec("systemctl", "start", "geoclic-monitor.service");
    const monitor = await town.exec("cat", `${serverPaths.root}/shared/state/monitor.json`);
    expect((JSON.parse(monitor) as { problems: unknown[] }).problems).toEqual([]);
  });
});

function ask(path: string) {
  return get({ protocol: "https", host: town.server.reach, domain: town.domain, path });
}

async function expectTenHealthy(): Promise<void> {
  await expect
    .poll(
      async () => {
        const states = (await town.exec("docker", "ps", "--format", "{{.Status}}")).trim().split("\n");
        return [states.length, states.filter((state) => !state.includes("(healthy)"))];
      },
      { timeout: 60_000, interval: 1000 },
    )
    .toEqual([10, []]);
}
