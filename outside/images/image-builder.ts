/** @module Builds and fetches a release's images on this machine, once, by content. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { FleetError } from "../../core/errors.ts";
import { transferSeconds } from "../../core/limits.ts";
import type { Images, ReleaseStore, StoredImage } from "../../core/ports.ts";
import type { Release, ReleaseService } from "../../core/release/release.ts";
import { below } from "../../core/release/tree.ts";
import { withFileLock } from "../file-lock.ts";
import { copyTree, readTree } from "../file-tree.ts";
import { openImageEndpoint } from "./image-endpoint.ts";
import { type ImageStore, imageStore, type PrunedImages } from "./image-store.ts";

/** See the store's; nothing is removed while another process makes an image. @throws FleetError `LOCK_TAKEN` */
export function pruneImages(
  cache: string,
  ...[wanted, unused, abandoned]: Parameters<ImageStore["prune"]>
): Promise<PrunedImages> {
  const folder = join(cache, "images");
  return withFileLock(join(folder, "build"), () => imageStore(folder).prune(wanted, unused, abandoned), 0);
}

/** `cache`: where images are kept; `releases`: whose suite is built. */
export function imageBuilder(cache: string, releases: Pick<ReleaseStore, "path">): Images {
  const folder = join(cache, "images");
  const store = imageStore(folder);
  return { provide, expose: (images) => openImageEndpoint(store, images) };

  async function provide(
    release: Release,
    service: string,
    onProgress: (line: string) => void,
  ): Promise<StoredImage> {
    const described = release.services[service];
    if (!described) throw new RangeError(`release ${release.id} has no service ${service}`);
    const { image } = described;
    try {
      return (await store.find(image)) ?? (await withFileLock(join(folder, "build"), make));
    } catch (error) {
      if (error instanceof FleetError) throw error;
      throw new FleetError("IMAGE_NOT_KEPT", { image, folder, cause: (error as Error).message });
    }

    async function make(): Promise<StoredImage> {
      const stored = await store.find(image);
      if (stored) return stored;
      await requireEngine();
      const began = Date.now();
      if (described?.build)
        await build(join(releases.path(release.id), "suite"), service, image, described.build);
      else await pull(image, described?.reference ?? "");
      const saved = await save(image);
      onProgress(`${service}: ${described?.origin} in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      return saved;
    }
  }

  async function build(
    suite: string,
    service: string,
    image: string,
    { context, dockerfile, target, args, inputs }: NonNullable<ReleaseService["build"]>,
  ): Promise<void> {
    const staged = await mkdtemp(join(tmpdir(), "geoclic-build-"));
    try {
      const entries = await readTree(suite);
      await copyTree(
        suite,
        entries.filter((entry) => inputs.some((path) => below([entry], path).length > 0)),
        staged,
      );
      const result = await docker([
        "buildx",
        "build",
        "--load",
        "--progress=plain",
        "--provenance=false",
        `--tag=${image}`,
        `--file=${join(staged, dockerfile)}`,
        ...(target === undefined ? [] : [`--target=${target}`]),
        ...Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`),
        join(staged, context),
      ]);
      if (result.exitCode !== 0)
        throw new FleetError("IMAGE_BUILD_FAILED", { service, cause: buildError(result.stderr) });
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  }

  async function pull(image: string, reference: string): Promise<void> {
    const pulled = await docker(["pull", "--quiet", reference]);
    if (pulled.exitCode !== 0)
      throw new FleetError("IMAGE_PULL_FAILED", {
        image: reference,
        cause: pulled.stderr.trim().slice(-300),
      });
    await docker(["tag", reference, image]);
  }

  async function save(image: string): Promise<StoredImage> {
    const child = execa("docker", ["save", image], {
      buffer: { stdout: false },
      reject: false,
      stdin: "ignore",
    });
    if (!child.stdout) throw new Error("docker save gave no output");
    const stored = await store.add(image, child.stdout).catch((error: unknown) => error);
    const end = await child;
    if (end.exitCode !== 0)
      throw new FleetError("IMAGE_PULL_FAILED", { image, cause: String(end.stderr).trim().slice(-300) });
    if (stored instanceof Error) throw stored;
    return stored as StoredImage;
  }
}

async function requireEngine(): Promise<void> {
  const version = await docker(["version", "--format", "{{.Server.Version}}"]);
  if (version.exitCode !== 0)
    throw new FleetError("DOCKER_UNREACHABLE", { cause: version.stderr.trim().slice(-300) });
}

async function docker(words: readonly string[]): Promise<{ exitCode: number; stderr: string }> {
  const result = await execa("docker", words, {
    reject: false,
    stdin: "ignore",
    timeout: transferSeconds * 1000,
  });
  return {
    exitCode: result.exitCode ?? 127,
    stderr: String(result.stderr ?? "") || result.shortMessage || "",
  };
}

/** What a failed build said: the lines of its error, at most ten. */
function buildError(log: string): string {
  const lines = log.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => /error|ERR!|failed/i.test(line));
  return (errors.length > 0 ? errors : lines.filter(Boolean)).slice(-10).join(" | ").slice(-1500);
}
