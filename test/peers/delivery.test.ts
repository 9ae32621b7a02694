/**
 * A release travels over real OpenSSH, by real rsync, and its images through a real reverse forward from the real
 * endpoint. Not proven here: Docker, which is a script that pulls and checks digests; sudo, which is one that lets pass.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openImageEndpoint } from "../../outside/images/image-endpoint.ts";
import { type ImageStore, imageStore } from "../../outside/images/image-store.ts";
import { releaseStore } from "../../outside/release-store.ts";
import { openSsh } from "../../outside/ssh.ts";
import { archiveFolder } from "../../outside/tar.ts";
import type { FleetError } from "../../core/errors.ts";
import type { Images, StepContext } from "../../core/ports.ts";
import type { Release } from "../../core/release/release.ts";
import { deliverRelease } from "../../steps/deliver-release.ts";
import { prepareServer } from "../../steps/prepare-server.ts";
import { fakeContext } from "../helpers/fake-context.ts";
import { type ImitatedServer, imitateServer } from "../helpers/imitations.ts";
import { type SshServer, startSshServer } from "../helpers/ssh-server.ts";

let folder: string;
let server: SshServer;
let town: ImitatedServer;
let store: ImageStore;
let provided: string[];

const release = (id: string) =>
  ({
    format: 1,
    id,
    services: Object.fromEntries(
      ["api", "admin"].map((name) => [name, { image: `geoclic/${name}:aaaaaaaaaaaa`, origin: "built" }]),
    ),
  }) as unknown as Release;
const [first, second] = [release("111111111111"), release("222222222222")];
const input = (of: Release) => ({
  client: "ville",
  host: server.target.host,
  port: server.target.port,
  sshUser: "root",
  hostKey: server.target.hostKey,
  release: of.id,
  build: "operator" as const,
});

/** What no compression makes small. */
const noise = randomBytes(200_000);

function saved(content: string): Readable {
  const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  const entry = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: `sha256:${sha(bytes)}`,
    size: bytes.length,
  });
  const layer = Buffer.concat([Buffer.from(content), noise]);
  const config = Buffer.from(JSON.stringify({ of: content }));
  const manifest = Buffer.from(
    JSON.stringify({
      config: entry(config, "application/vnd.oci.image.config.v1+json"),
      layers: [entry(layer, "application/vnd.oci.image.layer.v1.tar")],
    }),
  );
  const index = { manifests: [entry(manifest, "application/vnd.oci.image.manifest.v1+json")] };
  const tar = pack();
  for (const blob of [layer, config, manifest]) tar.entry({ name: `blobs/sha256/${sha(blob)}` }, blob);
  tar.entry({ name: "index.json" }, JSON.stringify(index));
  tar.finalize();
  return Readable.from(tar);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-delivery-"));
  server = await startSshServer();
  store = imageStore(join(folder, "images"));
  provided = [];
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Images behind a line that breaks in the middle of a layer, so many times. */
async function cutting(times: number) {
  let done = 0;
  const expose: Images["expose"] = async (images) => {
    const endpoint = await openImageEndpoint(store, images);
    const line = createServer((client) => {
      const registry = connect(endpoint.port, "127.0.0.1");
      let passed = 0;
      client.on("error", () => registry.destroy()).on("close", () => registry.destroy());
      registry.on("error", () => client.destroy()).on("close", () => client.destroy());
      client.on("data", (data) => void registry.write(data));
      registry.on("data", (data) => {
        passed += data.length;
        // Manifests and configurations are smaller.
        if (passed < 20_000 || done >= times) return void client.write(data);
        done += 1;
        client.destroy();
      });
    });
    await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
    return {
      ...endpoint,
      port: (line.address() as { port: number }).port,
      close: async () => {
        line.close();
        await endpoint.close();
      },
    };
  };
  return { images: { expose }, done: () => done };
}

async function context(images: Partial<Images> = {}): Promise<StepContext & { reported: string[] }> {
  const releases = releaseStore(join(folder, "state"));
  for (const [each, text] of [
    [first, "one"],
    [second, "two"],
  ] as const)
    await releases.keep(each, "services: {}", async (target) => {
      await mkdir(join(target, "suite/a b"), { recursive: true });
      await writeFile(join(target, "suite/same"), "the same\n".repeat(1000));
      await writeFile(join(target, "suite/a b/it's"), text, { mode: 0o755 });
    });
  return {
    ...fakeContext(),
    openSsh: (target) => openSsh(target, server.env),
    releases,
    images: {
      provide: async (_release, service) => {
        provided.push(service);
        const image = `geoclic/${service}:aaaaaaaaaaaa`;
        return (await store.find(image)) ?? store.add(image, saved(service));
      },
      expose: (shown) => openImageEndpoint(store, shown),
      ...images,
    },
    archive: archiveFolder,
  };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error("it succeeded, expected a failure");
    },
    (error: FleetError) => error,
  );
const path = (...parts: string[]) => join(town.root, "releases", ...parts);

describe("a delivery", () => {
  test("brings tree and images; the next release shares what is the same, and sends no image", async () => {
    town = await imitateServer(server.bin);
    const world = await context();
    await deliverRelease(world, input(first));
    expect(await readdir(path())).toEqual([first.id]);
    expect(await readFile(path(first.id, "suite/a b/it's"), "utf8")).toBe("one");
    expect((await stat(path(first.id, "suite/a b/it's"))).mode & 0o777).toBe(0o755);
    expect((await town.images()).sort()).toEqual(["geoclic/admin:aaaaaaaaaaaa", "geoclic/api:aaaaaaaaaaaa"]);

    await deliverRelease(world, input(second));
    const inode = async (...parts: string[]) => (await stat(path(...parts))).ino;
    expect(await inode(second.id, "suite/same")).toBe(await inode(first.id, "suite/same"));
    expect(await readFile(path(second.id, "suite/a b/it's"), "utf8")).toBe("two");
    expect(await readFile(path(first.id, "suite/a b/it's"), "utf8")).toBe("one");
    expect(provided.sort()).toEqual(["admin", "api"]);
  });

  test("goes on after the line is cut in the middle of a pull, and builds nothing again", async () => {
    const marker = join(folder, "pulling");
    town = await imitateServer(server.bin, `if [ ! -e ${marker} ]; then touch ${marker}; sleep 60; fi`);
    const delivered = deliverRelease(await context(), input(first));
    await expect.poll(() => readFile(marker).catch(() => undefined), { timeout: 20_000 }).toBeDefined();
    await server.cut();
    await delivered;
    expect((await town.images()).sort()).toEqual(["geoclic/admin:aaaaaaaaaaaa", "geoclic/api:aaaaaaaaaaaa"]);
    expect(await readdir(join(folder, "images/images"))).toHaveLength(2);
  });

  test("goes on after the registry is cut in the middle of a layer, and sends only what lacks", async () => {
    town = await imitateServer(server.bin);
    const cuts = await cutting(1);
    const world = await context(cuts.images);
    await deliverRelease(world, input(first));
    expect(cuts.done()).toBe(1);
    expect((await town.images()).sort()).toEqual(["geoclic/admin:aaaaaaaaaaaa", "geoclic/api:aaaaaaaaaaaa"]);
    expect(world.reported.join("\n")).toMatch(/images: cut \(.*IMAGE_PULL_FAILED.*attempt 2 of 3/);
  });

  test("fails when every layer is cut, names the image, leaves nothing half there; the next run continues", async () => {
    town = await imitateServer(server.bin);
    const cuts = await cutting(Number.POSITIVE_INFINITY);
    const error = await failure(deliverRelease(await context(cuts.images), input(first)));
    expect(error.message).toMatch(
      /^ville · delivery: image geoclic\/(api|admin):aaaaaaaaaaaa could not be had: .*IMAGE_PULL_FAILED\)\. Next: check the network/,
    );
    expect(await town.images()).toEqual([]);
    expect(await readdir(path())).toEqual([first.id]);
    const built = provided.length;
    await deliverRelease(await context(), input(first));
    expect(await town.images()).toHaveLength(2);
    expect(provided.length).toBe(built + 2);
    expect(await readdir(join(folder, "images/images"))).toHaveLength(2);
  });

  test("fails where the server forwards nothing, and names the cause", async () => {
    await server.stop();
    server = await startSshServer(["AllowTcpForwarding no"]);
    town = await imitateServer(server.bin);
    const error = await failure(deliverRelease(await context(), input(first)));
    expect(error).toMatchObject({ code: "SSH_UNREACHABLE", place: { client: "ville", step: "delivery" } });
    expect(error.message).toContain("remote port forwarding failed");
    expect(await town.images()).toEqual([]);
  });

  test("fails when rsync cannot write, and no release is there", async () => {
    town = await imitateServer(server.bin);
    await town.program(
      "rsync",
      "echo 'rsync: [Receiver] mkdir failed: No space left on device (28)' >&2; exit 11",
    );
    const error = await failure(deliverRelease(await context(), input(first)));
    expect(error.code).toMatch(/^RSYNC_FAILED$/);
    expect(error.message).toContain("No space left on device");
    expect(await readdir(path())).toEqual([]);
  });

  test("to another host than the pinned one sends nothing at all", async () => {
    town = await imitateServer(server.bin);
    const other = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"B".repeat(43)}`;
    const error = await failure(deliverRelease(await context(), { ...input(first), hostKey: other }));
    expect(error.code).toBe("HOST_KEY_CHANGED");
    expect(await readdir(path())).toEqual([]);
    expect(await server.log()).not.toContain("Accepted publickey");
  });
});

describe("the first contact", () => {
  const prepare = () => ({ ...input(first), scripts: "cccccccccccc" });

  test("fails on a server that has no sudo", async () => {
    await server.stop();
    server = await startSshServer([], []);
    await symlink("/bin/sh", join(server.bin, "sh"));
    const error = await failure(prepareServer(await context(), prepare()));
    expect(error.code).toBe("SUDO_MISSING");
    expect(error.values.cause).toMatch(/sudo: .*not found$/);
  });

  test("fails on a sudo that wants a password, on a server that speaks French too", async () => {
    town = await imitateServer(server.bin);
    const french = "sudo: il est nécessaire de saisir un mot de passe";
    await town.program(
      "sudo",
      `[ "$LC_ALL" = C ] && echo 'sudo: a password is required' >&2 || echo '${french}' >&2; exit 1`,
    );
    expect((await failure(prepareServer(await context(), prepare()))).code).toBe("SUDO_MISSING");
  });

  test("installs scripts by one rename, and again by another", async () => {
    town = await imitateServer(server.bin);
    await town.program(
      "cat",
      `[ "$1" = /etc/os-release ] && printf 'ID=debian\\nVERSION_ID="13"\\n' || exec /bin/cat "$@"`,
    );
    await town.program("df", "printf 'Filesystem\\nx 1 1 90000 1%% /\\n'");
    const scripts = join(folder, "scripts");
    await mkdir(scripts);
    await writeFile(join(scripts, "base"), "#!/bin/sh\n", { mode: 0o755 });
    const world = { ...(await context()), archive: () => archiveFolder(scripts) };
    await prepareServer(world, prepare());
    const installed = join(town.root, "server");
    expect(await readlink(installed)).toBe("server.d/cccccccccccc");
    expect((await stat(join(installed, "base"))).mode & 0o777).toBe(0o755);
    await prepareServer(world, { ...prepare(), scripts: "dddddddddddd" });
    expect(await readlink(installed)).toBe("server.d/dddddddddddd");
    expect((await readdir(join(town.root, "server.d"))).sort()).toEqual(["cccccccccccc", "dddddddddddd"]);
  });
});
