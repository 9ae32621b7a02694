/** @module Images kept on the operator's machine as OCI blobs: layers compressed once, manifests by digest. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { extract } from "tar-stream";
import type { StoredImage } from "../../core/ports.ts";
import { writeFileAtomically } from "../atomic-file.ts";
import { removeUnused, use } from "../unused.ts";

const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
const zstdLayer = "application/vnd.oci.image.layer.v1.tar+zstd";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface ImageStore {
  /** Path of a blob by its digest, whether it exists or not. */
  blobPath(digest: string): string;
  find(image: string): Promise<StoredImage | undefined>;
  /** Takes what `docker save` writes for one image. */
  add(image: string, archive: Readable): Promise<StoredImage>;
  /**
   * Removes images that are not wanted and were not asked for since `unused`, what no image is made of any more, and what was
   * half made before `abandoned`; milliseconds since 1970. While nobody adds one.
   */
  prune(wanted: ReadonlySet<string>, unused: number, abandoned: number): Promise<PrunedImages>;
}

export interface PrunedImages {
  readonly images: number;
  readonly bytes: number;
}

export function imageStore(folder: string): ImageStore {
  const blobs = join(folder, "blobs/sha256");
  const blobPath = (digest: string) => join(blobs, hexOf(digest));
  const records = join(folder, "images");
  const recordPath = (image: string) => join(records, `${image.replaceAll(/[/:]/g, "_")}.json`);
  return { blobPath, find, add, prune };

  async function find(image: string): Promise<StoredImage | undefined> {
    const text = await readFile(recordPath(image), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const stored = JSON.parse(text) as StoredImage;
      if (!(await blobsOf(stored)).every((digest) => existsSync(blobPath(digest)))) return undefined;
      // Its time is when it was last asked for.
      return (await use(recordPath(image))) ? stored : undefined;
    } catch {
      // What cannot be read is made anew.
      return undefined;
    }
  }

  async function add(image: string, archive: Readable): Promise<StoredImage> {
    await mkdir(blobs, { recursive: true });
    const scratch = join(folder, `scratch-${randomBytes(4).toString("hex")}`);
    await mkdir(scratch);
    try {
      await unpack(archive, scratch);
      const manifest = await imageManifest(scratch);
      const layers = [];
      for (const layer of manifest.layers) layers.push(await keepLayer(scratch, layer));
      await keepBlob(scratch, manifest.config.digest);
      const text = JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifest,
        config: { ...manifest.config, mediaType: "application/vnd.oci.image.config.v1+json" },
        layers,
      });
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      await writeFileAtomically(blobPath(digest), text);
      const bytes = [manifest.config, ...layers].reduce((sum, { size }) => sum + size, 0);
      const stored: StoredImage = { digest, bytes };
      await writeFileAtomically(recordPath(image), `${JSON.stringify(stored)}\n`);
      return stored;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Digests of all that an image is made of. @throws Error when its manifest cannot be read */
  async function blobsOf({ digest }: StoredImage): Promise<string[]> {
    const { config, layers } = JSON.parse(await readFile(blobPath(digest), "utf8")) as Manifest;
    return [digest, config.digest, ...layers.map((layer) => layer.digest)];
  }

  async function prune(
    wanted: ReadonlySet<string>,
    unused: number,
    abandoned: number,
  ): Promise<PrunedImages> {
    const isWanted = new Set([...wanted].map(recordPath));
    let images = 0;
    const needed = new Set<string>();
    for (const record of await entriesOf(records, /\.json$/)) {
      if (!isWanted.has(record) && (await removeUnused(record, unused))) {
        images += 1;
        continue;
      }
      const stored = JSON.parse(await readFile(record, "utf8").catch(() => "null")) as StoredImage | null;
      // One whose manifest is gone is made anew when it is asked for.
      const digests = stored ? await blobsOf(stored).catch(() => []) : [];
      for (const digest of digests) needed.add(blobPath(digest));
    }
    let bytes = 0;
    for (const blob of await entriesOf(blobs, /^[0-9a-f]{64}$/)) {
      const { mtimeMs, size } = await stat(blob);
      if (needed.has(blob) || mtimeMs >= abandoned) continue;
      await rm(blob, { force: true });
      bytes += size;
    }
    for (const known of await entriesOf(join(folder, "layers"), /\.json$/)) {
      const { digest } = JSON.parse(await readFile(known, "utf8")) as Descriptor;
      if (!existsSync(blobPath(digest))) await rm(known, { force: true });
    }
    for (const left of await entriesOf(folder, /^scratch-/)) await removeUnused(left, abandoned);
    return { images, bytes };
  }

  /** Writes the archive's blobs; a layer that is in the store already is passed over. */
  async function unpack(archive: Readable, scratch: string): Promise<void> {
    const tar = extract();
    await Promise.all([pipeline(archive, tar), write()]);

    async function write(): Promise<void> {
      for await (const entry of tar) {
        const { name, type } = entry.header;
        const blob = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
        const wanted =
          type === "file" && (name === "index.json" || (blob !== undefined && !existsSync(knownLayer(blob))));
        if (wanted) await pipeline(entry, createWriteStream(join(scratch, blob ?? name)));
        else entry.resume();
      }
    }
  }

  async function imageManifest(scratch: string): Promise<Manifest> {
    let text = await readFile(join(scratch, "index.json"), "utf8");
    for (let depth = 0; depth < 4; depth += 1) {
      const value = JSON.parse(text) as { manifests?: Descriptor[] } & Manifest;
      if (value.layers) return value;
      const next = (value.manifests ?? []).find(isForServers);
      if (!next) break;
      text = await readFile(join(scratch, hexOf(next.digest)), "utf8");
    }
    throw new Error("the saved archive names no image for linux/amd64; Docker Engine 25 or newer is needed");
  }

  /** An uncompressed layer is compressed once and found again by its digest. */
  async function keepLayer(scratch: string, layer: Descriptor): Promise<Descriptor> {
    if (!/\.tar$/.test(layer.mediaType)) {
      await keepBlob(scratch, layer.digest);
      return { mediaType: layer.mediaType, digest: layer.digest, size: layer.size };
    }
    const known = knownLayer(hexOf(layer.digest));
    if (existsSync(known)) {
      const descriptor = JSON.parse(await readFile(known, "utf8")) as Descriptor;
      if (existsSync(blobPath(descriptor.digest))) return descriptor;
      await rm(known);
      throw new Error(`the blob of layer ${layer.digest} is gone from ${folder}; run again`);
    }
    const source = join(scratch, hexOf(layer.digest));
    const target = `${source}.zst`;
    const hash = createHash("sha256");
    const tee = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
    await pipeline(createReadStream(source), zstd, tee, createWriteStream(target));
    const descriptor: Descriptor = {
      mediaType: zstdLayer,
      digest: `sha256:${hash.digest("hex")}`,
      size: (await stat(target)).size,
    };
    await rename(target, blobPath(descriptor.digest));
    await writeFileAtomically(known, JSON.stringify(descriptor));
    return descriptor;
  }

  async function keepBlob(scratch: string, digest: string): Promise<void> {
    if (!existsSync(blobPath(digest))) await rename(join(scratch, hexOf(digest)), blobPath(digest));
  }

  /** Record of an uncompressed layer that is kept compressed. */
  function knownLayer(hex: string): string {
    return join(folder, "layers", `${hex}.json`);
  }
}

/** Servers are linux/amd64, whatever this machine is. */
function isForServers({ platform, mediaType, annotations }: Descriptor): boolean {
  if (annotations?.["vnd.docker.reference.type"] === "attestation-manifest") return false;
  if (![ociIndex, ociManifest, dockerManifest].includes(mediaType)) return false;
  return platform === undefined || (platform.os === "linux" && platform.architecture === "amd64");
}

async function entriesOf(folder: string, name: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((each) => name.test(each)).map((each) => join(folder, each));
}

function hexOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (!hex) throw new Error(`not a sha256 digest: ${digest}`);
  return hex;
}
