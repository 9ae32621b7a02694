/** What `docker save` writes is kept by digest and shown read-only. Not proven here: Docker itself (see test/lab). */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { zstdDecompressSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageEndpoint, StoredImage } from "../../core/ports.ts";
import { openImageEndpoint } from "./image-endpoint.ts";
import { type ImageStore, imageStore } from "./image-store.ts";

const layer = Buffer.from("a layer ".repeat(1000));
const config = Buffer.from('{"os":"linux"}');
const sha = (content: Buffer | string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const blob = (content: Buffer) => `blobs/sha256/${sha(content).slice(7)}`;

/** An archive as Docker Engine 26 writes it. */
function saved(): Readable {
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: sha(config),
        size: config.length,
      },
      layers: [
        { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: sha(layer), size: layer.length },
      ],
    }),
  );
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: sha(manifest),
        size: manifest.length,
      },
    ],
  });
  const tar = pack();
  tar.entry({ name: blob(layer) }, layer);
  tar.entry({ name: blob(config) }, config);
  tar.entry({ name: blob(manifest) }, manifest);
  tar.entry({ name: "index.json" }, index);
  tar.entry({ name: "../escape" }, "no");
  tar.finalize();
  return Readable.from(tar);
}

let folder: string;
let store: ImageStore;
let image: StoredImage;
let endpoint: ImageEndpoint;
let root: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-images-"));
  store = imageStore(folder);
  image = await store.add("geoclic/api:aaaaaaaaaaaa", saved());
  endpoint = await openImageEndpoint(store, new Map([["geoclic/api", image]]));
  root = `http://127.0.0.1:${endpoint.port}`;
});

afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

interface Shown {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

async function manifest(): Promise<{ shown: Shown; text: string }> {
  const answer = await fetch(`${root}/v2/geoclic/api/manifests/${image.digest}`);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  return { shown: JSON.parse(text) as Shown, text };
}

test("an image is found again, and is the same when it is added again", async () => {
  expect(await store.find("geoclic/api:aaaaaaaaaaaa")).toEqual(image);
  expect(await store.add("geoclic/api:bbbbbbbbbbbb", saved())).toEqual(image);
  expect(await store.find("geoclic/api:cccccccccccc")).toBeUndefined();
});

test("nothing but the store's own folders is written", async () => {
  expect((await readdir(folder)).sort()).toEqual(["blobs", "images", "layers"]);
});

test("every digest is the digest of what is served, and the layer is whole", async () => {
  const { shown, text } = await manifest();
  expect(sha(text)).toBe(image.digest);
  const [first] = shown.layers;
  const served = Buffer.from(
    await (await fetch(`${root}/v2/geoclic/api/blobs/${first?.digest}`)).arrayBuffer(),
  );
  expect(sha(served)).toBe(first?.digest);
  expect(served.length).toBe(first?.size);
  expect(zstdDecompressSync(served)).toEqual(layer);
});

test("a layer that was cut goes on from where it was", async () => {
  const { shown } = await manifest();
  const url = `${root}/v2/geoclic/api/blobs/${shown.layers[0]?.digest}`;
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
  const rest = await fetch(url, { headers: { range: "bytes=10-" } });
  expect(rest.status).toBe(206);
  expect(Buffer.from(await rest.arrayBuffer())).toEqual(whole.subarray(10));
});

test.each([
  ["GET", "/v2/", 200],
  ["HEAD", "/v2/geoclic/api/manifests/DIGEST", 200],
  ["GET", "/v2/geoclic/other/manifests/DIGEST", 404],
  ["GET", "/v2/geoclic/api/manifests/latest", 404],
  ["GET", `/v2/geoclic/api/blobs/sha256:${"0".repeat(64)}`, 404],
  ["GET", "/v2/geoclic/api/blobs/DIGEST", 404],
  ["GET", "/v2/_catalog", 404],
  ["GET", "/v2/geoclic/api/blobs/..%2f..%2f..%2fetc%2fpasswd", 404],
  ["POST", "/v2/geoclic/api/blobs/uploads/", 405],
  ["PUT", "/v2/geoclic/api/manifests/latest", 405],
  ["DELETE", "/v2/geoclic/api/manifests/DIGEST", 405],
])("%s %s is %i", async (method, path, status) => {
  const answer = await fetch(`${root}${path.replace("DIGEST", image.digest)}`, { method });
  expect(answer.status).toBe(status);
});
