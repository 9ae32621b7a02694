/**
 * What is rare, under the same public as in seamless.test.ts: a suite whose nginx asks for names again and again, a run
 * that is cancelled between two services, one that is killed while nginx is handed over. Each test goes on where the one
 * before it ended.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import { shownRelease } from "../../core/health.ts";
import { releaseRoute, serverPaths } from "../../core/naming.ts";
import { removeServer } from "../../lab/server.ts";
import type { SuiteEdits } from "../../lab/suite/release/make.ts";
import type { Route } from "./prober.ts";
import { containers, type TestTown, testTown } from "./town.ts";
import * as watching from "./watching.ts";

const { changed, everyContainer, expectHandover, expectNothingFailed } = watching;
const name = "ville-rare";
const edits: SuiteEdits = { slowRoute: true, upstreams: "resolver" };
let routes: Route[];
let town: TestTown;

const watched = (what: string, work: () => Promise<unknown>) => watching.watched(town, what, routes, work);
const expectNoTrace = () => watching.expectNoTrace(town);

beforeAll(async () => {
  routes = [...watching.hardRoutes, ...(await watching.readRoutes())];
  town = await testTown(name, "Mairie de la Rare", 8000);
  await town.suite("1.0.0", edits);
  await town.up();
});

afterAll(async () => {
  await removeServer(name);
});

test("an update fails nothing, and touches only what changed", async () => {
  const before = await containers(town);
  await town.suite("1.1.0", edits);
  const seen = await watched("update, resolver", () => town.up());
  expectNothingFailed(seen);
  const after = await containers(town);
  expect(changed(before, after)).toEqual(["api", "portail"]);
  expect(await everyContainer(town)).toBe(10);
  await expectNoTrace();
});

test("cancelled while a service is replaced: the former release serves on", async () => {
  const before = await containers(town);
  const running = shownRelease(await ask(releaseRoute));
  await town.suite("1.1.0", {
    ...edits,
    words: { demandes: "Annulez", sig: "Annulez", terrain: "Annulez" },
  });
  let message = "";
  const seen = await watched("cancel", async () => {
    const failing = town.fails().then((end) => {
      message = end;
    });
    await expect
      .poll(async () => await activation(), { timeout: 120_000, interval: 200 })
      .toContain('"services", "text": "demandes replaced');
    const release = (JSON.parse((await activation()).split("\n")[0] ?? "{}") as { release: string }).release;
    const said = await cancel(release);
    expect(said).toContain("serves on");
    await failing;
    expect(await cancel(release)).toContain("nothing to cancel");
  });
  expectNothingFailed(seen);
  expect(message).toContain("CANCELLED");
  expect(shownRelease(await ask(releaseRoute))).toBe(running);
  expect(await containers(town)).toEqual(before);
  expect(await everyContainer(town)).toBe(10);
  await expectNoTrace();
});

test("killed while nginx is handed over: nothing of it is left, and the next run ends it", async () => {
  await town.suite("1.1.0", { ...edits, upstreams: "fixed" });
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

function activation(): Promise<string> {
  return town.exec("cat", `${serverPaths.root}/shared/state/activation.jsonl`);
}

function cancel(release: string): Promise<string> {
  return town.exec(`${serverPaths.root}/server/activate`, "cancel", "--client", name, "--release", release);
}

function ask(path: string) {
  return get({ protocol: "https", host: town.server.reach, domain: town.domain, path });
}
