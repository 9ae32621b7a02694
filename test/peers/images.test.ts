/**
 * Images are made by a Docker that fails in every way that it can; each failure names its image and the next build goes on.
 * Docker is a script here. Not proven: a real build (see test/lab).
 */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { imageBuilder } from "../../outside/images/image-builder.ts";
import { describe, FleetError } from "../../core/errors.ts";
import type { Release } from "../../core/release/release.ts";

let folder: string;

const release = {
  id: "bbbbbbbbbbbb",
  services: {
    api: {
      image: "geoclic/api:aaaaaaaaaaaa",
      origin: "built",
      build: { context: ".", dockerfile: "Dockerfile", args: {}, inputs: ["api", "Dockerfile"] },
    },
    db: { image: "geoclic/db:aaaaaaaaaaaa", origin: "pulled", reference: "postgis/postgis:15-3.3" },
  },
} as unknown as Release;

/** `docker save` of one small image, by a script without any engine. */
const save = `work=$(mktemp -d); cd "$work"; mkdir -p blobs/sha256
put() { sum=$(sha256sum "$1" | cut -d' ' -f1); mv "$1" "blobs/sha256/$sum"; }
echo layer > l; size=$(stat -c %s l); put l; layer=$sum; lsize=$size
echo '{"os":"linux"}' > c; size=$(stat -c %s c); put c; config=$sum; csize=$size
printf '{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' $config $csize $layer $lsize > m
size=$(stat -c %s m); put m
printf '{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s}]}' $sum $size > index.json
tar -cf - blobs/sha256/* index.json; rm -rf "$work"`;

/** A docker whose words are answered by shell text; what is not named succeeds. */
async function docker(
  answers: Partial<Record<"version" | "buildx" | "pull" | "save", string>>,
): Promise<void> {
  const cases = Object.entries({ save, ...answers }).map(([word, script]) => `${word}) ${script} ;;`);
  const file = join(folder, "bin/docker");
  await writeFile(file, `#!/bin/sh\ncase "$1" in\n${cases.join("\n")}\nesac\n`);
  await chmod(file, 0o755);
}

const builder = () => imageBuilder(join(folder, "cache"), { path: (id) => join(folder, "releases", id) });
const provide = (service: string) => builder().provide(release, service, () => {});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-images-"));
  const suite = join(folder, "releases/bbbbbbbbbbbb/suite");
  await mkdir(join(suite, "api"), { recursive: true });
  await writeFile(join(suite, "api/main.py"), "pass\n");
  await writeFile(join(suite, "Dockerfile"), "FROM scratch\n");
  await mkdir(join(folder, "bin"));
  vi.stubEnv("PATH", `${folder}/bin:${process.env.PATH}`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test.each<[string, string, Parameters<typeof docker>[0], string, RegExp]>([
  [
    "an engine that does not answer",
    "api",
    { version: "echo 'Cannot connect to the Docker daemon' >&2; exit 1" },
    "DOCKER_UNREACHABLE",
    /Cannot connect to the Docker daemon.*Next: start Docker/,
  ],
  [
    "a build that fails",
    "api",
    { buildx: "echo '#5 12.3 npm ERR! missing script: build' >&2; echo '#5 done' >&2; exit 1" },
    "IMAGE_BUILD_FAILED",
    /the image of api could not be built: #5 12\.3 npm ERR! missing script: build .*no server was touched/,
  ],
  [
    "a registry that refuses",
    "db",
    { pull: "echo 'Error response from daemon: toomanyrequests' >&2; exit 1" },
    "IMAGE_PULL_FAILED",
    /image postgis\/postgis:15-3\.3 could not be had: .*toomanyrequests/,
  ],
  [
    "an engine that ends in the middle of handing it over",
    "api",
    { save: "printf half; echo 'unexpected EOF' >&2; exit 1" },
    "IMAGE_PULL_FAILED",
    /geoclic\/api:aaaaaaaaaaaa could not be had: unexpected EOF/,
  ],
  [
    "an archive that is no image",
    "api",
    { save: "tar -cf - /dev/null 2>/dev/null" },
    "IMAGE_NOT_KEPT",
    /geoclic\/api:aaaaaaaaaaaa could not be kept in .*Next: look at the space/,
  ],
])("%s ends the step by one error; the next run makes the image", async (_, service, answers, code, message) => {
  await docker(answers);
  const error = await provide(service).catch((cause: unknown) => cause);
  if (!(error instanceof FleetError)) throw error;
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(describe(error, "fr")).toContain("À faire :");
  const left = await readdir(join(folder, "cache/images")).catch(() => []);
  expect(left.filter((name) => /scratch|lock/.test(name))).toEqual([]);

  await docker({});
  expect(await provide(service)).toMatchObject({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
});

test("a record that was cut is made anew, by the engine", async () => {
  await docker({});
  const image = await provide("api");
  await writeFile(join(folder, "cache/images/images/geoclic_api_aaaaaaaaaaaa.json"), '{"digest":');
  expect(await provide("api")).toEqual(image);
});
