/** What a release is made of, and what changes its id. Not proven here: what Compose makes of the rendered file. */
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { adapterYaml } from "../../test/helpers/adapter.ts";
import { parseAdapter } from "../config/adapter.ts";
import { plainEnvironment, renderEnvironment } from "../render/environment.ts";
import { makeRelease, type ReleaseSource, serviceKeys } from "./release.ts";
import type { TreeEntry } from "./tree.ts";

const compose = `
services:
  db:
    image: postgis/postgis:15-3.3
    container_name: geoclic_db
    environment: {POSTGRES_PASSWORD: "\${DB_PASSWORD:-weak}", POSTGRES_USER: "\${DB_USER:-geoclic}"}
    volumes: ["data:/var/lib/postgresql/data", "../db/init.sql:/docker-entrypoint-initdb.d/01.sql:ro"]
  api:
    build: {context: .., dockerfile: deploy/Dockerfile.api, args: {A: 1}}
    container_name: geoclic_api
    ports: ["8000:8000"]
    depends_on: {db: {condition: service_healthy}}
    environment: ["JWT_SECRET_KEY=\${JWT_SECRET_KEY-known}"]
    volumes: ["photos:/app/photos", "./logs:/app/logs"]
    healthcheck: {test: [CMD, curl, x]}
  admin:
    build: ../admin
    depends_on: [api]
  nginx:
    image: nginx:alpine
    ports: ["80:80", "443:443"]
    volumes: ["./nginx/conf.d:/etc/nginx/conf.d:ro", "./nginx/ssl:/etc/nginx/ssl:ro", "./www:/var/www:ro"]
volumes: {data: {}, photos: {}}
`;

function file(path: string, digest = path, executable = false): TreeEntry {
  return { kind: "file", path, digest, executable, bytes: 1 };
}

function source(change: Partial<ReleaseSource> = {}): ReleaseSource {
  return {
    adapter: parseAdapter(adapterYaml, "geoclic.yaml"),
    compose,
    suite: [
      file("api/main.py"),
      file("admin/Dockerfile"),
      file("admin/index.html"),
      file("deploy/Dockerfile.api"),
      file("deploy/nginx/conf.d/a.conf"),
      file("deploy/www/index.html"),
    ],
    sql: { files: {}, passedOver: [] },
    scripts: [file("activate")],
    hookScripts: { "hooks/a.py": "print(1)" },
    version: "1.0.0",
    imagesAsOf: "first",
    ...change,
  };
}

function changed(path: string, entry: TreeEntry): ReleaseSource {
  const base = source();
  return { ...base, suite: base.suite.map((each) => (each.path === path ? entry : each)) };
}

function linked(target: string): ReleaseSource {
  return { ...source(), suite: [...source().suite, { kind: "link", path: "l", target }] };
}

describe("the effective compose file", () => {
  const rendered = parseYaml(makeRelease(source()).compose) as {
    services: Record<string, Record<string, unknown>>;
  };
  const { db, api, admin, nginx } = rendered.services;

  test("has no fixed name, no dependency and no host port but the ingress's", () => {
    for (const service of Object.values(rendered.services)) {
      expect(service).not.toHaveProperty("container_name");
      expect(service).not.toHaveProperty("depends_on");
      expect(service).not.toHaveProperty("build");
      expect(service).toMatchObject({ pull_policy: "never", restart: "unless-stopped", init: true });
      expect(service.logging).toEqual({
        driver: "json-file",
        options: { "max-size": "10m", "max-file": "3" },
      });
    }
    expect(api).not.toHaveProperty("ports");
    expect(nginx?.ports).toEqual(["80:80", "443:443"]);
  });

  test("has no fall-back for a secret, and keeps others", () => {
    expect(db?.environment).toEqual({
      POSTGRES_PASSWORD: "${DB_PASSWORD:?is missing}",
      POSTGRES_USER: "${DB_USER:-geoclic}",
    });
    expect(api?.environment).toEqual(["JWT_SECRET_KEY=${JWT_SECRET_KEY:?is missing}"]);
  });

  test("mounts nothing of a release", () => {
    expect(db?.volumes).toEqual(["data:/var/lib/postgresql/data"]);
    expect(api?.volumes).toEqual(["photos:/app/photos", "/opt/geoclic/shared/logs/api:/app/logs"]);
    expect(admin).not.toHaveProperty("volumes");
    expect(nginx?.volumes).toEqual([
      expect.stringMatching(
        /^\/opt\/geoclic\/shared\/binds\/[0-9a-f]{12}\/conf\.d:\/etc\/nginx\/conf\.d:ro$/,
      ),
      "/opt/geoclic/shared/tls:/etc/nginx/ssl:ro",
      "/opt/geoclic/shared/static/www:/var/www:ro",
      "/opt/geoclic/shared/acme:/var/www/certbot:ro",
      "/opt/geoclic/shared/public:/var/www/fleet:ro",
    ]);
  });

  test("checks health as the adapter says, else as the base file does", () => {
    expect(db?.healthcheck).toMatchObject({ test: ["CMD", "check", "$$HOME"] });
    expect(api?.healthcheck).toMatchObject({ test: expect.arrayContaining(["http://127.0.0.1/health"]) });
    expect(admin).not.toHaveProperty("healthcheck");
  });

  test("names images by content", () => {
    expect(api?.image).toMatch(/^geoclic\/api:[0-9a-f]{12}$/);
  });
});

test("the release names what the server must place", () => {
  const { release } = makeRelease(source());
  expect(release.static).toEqual([
    {
      name: "www",
      source: "deploy/www",
      target: "/opt/geoclic/shared/static/www",
      mountPoints: ["certbot", "fleet"],
    },
  ]);
  expect(release.binds).toEqual([
    {
      hash: expect.stringMatching(/^[0-9a-f]{12}$/),
      source: "deploy/nginx/conf.d",
      target: expect.stringMatching(/conf\.d$/),
      files: { "fleet-release.conf": expect.stringContaining("/.well-known/geoclic-fleet/release") },
    },
  ]);
  expect(release.hooks.createAdmin).toEqual({ service: "api", argv: ["python", "-c", "print(1)"] });
  expect(release.services.api?.build).toEqual({
    context: ".",
    dockerfile: "deploy/Dockerfile.api",
    args: { A: "1" },
    inputs: ["api", "deploy/Dockerfile.api"],
  });
});

describe("the id", () => {
  const { id } = makeRelease(source()).release;

  test("is the same for the same content, in any order", () => {
    expect(makeRelease({ ...source(), suite: [...source().suite].reverse() }).release.id).toBe(id);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each<[string, ReleaseSource]>([
    ["a file's content", changed("api/main.py", file("api/main.py", "other"))],
    ["a file's executable bit", changed("api/main.py", file("api/main.py", "api/main.py", true))],
    ["a link", linked("a")],
    ["a new file", { ...source(), suite: [...source().suite, file("new")] }],
    ["a script of the server", source({ scripts: [file("activate", "other")] })],
    [
      "how a file of SQL is read",
      source({
        sql: { files: { "db/a.sql": { sha256: "a", mode: "transaction", statements: [] } }, passedOver: [] },
      }),
    ],
    ["a hook", source({ hookScripts: { "hooks/a.py": "print(2)" } })],
    ["the adapter", source({ adapter: parseAdapter({ ...adapterYaml, routes: ["/x"] }, "f") })],
    ["the compose file", source({ compose: compose.replace("weak", "strong").replace("A: 1", "A: 2") })],
    ["the date of the images", source({ imagesAsOf: "2026-11" })],
  ])("changes with %s", (_, other) => {
    expect(makeRelease(other).release.id).not.toBe(id);
  });

  test("changes with a link's target", () => {
    expect(makeRelease(linked("a")).release.id).not.toBe(makeRelease(linked("b")).release.id);
  });

  test("a file that no image is made of changes no image", () => {
    const before = serviceKeys(makeRelease(source()).release);
    const other = { ...source(), suite: [...source().suite, file("README.md")] };
    expect(serviceKeys(makeRelease(other).release)).toEqual(before);
  });

  test.each([
    ["the Dockerfile", changed("deploy/Dockerfile.api", file("deploy/Dockerfile.api", "x")), ["api"]],
    ["an argument of the build", source({ compose: compose.replace("A: 1", "A: 2") }), ["api"]],
    ["an executable bit", changed("api/main.py", file("api/main.py", "api/main.py", true)), ["api"]],
    ["the reference of a pulled image", source({ compose: compose.replace("alpine", "1.27") }), ["nginx"]],
    [
      "the nginx configuration",
      changed("deploy/nginx/conf.d/a.conf", file("deploy/nginx/conf.d/a.conf", "x")),
      [],
    ],
    ["a script of the server", source({ scripts: [file("activate", "x")] }), []],
    ["the date of the images", source({ imagesAsOf: "x" }), ["db", "api", "admin", "nginx"]],
  ])("%s changes the images of exactly its services", (_, other, services) => {
    const before = serviceKeys(makeRelease(source()).release);
    const after = serviceKeys(makeRelease(other).release);
    expect(Object.keys(before).filter((service) => before[service] !== after[service])).toEqual(services);
  });

  test("a configuration's content is in its path, so that only its change recreates the ingress", () => {
    const path = (from: ReleaseSource) => makeRelease(from).release.binds[0]?.target;
    const conf = "deploy/nginx/conf.d/a.conf";
    expect(path(changed(conf, file(conf, "x")))).not.toBe(path(source()));
    expect(path(changed("api/main.py", file("api/main.py", "x")))).toBe(path(source()));
  });

  test("a word in one application changes that one's image only", () => {
    const before = serviceKeys(makeRelease(source()).release);
    const after = serviceKeys(
      makeRelease(changed("admin/index.html", file("admin/index.html", "x"))).release,
    );
    expect(Object.keys(before).filter((service) => before[service] !== after[service])).toEqual(["admin"]);
  });
});

test.each([
  [
    "a bind that the adapter does not name",
    { compose: compose.replace("./logs:/app", "./data:/app") },
    "service api mounts ./data",
  ],
  [
    "a service that the adapter does not name",
    { compose: compose.replace("  admin:\n", "  admn:\n") },
    "admn",
  ],
  [
    "inputs that are not in the suite",
    { suite: source().suite.filter(({ path }) => !path.startsWith("admin")) },
    "admin",
  ],
  [
    "a folder of the ingress that is not in the suite",
    { suite: source().suite.filter(({ path }) => !path.startsWith("deploy/nginx")) },
    "the bind mount ./nginx/conf.d (deploy/nginx/conf.d) is not in the suite",
  ],
  [
    "a build from outside the suite",
    { compose: compose.replace("context: ..", "context: ../..") },
    "service api is built outside the suite",
  ],
  [
    "a pulled service without image",
    { compose: compose.replace("image: nginx:alpine", "tty: true") },
    "service nginx names no image to pull",
  ],
  [
    "a built service without build",
    { compose: compose.replace("build: ../admin", "tty: true") },
    "service admin has no `build`",
  ],
  [
    "a build's arguments as a list",
    { compose: compose.replace("{A: 1}", "[A=1]") },
    "services.api.build.args: expected a mapping",
  ],
  [
    "a static folder that nobody mounts",
    { compose: compose.replace('"./www:/var/www:ro"', '"photos:/y"') },
    "no service mounts ./www",
  ],
  ["a hook that was not read", { hookScripts: {} }, "the hook hooks/a.py was not read"],
  ["text that is no compose file", { compose: "[]" }, "it has no `services`"],
])("fails on %s", (_, change, message) => {
  expect(() => makeRelease(source(change))).toThrow(message);
});

test("the environment is sorted, quoted, and names its secrets first", () => {
  const plain = plainEnvironment(source().adapter, { domain: "a.fr", email: "a@a.fr" });
  expect(renderEnvironment({ ...plain, TITLE: `l'été $HOME` }, { DB_PASSWORD: "ab12" })).toBe(
    [
      '{"secrets":["DB_PASSWORD"]}',
      "CORS_ORIGINS=https://a.fr",
      "DB_PASSWORD=ab12",
      "DB_USER=geoclic",
      "LETSENCRYPT_EMAIL=a@a.fr",
      "TITLE='l\\'été $HOME'",
      "",
    ].join("\n"),
  );
  expect(() => renderEnvironment({ A: "x\ny" }, {})).toThrow(RangeError);
});
