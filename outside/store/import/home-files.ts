/** @module The files of a home that the store takes the place of, and who takes over each. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Transaction } from "kysely";
import type { JournalKind } from "../../../core/store/port.ts";
import type { Schema } from "../schema.ts";

/** One file's content into the store. @returns whether it was taken over */
type Take = (db: Transaction<Schema>, text: string) => Promise<boolean>;

export interface HomeFile {
  /** Path in the home. */
  readonly file: string;
  readonly isWrittenOnce: boolean;
  readonly take: Take;
}

export interface Takers {
  operation(stack: string, id: string): Take;
  journal(kind: JournalKind, client: string): Take;
  readonly certificates: Take;
  pace(name: string): Take;
  zone(zone: string): Take;
}

export async function homeFiles(state: string, takers: Takers): Promise<HomeFile[]> {
  const named = async (folder: string, shape: RegExp) =>
    (await readdir(join(state, folder)).catch(absent)).sort().flatMap((name) => {
      const [, found] = shape.exec(name) ?? [];
      return found === undefined ? [] : [{ path: join(folder, name), found }];
    });
  const whole = (file: string, take: Take): HomeFile => ({ file, isWrittenOnce: false, take });
  const stacks = await named("operations", /^(.+)$/);
  const operations = await Promise.all(
    stacks.map(async ({ path, found: stack }) =>
      (await named(path, /^(\d{8}T\d{6}-[0-9a-f]{4})\.jsonl$/)).map(({ path: file, found: id }) => ({
        file,
        isWrittenOnce: true,
        take: takers.operation(stack, id),
      })),
    ),
  );
  const orders = await named("orders", /^(.+)\.jsonl$/);
  const retired = await Promise.all(
    (await named("retired", /^(.+)$/)).map(({ path, found: client }) =>
      named(path, /^(journal\.jsonl)$/).then((found) => found.map((each) => ({ ...each, client }))),
    ),
  );
  return [
    // What costs money comes first.
    ...orders.map(({ path, found }) => whole(path, takers.journal("order", found))),
    ...retired.flat().map(({ path, client }) => whole(path, takers.journal("retirement", client))),
    ...(await named("", /^(acme-ledger)\.json$/)).map(({ path }) => whole(path, takers.certificates)),
    ...(await named("ovh", /^(pace)\.json$/)).map(({ path }) => whole(path, takers.pace("ovh"))),
    ...(await named("dns", /^(.+)\.json$/)).map(({ path, found }) => whole(path, takers.zone(found))),
    ...operations.flat(),
  ];
}

function absent(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
  throw error;
}
