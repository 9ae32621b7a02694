/**
 * @module A release that differs from a former one only in some services, or in one migration: the former tree with the
 * chosen parts of the present one. What is not chosen keeps its content, and so its image and its container.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { isMap, parseDocument } from "yaml";
import { FleetError } from "../core/errors.ts";
import { makeRelease, type Release } from "../core/release/release.ts";
import { below, type TreeEntry } from "../core/release/tree.ts";
import { parseBaseCompose } from "../core/render/base-compose.ts";
import { copyTree, readTree } from "./file-tree.ts";
import type { WritableReleaseStore } from "./release-store.ts";
import { readSuiteSql } from "./suite-sql.ts";

export interface Parts {
  readonly services: readonly string[];
  /** Name of one file of the suite's migrations. */
  readonly migration?: string | undefined;
}

/**
 * Makes the release and keeps it; the former one itself where nothing of the parts differs.
 * @throws FleetError `SERVICES_NOT_ALONE` when what is not chosen would be replaced too
 */
export async function keepPartial(
  store: WritableReleaseStore,
  former: Release,
  present: Release,
  parts: Parts,
  imagesAsOf: string,
): Promise<Release> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-release-"));
  try {
    const mixed = await mix(folder);
    const scripts = await readTree(store.scriptsPath(former.scripts));
    // One of an earlier version lacks what came since.
    const adapter = {
      ...former.adapter,
      database: { ...present.adapter.database, ...former.adapter.database },
    };
    const { release, compose } = makeRelease({
      adapter: former.adapter,
      compose: await readFile(join(folder, former.adapter.compose), "utf8"),
      suite: mixed,
      sql: await readSuiteSql(folder, mixed, adapter),
      scripts,
      hookScripts: Object.fromEntries(
        (["createAdmin", "setTown", "disableDefaultAdmin"] as const).map((name) => [
          former.adapter.hooks[name].script,
          former.hooks[name].argv.at(-1) ?? "",
        ]),
      ),
      version: former.version,
      imagesAsOf,
    });
    refuseOthers(release);
    await store.keep(release, compose, (target) => copyTree(folder, mixed, join(target, "suite")));
    return release;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  async function mix(target: string): Promise<TreeEntry[]> {
    const [old, fresh] = [join(store.path(former.id), "suite"), join(store.path(present.id), "suite")];
    const [oldEntries, freshEntries] = await Promise.all([readTree(old), readTree(fresh)]);
    const paths = await chosenPaths(fresh);
    const isChosen = (entry: TreeEntry) => paths.some((path) => below([entry], path).length > 0);
    await copyTree(
      old,
      oldEntries.filter((entry) => !isChosen(entry)),
      target,
    );
    await copyTree(fresh, freshEntries.filter(isChosen), target);
    await takeSections(old, fresh, target);
    return readTree(target);
  }

  async function chosenPaths(fresh: string): Promise<string[]> {
    const { compose, database } = present.adapter;
    const base = parseBaseCompose(await readFile(join(fresh, compose), "utf8"), present.adapter);
    const mounted = parts.services.flatMap((service) =>
      (base.services[service]?.mounts ?? []).flatMap(({ source, kind }) =>
        kind === "config" || kind === "static"
          ? [posix.normalize(posix.join(posix.dirname(compose), source))]
          : [],
      ),
    );
    const built = parts.services.flatMap((service) => present.services[service]?.build?.inputs ?? []);
    const migration = parts.migration === undefined ? [] : [`${database.migrations}/${parts.migration}`];
    return [...built, ...mounted, ...migration];
  }

  /** The chosen services' sections of the base compose file. */
  async function takeSections(old: string, fresh: string, target: string): Promise<void> {
    const { compose } = former.adapter;
    const [text, freshText] = await Promise.all(
      [old, fresh].map((suite) => readFile(join(suite, compose), "utf8")),
    );
    const document = parseDocument(text ?? "", { merge: true });
    const other = parseDocument(freshText ?? "", { merge: true });
    let isChanged = false;
    for (const service of parts.services) {
      const section = other.getIn(["services", service], true);
      const own = document.getIn(["services", service], true);
      if (
        !isMap(section) ||
        JSON.stringify(section.toJSON()) === JSON.stringify(isMap(own) ? own.toJSON() : own)
      )
        continue;
      document.setIn(["services", service], section.toJSON());
      isChanged = true;
    }
    const file = join(target, compose);
    await mkdir(dirname(file), { recursive: true });
    if (isChanged)
      await writeFile(file, document.toString({ lineWidth: 0, defaultStringType: "QUOTE_DOUBLE" }));
    else await copyFile(join(old, compose), file);
  }

  function refuseOthers(release: Release): void {
    const migration = parts.migration && `${former.adapter.database.migrations}/${parts.migration}`;
    const others = Object.entries(release.services).flatMap(([name, { image, build }]) => {
      const isMeant =
        parts.services.includes(name) ||
        (migration !== undefined &&
          (build?.inputs ?? []).some((path) => path === migration || migration.startsWith(`${path}/`)));
      return isMeant || image === former.services[name]?.image ? [] : [name];
    });
    if (others.length > 0)
      throw new FleetError("SERVICES_NOT_ALONE", {
        names: [...parts.services, ...(parts.migration ? [parts.migration] : [])].join(", "),
        others: others.join(", "),
      });
  }
}
