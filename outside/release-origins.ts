/**
 * @module Which commits of the suite a release was made of. Beside the releases, not in them: two commits may hold one tree, a
 * tag may come later, and neither makes another release.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FleetError } from "../core/errors.ts";
import { writeFileAtomically } from "./atomic-file.ts";

const Origin = z.object({
  /** 40 hex characters. */
  commit: z.string(),
  tags: z.array(z.string()),
  /** As `git describe` says it, e.g. `v1.2-3-g0a1b2c3`, with `-dirty` where files were changed. */
  described: z.string(),
  /** Whether the tree was the commit's own. */
  isClean: z.boolean(),
  /** ISO time. */
  at: z.string(),
});
export type Origin = z.infer<typeof Origin>;

export interface ReleaseOrigins {
  note(release: string, origin: Origin): Promise<void>;
  /** What a release is called: the newest description; `undefined` where no git was there. */
  described(release: string): Promise<string | undefined>;
  /**
   * The release that was made of a tag, or of a commit by at least 7 characters of it.
   * @throws FleetError `RELEASE_AMBIGUOUS`
   */
  named(name: string): Promise<string | undefined>;
}

export function releaseOrigins(state: string): ReleaseOrigins {
  const folder = join(state, "origins");
  return { note, described, named };

  async function note(release: string, origin: Origin): Promise<void> {
    const known = await read(release);
    const same = known.find((each) => each.commit === origin.commit && each.isClean === origin.isClean);
    if (same && same.described === origin.described && same.tags.join() === origin.tags.join()) return;
    const kept = [...known.filter((each) => each !== same), origin];
    await writeFileAtomically(join(folder, `${release}.json`), `${JSON.stringify(kept, null, 1)}\n`);
  }

  async function described(release: string): Promise<string | undefined> {
    return (await read(release)).at(-1)?.described;
  }

  async function named(name: string): Promise<string | undefined> {
    const isCommit = /^[0-9a-f]{7,40}$/.test(name);
    const found: { release: string; at: string }[] = [];
    for (const file of await readdir(folder).catch(() => [])) {
      const release = /^([0-9a-f]{12})\.json$/.exec(file)?.[1];
      if (!release) continue;
      const origin = (await read(release)).find(
        ({ isClean, tags, commit }) =>
          isClean && (tags.includes(name) || (isCommit && commit.startsWith(name))),
      );
      if (origin) found.push({ release, at: origin.at });
    }
    if (found.length > 1)
      throw new FleetError("RELEASE_AMBIGUOUS", {
        name,
        releases: found
          .sort((a, b) => (a.at < b.at ? -1 : 1))
          .map(({ release, at }) => `${release} (${at.slice(0, 16)})`)
          .join(", "),
      });
    return found[0]?.release;
  }

  async function read(release: string): Promise<Origin[]> {
    const text = await readFile(join(folder, `${release}.json`), "utf8").catch(() => "[]");
    return z.array(Origin).catch([]).parse(JSON.parse(text));
  }
}
