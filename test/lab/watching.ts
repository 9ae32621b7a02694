/** @module What a town's public sees while something is done to it, and what may be left of it on the server. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { parseDocument } from "yaml";
import { serverPaths } from "../../core/naming.ts";
import { type Outage, type Route, total, watchTown } from "./prober.ts";
import type { TestTown } from "./town.ts";

export const assets = join(import.meta.dirname, "../../assets/suites");

/** Those of the adapter. nginx answers 405 to a POST while it shows a page that is a file. */
export async function readRoutes(): Promise<Route[]> {
  const adapter = parseDocument(await readFile(join(assets, "geoclic.yaml"), "utf8"));
  return (adapter.toJS() as { routes: string[] }).routes.map((path) => ({ path }));
}

/** Also slow requests and such that write: of a suite with the slow route. */
export const hardRoutes: readonly Route[] = [
  { path: "/api/lab/slow", perSecond: 2 },
  { path: "/api/demandes", post: { description: "Nid-de-poule devant la mairie" }, perSecond: 2 },
];

/** Asks on `asked` from two seconds before `work` to two seconds after it. */
export async function watched(
  town: TestTown,
  what: string,
  asked: readonly Route[],
  work: () => Promise<unknown>,
): Promise<Record<string, Outage>> {
  const since = (await town.exec("date", "+%F %T")).trim();
  const watch = watchTown(town, asked);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2000));
  await pause();
  await work();
  await pause();
  const seen = await watch.stop();
  console.log(`${what}:`, JSON.stringify(total(seen), null, 1));
  if (total(seen).failed > 0) console.log(await eventsSince(town, since));
  return seen;
}

/** What the server did meanwhile, by its journal and its ingress's log. */
function eventsSince(town: TestTown, since: string): Promise<string> {
  return town.exec(
    "sh",
    "-c",
    `journalctl --no-pager -o short-iso-precise --since '${since}' -u geoclic-activate -u geoclic-monitor | tail -40
    docker logs --timestamps $(docker ps -q --filter label=com.docker.compose.service=nginx | head -1) 2>&1 | grep -E 'signal|reconfiguring' | tail; date -Ins`,
  );
}

export function expectNothingFailed(seen: Record<string, Outage>): void {
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
export function expectHandover(seen: Record<string, Outage>): void {
  const { requests, failed, longestSeconds, reasons } = total(seen);
  expect(reasons.filter((reason) => !/ s, (kept|new) connection: ECONNRESET$/.test(reason))).toEqual([]);
  expect(failed).toBeLessThanOrEqual(requests / 200);
  expect(longestSeconds).toBeLessThan(1);
}

/** Nothing but good answers and the page, and the page for one time, from its first to its last. */
export function expectOnlyPage(seen: Record<string, Outage>): void {
  for (const [path, { requests, statuses, cuts, longestSeconds }] of Object.entries(seen)) {
    const answered = ["0", "200", "201", "429", "503"];
    expect([path, Object.keys(statuses).filter((each) => !answered.includes(each))]).toEqual([path, []]);
    // nginx is loaded again behind the page, which closes a kept connection just as a request arrives.
    expect([path, cuts.filter((cut) => !/ s, kept connection: ECONNRESET$/.test(cut))]).toEqual([path, []]);
    expect(cuts.length).toBeLessThanOrEqual(requests / 200);
    // Only this one is told apart from the page.
    expect([path, statuses[503] === undefined]).toEqual([path, path === "/health"]);
    expect(longestSeconds).toBeLessThan(120);
  }
}

export function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys({ ...before, ...after }).filter((service) => before[service] !== after[service]);
}

export async function everyContainer(town: TestTown): Promise<number> {
  return (await town.exec("docker", "ps", "--all", "--quiet")).trim().split("\n").length;
}

/** No rule, no temporary container, no page. */
export async function expectNoTrace(town: TestTown): Promise<void> {
  const found = `docker ps -a --format '{{.Names}}' | grep handover
    nft list tables | grep -E 'detour|handover'
    nsenter --net=/proc/$(docker inspect -f '{{.State.Pid}}' $(docker ps -q --filter label=com.docker.compose.service=nginx))/ns/net nft list tables | grep detour
    ls -A ${serverPaths.static}/www | grep '^.maintenance$'
    true`;
  expect(await town.exec("sh", "-c", found)).toBe("");
}
