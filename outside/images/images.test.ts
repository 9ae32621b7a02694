/** What `docker save` writes is kept by digest and shown read-only. Not proven here: Docker itself (see test/lab). */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { zstdDecompressSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
  ["PATCH", "/v2/geoclic/api/blobs/uploads/x", 405],
  ["GET", "/v2/../../etc/passwd", 404],
  ["GET", "/v2/geoclic/../geoclic/other/manifests/DIGEST", 404],
  ["GET", "/v2/geoclic/api/blobs/sha256:../../../../etc/passwd", 404],
  ["GET", "/v2/geoclic/api/manifests/DIGEST?x=1", 404],
  ["GET", "/v2/geoclic/api/manifests/DIGEST/", 404],
  ["GET", "/", 404],
])("%s %s is %i", async (method, path, status) => {
  // By hand: fetch would make the path proper before it is sent.
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      port: endpoint.port,
      host: "127.0.0.1",
      method,
      path: path.replace("DIGEST", image.digest),
    };
    request(options, resolve).on("error", reject).end();
  });
  answer.resume();
  expect(answer.statusCode).toBe(status);
});

/** An archive of given blobs and index, as `docker save` could write it. */
function archive(blobs: readonly Buffer[], index: unknown): Readable {
  const tar = pack();
  for (const content of blobs) tar.entry({ name: blob(content) }, content);
  tar.entry({ name: "index.json" }, JSON.stringify(index));
  tar.finalize();
  return Readable.from(tar);
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const describeBlob = (content: Buffer, mediaType: string) => ({
  mediaType,
  digest: sha(content),
  size: content.length,
});

function manifestOf(layers: readonly { content: Buffer; mediaType: string }[], of = config): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: describeBlob(of, "application/vnd.oci.image.config.v1+json"),
      layers: layers.map(({ content, mediaType }) => describeBlob(content, mediaType)),
    }),
  );
}

describe("an archive", () => {
  let own: string;
  let mine: ImageStore;

  beforeEach(async () => {
    own = await mkdtemp(join(tmpdir(), "geoclic-images-"));
    mine = imageStore(own);
  });

  afterEach(async () => {
    await rm(own, { recursive: true, force: true });
  });

  const plainLayer = { content: layer, mediaType: "application/vnd.oci.image.layer.v1.tar" };
  const shown = async (of: StoredImage) =>
    JSON.parse(await readFile(mine.blobPath(of.digest), "utf8")) as Shown;

  test("of several platforms gives the servers' own, not its attestation", async () => {
    const wanted = manifestOf([plainLayer]);
    const nested = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            ...describeBlob(Buffer.from("arm"), manifestType),
            platform: { os: "linux", architecture: "arm64" },
          },
          {
            ...describeBlob(Buffer.from("attestation"), manifestType),
            platform: { os: "unknown", architecture: "unknown" },
            annotations: { "vnd.docker.reference.type": "attestation-manifest" },
          },
          { ...describeBlob(wanted, manifestType), platform: { os: "linux", architecture: "amd64" } },
        ],
      }),
    );
    const index = { manifests: [describeBlob(nested, "application/vnd.oci.image.index.v1+json")] };
    const stored = await mine.add("x:1", archive([layer, config, nested, wanted], index));
    expect((await shown(stored)).config.digest).toBe(sha(config));
  });

  test("of another platform only fails, and leaves nothing", async () => {
    const arm = manifestOf([plainLayer]);
    const index = {
      manifests: [{ ...describeBlob(arm, manifestType), platform: { os: "linux", architecture: "arm64" } }],
    };
    await expect(mine.add("x:1", archive([layer, config, arm], index))).rejects.toThrow(
      "no image for linux/amd64",
    );
    expect(await mine.find("x:1")).toBeUndefined();
    expect(await readdir(own)).toEqual(["blobs"]);
  });

  test("with a compressed layer keeps it as it is", async () => {
    const gzip = { content: Buffer.from("gzip"), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
    const manifest = manifestOf([gzip]);
    const index = { manifests: [describeBlob(manifest, manifestType)] };
    const stored = await mine.add("x:1", archive([gzip.content, config, manifest], index));
    expect((await shown(stored)).layers).toEqual([describeBlob(gzip.content, gzip.mediaType)]);
    expect(stored.bytes).toBe(gzip.content.length + config.length);
  });

  test("shares a layer with another image, and needs its bytes once", async () => {
    const first = await mine.add("x:1", saved());
    const other = Buffer.from('{"os":"linux","other":1}');
    const manifest = manifestOf([plainLayer], other);
    const index = { manifests: [describeBlob(manifest, manifestType)] };
    const second = await mine.add("y:1", archive([other, manifest], index));
    expect(second.digest).not.toBe(first.digest);
    expect((await shown(second)).layers).toEqual((await shown(first)).layers);
  });

  test("is not found when one of its blobs is gone, and is mended by adding it again", async () => {
    const stored = await mine.add("x:1", saved());
    const [kept] = (await shown(stored)).layers;
    await rm(mine.blobPath(String(kept?.digest)));
    expect(await mine.find("x:1")).toBeUndefined();
    await expect(mine.add("x:1", saved())).rejects.toThrow("run again");
    expect(await mine.add("x:1", saved())).toEqual(stored);
    expect(await mine.find("x:1")).toEqual(stored);
  });

  test.each([
    ["that was cut", (bytes: Buffer) => bytes.subarray(0, 700)],
    ["without anything", () => Buffer.alloc(0)],
    ["that is no tar", () => Buffer.from("Error response from daemon".repeat(100))],
  ])("%s fails, and leaves no image", async (_, change) => {
    const whole = Buffer.concat(await saved().toArray());
    await expect(mine.add("x:1", Readable.from([change(whole)]))).rejects.toThrow();
    expect(await mine.find("x:1")).toBeUndefined();
    expect((await readdir(own)).filter((name) => name.startsWith("scratch"))).toEqual([]);
  });
});

test("the endpoint counts what it sent, and is gone when it is closed", async () => {
  const one = await openImageEndpoint(store, new Map([["geoclic/api", image]]));
  expect(one.bytesSent()).toBe(0);
  const answer = await fetch(`http://127.0.0.1:${one.port}/v2/geoclic/api/manifests/${image.digest}`);
  expect(one.bytesSent()).toBe((await answer.text()).length);
  await one.close();
  await expect(fetch(`http://127.0.0.1:${one.port}/v2/`)).rejects.toThrow();
});

test("an endpoint of an image that the store lacks fails at once", async () => {
  const lost = { digest: `sha256:${"0".repeat(64)}`, bytes: 1 };
  await expect(openImageEndpoint(store, new Map([["x", lost]]))).rejects.toThrow("ENOENT");
});
