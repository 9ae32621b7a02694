/**
 * A server on which somebody else's Docker runs already (lab/assets/neighbour/install.sh): French, Docker's repository under
 * another file and key, no Compose plugin, a swarm, containers of a project that is called as ours. What the fleet cannot
 * live with is refused before anything is changed; what it can is left as it was. Each test goes on where the one before it
 * ended. Not proven here: snap's Docker, an old Compose in front, drop-ins of Docker's unit (tables of the base's plan).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { runScript } from "../../lab/scripts.ts";
import { rebootServer, removeServer } from "../../lab/server.ts";
import { containers, secrets, type TestTown, testTown } from "./town.ts";

const name = "ville-voisine";
let town: TestTown;
let before: Awaited<ReturnType<typeof everything>>;
let neighbour: string;

beforeAll(async () => {
  town = await testTown(name, "Mairie de la Voisine", 8000, { system: "debian-12" });
  await runScript(name, "neighbour/install.sh");
  await town.suite("1.0.0", { databaseImage: "15-3.3-fr" });
  before = await everything();
  neighbour = await ofTheNeighbour();
});

afterAll(async () => {
  await removeServer(name);
});

test("the server is what it should be: French, a swarm, a project called as ours", async () => {
  expect(
    await town.exec("sh", "-c", ". /etc/default/locale; LC_ALL=$LC_ALL ls /absent 2>&1; true"),
  ).toContain("Aucun fichier");
  expect(before.swarm).toBe("active");
  expect(neighbour).toContain("/blog ");
});

describe("while a swarm is active", () => {
  test("pulumi up refuses, and changes nothing of the server's own", async () => {
    const message = await town.fails();
    expect(message).toMatch(/swarm/i);
    expect(message).toMatch(/Next: /);
    expect(await everything()).toEqual(before);
  });
});

describe("without a swarm", () => {
  test("pulumi up brings the town up beside the neighbour", async () => {
    await town.exec("docker", "swarm", "leave", "--force");
    await town.up();
    expect(Object.keys(await containers(town))).toHaveLength(10);
    expect((await ask("/api/health")).body).toContain('"healthy"');
    expect((await secrets(town)).DB_PASSWORD).toMatch(/^[0-9a-f]{32}$/);
    const language = ["psql", "-U", "geoclic", "-d", "geoclic_db", "-At", "-c", "show lc_messages"];
    expect((await town.exec("docker", "exec", "deploy-db-1", ...language)).trim()).toBe("fr_FR.UTF-8");
  });

  test("the neighbour's containers run on, apt reads its sources, Docker's packages are those that were there", async () => {
    expect(await ofTheNeighbour()).toBe(neighbour);
    const { packages } = await everything();
    expect(packages).toEqual(expect.arrayContaining(before.packages));
    expect(packages.some((line) => line.startsWith("docker-compose-plugin "))).toBe(true);
    expect(await town.exec("sh", "-c", "LC_ALL=C apt-get -q update 2>&1 | grep -E '^(W|E|N):' || true")).toBe(
      "",
    );
    expect(await town.exec("docker", "volume", "ls", "--quiet")).toContain("blog_data");
  });

  test("a migration that breaks is told by the file's line, though PostgreSQL speaks French", async () => {
    await town.suite("1.3.0-broken-migration", { databaseImage: "15-3.3-fr" });
    const ids = await containers(town);
    expect(await town.fails()).toContain("090_fails_halfway.sql:3: ");
    expect(await containers(town)).toEqual(ids);
  });

  test("after a reboot both are there again", async () => {
    await rebootServer(name);
    await expect
      .poll(async () => (await ask("/api/health").catch(() => ({ body: "" }))).body, {
        timeout: 180_000,
        interval: 1000,
      })
      .toContain('"healthy"');
    const states = await town.exec("docker", "inspect", "--format", "{{.State.Status}}", "blog");
    expect(states.trim()).toBe("running");
  });
});

function ask(path: string) {
  return get({ protocol: "https", host: town.server.reach, domain: town.domain, path });
}

/** What belongs to the server's owner, and what a refused run must not have changed. */
async function everything() {
  const lines = async (command: string) => (await town.exec("sh", "-c", `LC_ALL=C; ${command}`)).trim();
  return {
    swarm: await lines("docker info --format '{{.Swarm.LocalNodeState}}'"),
    containers: await lines("docker ps --all --no-trunc --format '{{.Names}} {{.ID}} {{.State}}'"),
    packages: (await lines("dpkg-query --show --showformat '${Package} ${Version}\\n'")).split("\n"),
    sources: await lines("cd /etc/apt && find . -type f | sort | xargs sha256sum"),
    docker: await lines("find /etc/docker /root/.docker -type f 2>/dev/null | sort | xargs -r sha256sum"),
    units: await lines("find /etc/systemd/system -name 'docker*' -o -name 'containerd*' | sort"),
    firewall: await lines("nft list tables 2>/dev/null | grep -v docker || true"),
  };
}

function ofTheNeighbour(): Promise<string> {
  return town.exec("docker", "inspect", "--format", "{{.Name}} {{.Id}} {{.State.StartedAt}}", "blog");
}
