/** What a town sees of going from one release to another. Not proven: what a server makes of it. */
import { expect, test } from "vitest";
import type { Release } from "../release/release.ts";
import { type KeptRelease, releaseChanges } from "./changes.ts";

function kept(
  db: object,
  migrations: readonly string[] = [],
  volumes: object = { data: { name: "town_data" } },
): KeptRelease {
  const services = { db: { stateful: true }, api: { stateful: false } };
  const release = { services, adapter: { database: { breaking: ["2.sql"] } } } as unknown as Release;
  return {
    release,
    migrations,
    compose: JSON.stringify({ services: { db, api: { image: "api:1" } }, volumes }),
  };
}

const db = { image: "db:1", volumes: ["data:/var/lib/postgresql/data", "/opt/logs:/logs"] };

test("a changed database stops, beside a page for breaking migrations", () => {
  const changes = releaseChanges(
    kept(db, ["1.sql"]),
    kept({ ...db, image: "db:2" }, ["1.sql", "2.sql", "3.sql"]),
  );
  expect(changes).toEqual({
    services: ["db"],
    migrations: ["2.sql", "3.sql"],
    breaking: ["2.sql"],
    stopped: ["db"],
    emptied: [],
    lacking: [],
  });
});

test("what holds data and would get another volume is named, by the volume's own name", () => {
  const renamed = { ...db, volumes: ["other:/var/lib/postgresql/data"] };
  const emptied = (next: KeptRelease) => releaseChanges(kept(db), next).emptied;
  expect(emptied(kept(renamed, [], { other: {} }))).toEqual(["db"]);
  expect(emptied(kept(db, [], { data: { name: "town_data_2" } }))).toEqual(["db"]);
  expect(emptied(kept(renamed, [], { other: { name: "town_data" } }))).toEqual([]);
  const long = { ...db, volumes: [{ type: "volume", source: "data", target: "/var/lib/postgresql/data" }] };
  expect(emptied(kept(long))).toEqual([]);
});

test("a release that lacks what breaks it is named so, and one that never met it is not", () => {
  const lacking = (former: readonly string[], next: readonly string[]) =>
    releaseChanges(kept(db, former), kept(db, next)).lacking;
  expect(lacking(["1.sql", "2.sql", "3.sql"], ["1.sql"])).toEqual(["2.sql"]);
  expect(lacking(["1.sql"], ["1.sql", "2.sql"])).toEqual([]);
});
