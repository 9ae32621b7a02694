/** @module Images of the lab: its own from Debian trees, and base images under the names the world knows. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { authorityCertificate, writeBundle } from "./authority.ts";
import { cached, contentKey } from "./cache.ts";
import { docker, dockerOrNothing } from "./docker.ts";
import { APT_PROXY, APT_PROXY_LOOPBACK } from "./front.ts";
import { machineAuthorities } from "./host.ts";
import { ASSETS, PREFIX } from "./layout.ts";
import type { Mirrors } from "./mirrors.ts";
import { SERVICES_IMAGE } from "./network.ts";
import { step } from "./progress.ts";
import { BUILD_REGISTRY, withWritableRegistry } from "./registry.ts";
import { debianRootfs, ensureRootfs } from "./rootfs.ts";

export const SERVER_IMAGE = `${PREFIX}/server`;
export const PREPARED_IMAGE = `${PREFIX}/prepared`;
export const SERVER_12_IMAGE = `${PREFIX}/server-12`;

const SUITES = ["bookworm", "trixie"] as const;
type Suite = (typeof SUITES)[number];

interface BaseImage {
  /** Names on the hub. */
  readonly references: readonly string[];
  /** Folder in `assets/images/`. */
  readonly context: string;
  readonly arguments?: Readonly<Record<string, string>>;
  /** Stage of the Dockerfile; the last one by default. */
  readonly stage?: string;
  /** Package of the npm registry whose archive joins the context, e.g. `npm@10.8.2`. */
  readonly npmPackage?: string;
}

/** The base images; PostGIS itself (300 MB more) only with `isFull`. */
export function baseImages(isFull: boolean): BaseImage[] {
  const postgis = isFull ? "postgresql-15-postgis-3 postgresql-15-postgis-3-scripts" : "";
  const postgres = { context: "postgres", arguments: { POSTGIS: postgis } };
  return [
    { references: ["library/python:3.11-slim"], context: "python" },
    {
      references: ["library/node:18-alpine", "library/node:20-alpine"],
      context: "node",
      npmPackage: "npm@10.8.2",
    },
    { references: ["library/nginx:alpine"], context: "nginx" },
    { references: ["postgis/postgis:15-3.3"], ...postgres, stage: "official" },
    { references: ["postgis/postgis:15-3.3-bare"], ...postgres, stage: "bare" },
    { references: ["postgis/postgis:15-3.3-fr"], ...postgres, stage: "french" },
  ];
}

/** Imports the tar of a Debian tree as `image`, unless that very tar is there already. */
async function importTree(tar: string, image: string, changes: readonly string[] = []): Promise<void> {
  const label = `LABEL ${PREFIX}.tree=${contentKey([tar, changes])}`;
  const format = `{{index .Config.Labels "${PREFIX}.tree"}}`;
  const present = await dockerOrNothing(["image", "inspect", "--format", format, image]);
  if (present === contentKey([tar, changes])) return;
  const options = [label, ...changes].flatMap((change) => ["--change", change]);
  await docker(["import", ...options, tar, image]);
}

export async function ensureServicesImage(tar: string): Promise<void> {
  await importTree(tar, SERVICES_IMAGE);
}

/** The image of a bare Debian, from which others are built. Returns the tar that it was made of. */
export async function importDebian(suite: Suite, mirrors: Mirrors): Promise<string> {
  const tree = await ensureRootfs(debianRootfs(suite), mirrors, APT_PROXY_LOOPBACK);
  await importTree(tree, `${PREFIX}/debian:${suite}`, ['CMD ["bash"]']);
  return tree;
}

/**
 * An image of servers: the delivered tree, plus the trust and the apt cache of this lab.
 * @param python files for its Python's own packages, by name
 */
export async function ensureServerImage(
  tar: string,
  name: string = SERVER_IMAGE,
  python: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tree = `${name}-tree`;
  const authorities = [await authorityCertificate(), ...(await machineAuthorities())];
  const key = contentKey([tar, authorities, APT_PROXY, python]);
  const format = `{{index .Config.Labels "${PREFIX}.server"}}`;
  const present = await dockerOrNothing(["image", "inspect", "--format", format, name]);
  if (present === key) return;
  await importTree(tar, tree);
  await withContext(authorities, async (folder) => {
    const proxy = `Acquire::http::Proxy "${APT_PROXY}";\nAcquire::https::Proxy "DIRECT";\n`;
    await writeFile(join(folder, "91lab-proxy"), proxy);
    await mkdir(join(folder, "python"));
    for (const [file, text] of Object.entries(python)) await writeFile(join(folder, "python", file), text);
    await writeFile(
      join(folder, "Dockerfile"),
      `FROM ${tree}
COPY ca /usr/local/share/ca-certificates
COPY 91lab-proxy /etc/apt/apt.conf.d/
COPY python /usr/lib/python3/dist-packages
RUN update-ca-certificates
LABEL ${PREFIX}.server=${key}
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
`,
    );
    await build(folder, ["--tag", name]);
  });
}

/**
 * The folder of the registry with every base image in it, built when absent.
 * They carry this machine's own certificate authorities, so that pip and npm work in builds behind its proxy.
 */
export async function ensureBaseImages(mirrors: Mirrors, isFull: boolean): Promise<string> {
  const images = baseImages(isFull);
  const authorities = await machineAuthorities();
  const sources = await readTree(join(ASSETS, "images"));
  const trees = await step("base images: Debian trees", () =>
    Promise.all(SUITES.map((suite) => ensureRootfs(debianRootfs(suite), mirrors, APT_PROXY_LOOPBACK))),
  );
  return cached("registry", { images, authorities, sources, trees }, async (folder) => {
    await mkdir(folder, { recursive: true });
    for (const suite of SUITES) await importDebian(suite, mirrors);
    await withWritableRegistry(folder, async () => {
      const builds = images.map((image) =>
        step(`base images: ${image.references.join(", ")}`, () => buildBaseImage(image, authorities)),
      );
      await Promise.all(builds);
    });
  });
}

async function buildBaseImage(image: BaseImage, authorities: readonly string[]): Promise<void> {
  const source = join(ASSETS, "images", image.context);
  await withContext(authorities, async (folder) => {
    for (const [name, text] of Object.entries(await readTree(source))) {
      await writeFile(join(folder, name), text, { mode: name.endsWith(".sh") ? 0o755 : 0o644 });
    }
    if (image.npmPackage !== undefined) {
      await execa("npm", ["pack", "--silent", "--pack-destination", folder, image.npmPackage], {
        cwd: folder,
      });
    }
    const values = { http_proxy: APT_PROXY_LOOPBACK, ...image.arguments };
    const options = Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    await build(folder, [
      ...options,
      "--network",
      "host",
      "--push",
      ...(image.stage === undefined ? [] : ["--target", image.stage]),
      ...image.references.flatMap((reference) => ["--tag", `${BUILD_REGISTRY}/${reference}`]),
    ]);
  });
}

async function build(context: string, options: readonly string[]): Promise<void> {
  await docker(["buildx", "build", "--quiet", "--provenance=false", ...options, context]);
}

/** A temporary build context with the certificate authorities in `ca/`. */
async function withContext(
  authorities: readonly string[],
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-lab-"));
  try {
    await mkdir(join(folder, "ca"));
    await writeFile(join(folder, "ca", ".keep"), "");
    for (const [index, text] of authorities.entries()) {
      await writeBundle(join(folder, "ca", `authority-${index}.crt`), [text]);
    }
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Path relative to `folder` → text, for every file below it. */
export async function readTree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.sort().map((file) => readFile(file, "utf8")));
  return Object.fromEntries(files.map((file, index) => [file.slice(folder.length + 1), texts[index] ?? ""]));
}
