/**
 * @module A read-only registry on this machine's loopback that shows some images by digest, and nothing else.
 * Speaks the pulling half of the OCI Distribution Specification 1.1; there is no way to write.
 */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { ImageEndpoint, StoredImage } from "../../core/ports.ts";
import type { ImageStore } from "./image-store.ts";

/** `images`: what is shown, by repository, e.g. `geoclic/api`. */
export async function openImageEndpoint(
  store: ImageStore,
  images: ReadonlyMap<string, StoredImage>,
): Promise<ImageEndpoint> {
  const allowed = new Map<string, Set<string>>();
  for (const [repository, { digest }] of images) {
    const manifest = JSON.parse(await readFile(store.blobPath(digest), "utf8")) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    allowed.set(
      repository,
      new Set([manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)]),
    );
  }
  let sent = 0;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    bytesSent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = "" } = request;
    if (method !== "GET" && method !== "HEAD") return refuse(response, 405, "UNSUPPORTED");
    if (url === "/v2/" || url === "/v2") return void response.writeHead(200).end();
    const match = /^\/v2\/([a-z0-9._/-]+)\/(manifests|blobs)\/(sha256:[0-9a-f]{64})$/.exec(url);
    const [, repository = "", kind, digest = ""] = match ?? [];
    const shown =
      kind === "manifests"
        ? images.get(repository)?.digest === digest
        : kind === "blobs" && allowed.get(repository)?.has(digest);
    if (!shown) return refuse(response, 404, kind === "blobs" ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN");
    const path = store.blobPath(digest);
    const { size } = await stat(path);
    const start = rangeStart(request.headers.range, size);
    response.writeHead(start === 0 ? 200 : 206, {
      "content-type":
        kind === "manifests" ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream",
      "content-length": size - start,
      "docker-content-digest": digest,
      "accept-ranges": "bytes",
      ...(start === 0 ? {} : { "content-range": `bytes ${start}-${size - 1}/${size}` }),
    });
    if (method === "HEAD") return void response.end();
    const stream = createReadStream(path, { start });
    stream.on("data", (chunk) => {
      sent += chunk.length;
    });
    await pipeline(stream, response);
  }
}

/** Docker resumes a layer that was cut with `bytes=N-`. */
function rangeStart(header: string | undefined, size: number): number {
  const start = Number(/^bytes=(\d+)-$/.exec(header ?? "")?.[1] ?? 0);
  return start < size ? start : 0;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message: "this endpoint only shows one release" }] }));
}
