/**
 * Updates of a town while its public goes on asking, 20 times a second on each route, without a second try: nothing may
 * fail, and every failure of a release is undone. One town for everything; each test goes on where the one before it ended.
 * Not proven here: HTTP/2, IPv6, services that others than nginx call, a changed database image (it stops for seconds),
 * nginx that keeps connections to its services (it is reloaded).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { get } from "../../adapters/http.ts";
import { shownRelease } from "../../core/health.ts";
import { releaseRoute, serverPaths } from "../../core/naming.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { removeServer } from "../../lab/server.ts";
import type { SuiteEdits } from "../../lab/suite/release/make.ts";
import { type Outage, type Route, total, watchTown } from "./prober.ts";
import { containers, type TestTown, testTown } from "./town.ts";

const name = "ville-couture";
const routes: Route[] = [
  { path: "/api/lab/slow", perSecond: 2 },
  { path: "/api/demandes", post: { description: "Nid-de-poule devant la mairie" }, perSecond: 2 },
];
/** nginx answers 405 to a POST while it shows a page that is a file. */
let gets: Route[];
const edits: SuiteEdits = { slowRoute: true, upstreams: "resolver" };
const assets = join(import.meta.dirname, "../../assets/suites");
const breakingName = "092_drops_data.sql";

let town: TestTown;

beforeAll(async () => {
  const adapter = parseDocument(await readFile(join(assets, "geoclic.yaml"), "utf8"));
  routes.push(...(adapter.toJS() as { routes: string[] }).routes.map((path) => ({ path })));
  gets = routes.filter(({ post: body }) => body === undefined);
  town = await testTown(name, "Mairie de Couture", 8000);
  await town.suite("1.0.0", edits);
  await town.up();
});

afterAll(async () => {
  await removeServer(name);
});

describe("with names that nginx asks for again", () => {
  test("an update fails nothing, and touches only what changed", async () => {
    const before = await containers(town);
    await town.suite("1.1.0", edits);
    const seen = await watched("update, resolver", () => town.up());
    expectNothingFailed(seen);
    const after = await containers(town);
    expect(changed(before, after)).toEqual(["api", "portail"]);
    expect(await everyContainer()).toBe(10);
    await expectNoTrace();
  });

  test("a release that crashes fails nothing, and says why", async () => {
    const before = await containers(town);
    await town.suite("1.2.0-crash", edits);
    let message = "";
    const seen = await watched("crash", async () => {
      message = await town.fails();
    });
    expectNothingFailed(seen);
    expect(message).toContain("api");
    expect(message).toContain("this release crashes at its start, on purpose");
    expect(message).toContain("serves on");
    expect(await containers(town)).toEqual(before);
    await expectNoTrace();
  });

  test("a migration that breaks half-way fails nothing, and leaves the schema byte for byte", async () => {
    const before = await schema();
    await town.suite("1.3.0-broken-migration", edits);
    let message = "";
    const seen = await watched("broken migration", async () => {
      message = await town.fails();
    });
    expectNothingFailed(seen);
    expect(message).toContain("090_fails_halfway.sql:3: ");
    expect(await schema()).toBe(before);
  });

  test("cancelled while a service is replaced: the former release serves on", async () => {
    const before = await containers(town);
    const running = shownRelease(await ask(releaseRoute));
    await town.suite("1.1.0", {
      ...edits,
      words: { portail: "Annulez", sig: "Annulez", terrain: "Annulez" },
    });
    let message = "";
    const seen = await watched("cancel", async () => {
      const failing = town.fails().then((end) => {
        message = end;
      });
      await expect
        .poll(async () => await activation(), { timeout: 120_000, interval: 200 })
        .toContain('"services", "text": "portail replaced');
      const release = (JSON.parse((await activation()).split("\n")[0] ?? "{}") as { release: string })
        .release;
      const said = await cancel(release);
      expect(said).toContain("serves on");
      await failing;
      expect(await cancel(release)).toContain("nothing to cancel");
    });
    expectNothingFailed(seen);
    expect(message).toContain("CANCELLED");
    expect(shownRelease(await ask(releaseRoute))).toBe(running);
    expect(await containers(town)).toEqual(before);
    expect(await everyContainer()).toBe(10);
    await expectNoTrace();
  });

  test("behind the 503 page a release whose migration destroys data fails: everything is back", async () => {
    await post("Un arbre est tombé");
    const before = await rows();
    const schemaBefore = await schema();
    town.adapter = await breakingAdapter();
    await town.suite("1.2.0-crash", { ...edits, migrations: [breakingName] });
    let message = "";
    const seen = await watched(
      "breaking migration, undone",
      async () => {
        message = await town.fails();
      },
      gets,
    );
    expectOnlyPage(seen);
    expect(message).toContain("UNHEALTHY");
    expect(message).toContain("serves on");
    expect(await rows()).toBe(before);
    expect(withoutChecks(await schema())).toBe(withoutChecks(schemaBefore));
  });

  test("behind the 503 page a breaking migration is carried out", async () => {
    await town.suite("1.1.0", { ...edits, migrations: [breakingName] });
    const seen = await watched("breaking migration", () => town.up(), gets);
    expectOnlyPage(seen);
    expect((await ask("/api/health")).status).toBe(200);
    expect(await sql("select count(*) from fleet_migrations where name like '092%'")).toBe("1");
  });
});

describe("with names that nginx knows from its last load", () => {
  const fixed: SuiteEdits = { ...edits, upstreams: "fixed", migrations: [breakingName] };
  const nginxComment = "handed over again";

  test("another configuration of nginx is handed over", async () => {
    const before = await containers(town);
    await town.suite("1.1.0", fixed);
    const seen = await watched("nginx's configuration", () => town.up());
    expect(changed(before, await containers(town))).toEqual(["nginx"]);
    expectHandover(seen);
    await expectNoTrace();
  });

  test("killed while nginx is handed over: nothing of it is left, and the next run ends it", async () => {
    await town.suite("1.1.0", { ...fixed, nginxComment });
    const seen = await watched("killed handover", async () => {
      const failing = town.fails();
      await expect
        .poll(() => town.exec("nft", "list", "tables"), { timeout: 120_000, interval: 200 })
        .toContain("geoclic_handover");
      await new Promise((resolve) => setTimeout(resolve, 8000 * Math.random()));
      await town.exec("systemctl", "kill", "--signal=KILL", "geoclic-activate.service");
      expect(await failing).toContain("ACTIVATION_INTERRUPTED");
      await town.exec(`${serverPaths.root}/server/start-suite`, "--client", name);
      await expectNoTrace();
      await town.up();
    });
    expectHandover(seen);
    await expectNoTrace();
  });

  test("an update fails nothing, also the second that gives addresses to others", async () => {
    for (const words of [
      { portail: "Un", admin: "Un", sig: "Un" },
      { portail: "Deux", admin: "Deux", terrain: "Deux" },
    ]) {
      const before = await containers(town);
      await town.suite("1.1.0", { ...fixed, nginxComment, words });
      const seen = await watched("update, fixed", () => town.up());
      expectNothingFailed(seen);
      expect(changed(before, await containers(town))).not.toContain("nginx");
    }
  });

  test("when nobody asks, nginx learns the present addresses", async () => {
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await town.exec("systemctl", "start", "geoclic-monitor.service");
    await expectNoTrace();
    for (const { path } of gets) expect([path, (await ask(path)).status]).toEqual([path, 200]);
  });
});

/** The fleet's own, with one migration that the former release cannot run with. */
async function breakingAdapter(): Promise<string> {
  const folder = join(OPERATOR, `adapter-${name}`);
  await cp(assets, folder, { recursive: true });
  const file = join(folder, "geoclic.yaml");
  const text = await readFile(file, "utf8");
  expect(text).toContain("  breaking: []");
  await writeFile(file, text.replace("  breaking: []", `  breaking: [${breakingName}]`));
  return file;
}

async function watched(
  what: string,
  work: () => Promise<unknown>,
  asked: readonly Route[] = routes,
): Promise<Record<string, Outage>> {
  const since = (await town.exec("date", "+%F %T")).trim();
  const watch = watchTown(town, asked);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2000));
  await pause();
  await work();
  await pause();
  const seen = await watch.stop();
  console.log(`${what}:`, JSON.stringify(total(seen), null, 1));
  if (total(seen).failed > 0) console.log(await eventsSince(since));
  return seen;
}

/** What the server did meanwhile, by its journal and its ingress's log. */
function eventsSince(since: string): Promise<string> {
  return town.exec(
    "sh",
    "-c",
    `journalctl --no-pager -o short-iso-precise --since '${since}' -u geoclic-activate -u geoclic-monitor | tail -40
    docker logs --timestamps $(docker ps -q --filter label=com.docker.compose.service=nginx | head -1) 2>&1 | grep -E 'signal|reconfiguring' | tail; date -Ins`,
  );
}

function expectNothingFailed(seen: Record<string, Outage>): void {
  const { requests, failed, limited, reasons } = total(seen);
  expect({ failed, reasons }).toEqual({ failed: 0, reasons: [] });
  expect(requests).toBeGreaterThan(1000);
  expect(limited / requests).toBeLessThan(0.05);
  for (const [path, { statuses }] of Object.entries(seen))
    expect([path, Object.keys(statuses).filter((status) => status !== "429")]).toEqual([
      path,
      [path.endsWith("POST") ? "201" : "200"],
    ]);
}

/** Nothing failed but connections that were closed or made at the very moment of an exchange, and nowhere for long. */
function expectHandover(seen: Record<string, Outage>): void {
  const { requests, failed, longestSeconds, reasons } = total(seen);
  expect(reasons.filter((reason) => !/ s, (kept|new) connection: ECONNRESET$/.test(reason))).toEqual([]);
  expect(failed).toBeLessThanOrEqual(requests / 200);
  expect(longestSeconds).toBeLessThan(1);
}

/** Nothing but good answers and the page, and the page for one time, from its first to its last. */
function expectOnlyPage(seen: Record<string, Outage>): void {
  for (const [path, { statuses, longestSeconds }] of Object.entries(seen)) {
    const others = Object.keys(statuses).filter((status) => !["200", "201", "429", "503"].includes(status));
    expect([path, others]).toEqual([path, []]);
    // Only this one is told apart from the page.
    expect([path, statuses[503] === undefined]).toEqual([path, path === "/health"]);
    expect(longestSeconds).toBeLessThan(120);
  }
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys({ ...before, ...after }).filter((service) => before[service] !== after[service]);
}

async function everyContainer(): Promise<number> {
  return (await town.exec("docker", "ps", "--all", "--quiet")).trim().split("\n").length;
}

/** No rule, no temporary container, no page. */
async function expectNoTrace(): Promise<void> {
  const found = `docker ps -a --format '{{.Names}}' | grep handover
    nft list tables | grep -E 'detour|handover'
    nsenter --net=/proc/$(docker inspect -f '{{.State.Pid}}' $(docker ps -q --filter label=com.docker.compose.service=nginx))/ns/net nft list tables | grep detour
    ls -A ${serverPaths.static}/www | grep '^.maintenance$'
    true`;
  expect(await town.exec("sh", "-c", found)).toBe("");
}

function activation(): Promise<string> {
  return town.exec("cat", `${serverPaths.root}/shared/state/activation.jsonl`);
}

function cancel(release: string): Promise<string> {
  return town.exec(`${serverPaths.root}/server/activate`, "cancel", "--client", name, "--release", release);
}

function ask(path: string) {
  return get({ protocol: "https", host: town.server.reach, domain: town.domain, path });
}

async function post(description: string): Promise<void> {
  const body = JSON.stringify({ description });
  await town.exec(
    ...["curl", "--fail", "--silent", "--insecure", "--resolve", `${town.domain}:443:127.0.0.1`],
    ...["--json", body, `https://${town.domain}/api/demandes`],
  );
}

function rows(): Promise<string> {
  return sql("select md5(string_agg(d::text, '' order by d.id)) || ' ' || count(*) from demandes_citoyens d");
}

async function sql(query: string): Promise<string> {
  return (await psql("psql", "-At", "-c", query)).trim();
}

/** Its own words but for the key that each dump makes anew. */
async function schema(): Promise<string> {
  return (await psql("pg_dump", "--schema-only")).replaceAll(/^\\(un)?restrict .*$/gm, "");
}

/** PostgreSQL writes a CHECK otherwise, to the same effect, after it was restored from what it wrote itself. */
function withoutChecks(text: string): string {
  return text.replaceAll(/^ *CONSTRAINT \S+ CHECK .*$/gm, "");
}

function psql(program: string, ...words: string[]): Promise<string> {
  const database = ["-U", "geoclic", "-d", "geoclic_db"];
  return town.exec("docker", "exec", "deploy-db-1", program, ...database, ...words);
}
