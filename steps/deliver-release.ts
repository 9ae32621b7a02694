/** @module Brings a release to a server: its tree by rsync, then the layers of its images that are missing there. */

import { completeRelease, keepRelease, replaceRelease } from "../core/commands/rsync.ts";
import { type Command, serverCommand } from "../core/commands/shell.ts";
import { FleetError } from "../core/errors.ts";
import { activationSeconds, transferSeconds } from "../core/limits.ts";
import { isReleaseId, serverPaths } from "../core/naming.ts";
import type { Ssh, StepContext, StoredImage } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import { type StepInput, sshTarget } from "../core/step/table.ts";

const step = "delivery";
const attempts = 3;
const parallelPulls = 3;

/** @throws FleetError of the connection, the build, the pull, or `RELEASE_UNKNOWN` */
export async function deliverRelease(context: StepContext, input: StepInput<"delivery">): Promise<void> {
  try {
    await deliver(context, input);
  } catch (error) {
    throw error instanceof FleetError ? error.at({ client: input.client, step }) : error;
  }
}

async function deliver(context: StepContext, input: StepInput<"delivery">): Promise<void> {
  const { releases } = context;
  const release = await releases.read(input.release);
  if (!release)
    throw new FleetError("RELEASE_UNKNOWN", {
      release: input.release,
      store: releases.folder,
      present: "not read",
    });
  const ssh = await context.openSsh(sshTarget(input));
  await deliverTree(context, ssh, release);
  if (input.build === "client")
    await ssh.run(step, serverCommand("build", "--client", input.client, "--release", release.id), {
      timeoutSeconds: activationSeconds,
      onLine: context.report,
    });
  else await deliverImages(context, ssh, release);
}

async function deliverTree(context: StepContext, ssh: Ssh, release: Release): Promise<void> {
  // Before it is looked for: what is found after this stays.
  await ssh.run(step, keepRelease(release.id));
  const present = await presentReleases(ssh);
  const isThere = present.includes(release.id);
  if (isThere && !context.isRepair) {
    context.report(`tree of ${release.id} is there`);
    return;
  }
  try {
    const stats = await ssh.sendRelease(step, {
      source: context.releases.path(release.id),
      release: release.id,
      linkTo: isThere ? [release.id] : await runningFirst(ssh, present),
    });
    await ssh.run(step, isThere ? replaceRelease(release.id) : completeRelease(release.id));
    context.report(`tree: ${stats.transferred} of ${stats.files} files, ${stats.bytesSent} bytes`);
  } catch (error) {
    // The step of a run that was killed may live on and have completed it meanwhile.
    const isRefused = error instanceof FleetError && ["RSYNC_FAILED", "SSH_FAILED"].includes(error.code);
    if (isThere || !isRefused || !(await presentReleases(ssh)).includes(release.id)) throw error;
    context.report(`tree of ${release.id} was completed by another run`);
  }
}

async function presentReleases(ssh: Ssh): Promise<string[]> {
  const { stdout } = await ssh.run(step, ["ls", "-1", serverPaths.releases]);
  return stdout.split("\n").filter((name) => isReleaseId(name));
}

/** rsync looks at a limited number of them: the running release is the one most alike. */
async function runningFirst(ssh: Ssh, present: readonly string[]): Promise<string[]> {
  if (present.length < 2) return [...present];
  const { stdout } = await ssh.run(step, ["readlink", serverPaths.current], { statuses: [0, 1] });
  const running = stdout.trim().split("/").at(-1) ?? "";
  return present.toSorted((a, b) => Number(b === running) - Number(a === running));
}

async function deliverImages(context: StepContext, ssh: Ssh, release: Release): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const missing = await missingServices(ssh, release);
    if (missing.length === 0) return;
    try {
      await pullImages(context, ssh, release, missing);
      context.report(`images: ${missing.join(", ")}`);
      return;
    } catch (error) {
      if (attempt === attempts || !mayPass(error)) throw error;
      context.report(`images: cut (${(error as Error).message}), attempt ${attempt + 1} of ${attempts}`);
      await context.sleep(attempt * 2000);
    }
  }
}

/** A cut line may be whole again; a build or a refusal will not change by itself. */
function mayPass(error: unknown): boolean {
  return (
    error instanceof FleetError &&
    ["SSH_UNREACHABLE", "SSH_TIMEOUT", "SSH_FAILED", "IMAGE_PULL_FAILED"].includes(error.code)
  );
}

async function missingServices(ssh: Ssh, release: Release): Promise<string[]> {
  const list: Command = ["sudo", "-n", "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"];
  const { stdout } = await ssh.run(step, list);
  const present = new Set(stdout.split("\n"));
  return Object.entries(release.services)
    .filter(([, { image }]) => !present.has(image))
    .map(([service]) => service);
}

async function pullImages(
  context: StepContext,
  ssh: Ssh,
  release: Release,
  services: readonly string[],
): Promise<void> {
  const images = new Map<string, StoredImage>();
  for (const service of services) {
    const image = await context.images.provide(release, service, context.report);
    images.set(repositoryOf(release, service), image);
  }
  const endpoint = await context.images.expose(images);
  try {
    const forward = await ssh.forward(step, endpoint.port);
    try {
      await pullAll(ssh, release, services, `127.0.0.1:${forward.remotePort}`, images);
      context.report(`images: ${endpoint.bytesSent()} bytes`);
    } finally {
      await forward.close();
    }
  } finally {
    await endpoint.close();
  }
}

async function pullAll(
  ssh: Ssh,
  release: Release,
  services: readonly string[],
  registry: string,
  images: ReadonlyMap<string, StoredImage>,
): Promise<void> {
  const queue = [...services];
  const worker = async () => {
    for (let service = queue.shift(); service !== undefined; service = queue.shift())
      await pullImage(ssh, release, service, registry, images);
  };
  // Every worker ends before the way to the registry is closed, the failed one's fellows too.
  const ends = await Promise.allSettled(Array.from({ length: parallelPulls }, worker));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
}

async function pullImage(
  ssh: Ssh,
  release: Release,
  service: string,
  registry: string,
  images: ReadonlyMap<string, StoredImage>,
): Promise<void> {
  const repository = repositoryOf(release, service);
  const reference = `${registry}/${repository}@${images.get(repository)?.digest}`;
  const image = release.services[service]?.image ?? repository;
  const docker = (...words: string[]): Command => ["sudo", "-n", "docker", ...words];
  await ssh
    .run(step, docker("pull", "--quiet", reference), { timeoutSeconds: transferSeconds })
    .catch((error: unknown) => {
      if (error instanceof FleetError && error.code === "SSH_FAILED")
        throw new FleetError("IMAGE_PULL_FAILED", { image, cause: String(error.values.cause) }, error.place);
      throw error;
    });
  await ssh.run(step, docker("tag", reference, image));
  await ssh.run(step, docker("image", "rm", "--no-prune", reference));
}

function repositoryOf(release: Release, service: string): string {
  return (release.services[service]?.image ?? "").split(":")[0] ?? "";
}
