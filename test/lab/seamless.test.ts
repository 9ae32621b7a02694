/**
 * Updates of a town while its public goes on asking, 20 times a second on each route, without a second try: nothing may
 * fail, and every failure of a release is undone. nginx knows fixed names, as the real suite's. One town for everything; each
 * test goes on where the one before it ended.
 * Not proven here: names that nginx asks for again, runs that are cut (seamless-rare.test.ts), HTTP/2, IPv6, services that
 * others than nginx call, a changed database image (it stops for seconds), nginx that keeps connections to its services.
 */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { removeServer } from "../../lab/server.ts";
import type { SuiteEdits } from "../../lab/suite/release/make.ts";
import type { Route } from "./prober.ts";
import { containers, type TestTown, testTown } from "./town.ts";
import * as watching from "./watching.ts";

const { assets, changed, everyContainer, expectHandover, expectNothingFailed, expectOnlyPage } = watching;
const name = "ville-couture";
const edits: SuiteEdits = { slowRoute: true };
const breakingName = "092_drops_data.sql";
const broken: SuiteEdits = { ...edits, migrations: [breakingName] };

let routes: Route[];
/** nginx answers 405 to a POST while it shows a page that is a file. */
let gets: Route[];
let town: TestTown;

const watched = (what: string, work: () => Promise<unknown>, asked = routes) =>
  watching.watched(town, what, asked, work);
const expectNoTrace = () => watching.expectNoTrace(town);

beforeAll(async () => {
  routes = [...watching.hardRoutes, ...(await watching.readRoutes())];
  gets = routes.filter(({ post: body }) => body === undefined);
  town = await testTown(name, "Mairie de Couture", 8000);
  await town.suite("1.0.0", edits);
  await town.up();
});

afterAll(async () => {
  await removeServer(name);
});

test("an update fails nothing, and touches only what changed", async () => {
  const before = await containers(town);
  await town.suite("1.1.0", edits);
  const seen = await watched("update", () => town.up());
  expectNothingFailed(seen);
  const after = await containers(town);
  expect(changed(before, after)).toEqual(["api", "portail"]);
  expect(await everyContainer(town)).toBe(10);
});

test("another update, which gives addresses to others, fails nothing", async () => {
  const before = await containers(town);
  await town.suite("1.1.0", { ...edits, words: { portail: "Deux", admin: "Deux", terrain: "Deux" } });
  const seen = await watched("update, addresses changing hands", () => town.up());
  expectNothingFailed(seen);
  expect(changed(before, await containers(town))).not.toContain("nginx");
});

test("when nobody asks, nginx learns the present addresses", async () => {
  await new Promise((resolve) => setTimeout(resolve, 3500));
  await town.exec("systemctl", "start", "geoclic-monitor.service");
  await expectNoTrace();
  for (const { path } of gets) expect([path, (await ask(path)).status]).toEqual([path, 200]);
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

test("behind the 503 page a release whose migration destroys data fails: everything is back", async () => {
  await post("Un arbre est tombé");
  const before = await rows();
  const schemaBefore = await schema();
  town.adapter = await breakingAdapter();
  await town.suite("1.2.0-crash", broken);
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
  await town.suite("1.1.0", broken);
  const seen = await watched("breaking migration", () => town.up(), gets);
  expectOnlyPage(seen);
  expect((await ask("/api/health")).status).toBe(200);
  expect(await sql("select count(*) from fleet_migrations where name like '092%'")).toBe("1");
});

test("another configuration of nginx is handed over", async () => {
  const before = await containers(town);
  await town.suite("1.1.0", { ...broken, nginxComment: "another configuration" });
  const seen = await watched("nginx's configuration", () => town.up());
  expect(changed(before, await containers(town))).toEqual(["nginx"]);
  expectHandover(seen);
  await expectNoTrace();
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
