/**
 * @module What servers fetch from elsewhere than Debian, under its real names: Docker's own apt repository, and restic's
 * release. Made once of Debian's packages; what the base step pins is pinned to these on the lab's servers alone.
 */
import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { docker } from "./docker.ts";
import { APT_PROXY_LOOPBACK, ORIGINS } from "./front.ts";
import { importDebian, readTree } from "./images.ts";
import { ASSETS } from "./layout.ts";
import type { Mirrors } from "./mirrors.ts";

const SOURCES = join(ASSETS, "origins");

/** Serves them from now on. @returns `Dockerfile` lines and files that make an image trust them */
export async function ensureOrigins(mirrors: Mirrors): Promise<Readonly<Record<string, string>>> {
  const { "lab_pins.py": hook = "", ...sources } = await readTree(SOURCES);
  const trees = [await importDebian("bookworm", mirrors), await importDebian("trixie", mirrors)];
  const made = await cached("origins", { sources, trees }, async (folder) => {
    await mkdir(folder, { recursive: true });
    const options = ["--network", "host", "--build-arg", `http_proxy=${APT_PROXY_LOOPBACK}`];
    await docker([
      "buildx",
      "build",
      "--quiet",
      ...options,
      "--output",
      `type=local,dest=${folder}`,
      SOURCES,
    ]);
  });
  const pins = await readFile(join(made, "pins.json"), "utf8");
  const served = join(ORIGINS, "served", "pins.json");
  if ((await readFile(served, "utf8").catch(() => "")) !== pins) await serve(made);
  return { "lab_pins.py": hook, "lab_pins.json": pins, "lab-pins.pth": "import lab_pins\n" };
}

async function serve(made: string): Promise<void> {
  const partial = join(ORIGINS, "partial");
  await rm(partial, { recursive: true, force: true });
  await cp(made, partial, { recursive: true });
  await rm(join(ORIGINS, "served"), { recursive: true, force: true });
  await rename(partial, join(ORIGINS, "served"));
}
