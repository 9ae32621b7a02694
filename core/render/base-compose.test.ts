/** What a suite's compose file may say, key by key. Not proven: what Docker makes of the keys that are taken (see test/lab). */
import { describe, expect, test } from "vitest";
import { parse as parseYaml, stringify } from "yaml";
import { adapterYaml } from "../../test/helpers/adapter.ts";
import { parseAdapter } from "../config/adapter.ts";
import { type FleetError, describe as sentence } from "../errors.ts";
import { parseBaseCompose } from "./base-compose.ts";
import { renderCompose } from "./compose.ts";

const adapter = parseAdapter(adapterYaml, "geoclic.yaml");

interface Base {
  readonly top?: object;
  readonly api?: object;
  readonly nginx?: object;
}

function yaml({ top, api, nginx }: Base): string {
  return stringify({
    services: {
      db: { image: "postgis/postgis:15-3.3" },
      api: { build: "../api", ...api },
      admin: { build: "../admin" },
      nginx: { image: "nginx:alpine", ...nginx },
    },
    ...top,
  });
}

const read = (base: Base) => parseBaseCompose(yaml(base), adapter);

/** The section of one service, as servers run it. */
function rendered(base: Base, service = "api", given = adapter): Record<string, unknown> {
  const images = {
    db: "geoclic/db:1",
    api: "geoclic/api:1",
    admin: "geoclic/admin:1",
    nginx: "geoclic/nginx:1",
  };
  const configBinds = { "./nginx/conf.d": "/opt/geoclic/shared/binds/5/conf.d" };
  const text = renderCompose({
    base: parseBaseCompose(yaml(base), given),
    adapter: given,
    images,
    configBinds,
  });
  const { services } = parseYaml(text) as { services: Record<string, Record<string, unknown>> };
  return services[service] ?? {};
}

function failure(base: Base): FleetError {
  try {
    read(base);
  } catch (error) {
    return error as FleetError;
  }
  throw new Error("it was taken");
}

describe("a key that is not taken is refused by name", () => {
  test.each<[string, unknown]>([
    ["annotations", { a: "b" }],
    ["attach", false],
    ["blkio_config", { weight: 300 }],
    ["cap_add", ["ALL"]],
    ["cgroup", "host"],
    ["cgroup_parent", "/"],
    ["configs", [{ source: "x" }]],
    ["cpuset", "0"],
    ["credential_spec", { file: "x" }],
    ["device_cgroup_rules", ["a *:* rwm"]],
    ["devices", ["/dev/sda"]],
    ["dns", "10.0.0.1"],
    ["domainname", "x"],
    ["env_file", "../.env"],
    ["extends", { file: "common.yml", service: "x" }],
    ["external_links", ["x"]],
    ["gpus", "all"],
    ["group_add", ["docker"]],
    ["ipc", "host"],
    ["isolation", "default"],
    ["links", ["db"]],
    ["mac_address", "02:42:ac:11:65:43"],
    ["mem_reservation", "1g"],
    ["memswap_limit", "1g"],
    ["models", ["x"]],
    ["network_mode", "host"],
    ["oom_kill_disable", true],
    ["pid", "host"],
    ["platform", "linux/arm64"],
    ["post_start", [{ command: "x", user: "root", privileged: true }]],
    ["pre_stop", [{ command: "x" }]],
    ["Privileged", true],
    ["privileged", true],
    ["profiles", ["dev"]],
    ["provider", { type: "x" }],
    ["runtime", "x"],
    ["scale", 3],
    ["secrets", ["x"]],
    ["storage_opt", { size: "1G" }],
    ["sysctls", ["net.core.somaxconn=1024"]],
    ["use_api_socket", true],
    ["userns_mode", "host"],
    ["uts", "host"],
    ["volumes_from", ["db"]],
    ["constructor", "x"],
    ["__proto__", "x"],
  ])("%s", (key, value) => {
    const { code, values } = failure({
      api: JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`) as object,
    });
    expect([code, values.file, values.places]).toEqual([
      "COMPOSE_KEY_REFUSED",
      "deploy/docker-compose.yml",
      `services.api.${key}`,
    ]);
    expect(String(values.allowed).split(", ")).toEqual(
      expect.arrayContaining(["build", "environment", "volumes"]),
    );
    expect(String(values.allowed).split(", ")).not.toContain(key);
  });

  test.each<[string, Base, string, string]>([
    ["top-level secrets", { top: { secrets: { jwt: { file: "./jwt" } } } }, "secrets", "services"],
    ["top-level configs", { top: { configs: { c: { file: "./c" } } } }, "configs", "services"],
    ["include", { top: { include: ["other.yml"] } }, "include", "services"],
    [
      "a volume that is a folder of the server",
      { top: { volumes: { photos: { driver_opts: { type: "none", o: "bind", device: "/" } } } } },
      "volumes.photos.driver_opts",
      "name",
    ],
    [
      "a volume's driver",
      { top: { volumes: { photos: { driver: "local" } } } },
      "volumes.photos.driver",
      "name",
    ],
    [
      "an external volume",
      { top: { volumes: { photos: { external: true } } } },
      "volumes.photos.external",
      "name",
    ],
    [
      "a network's address plan",
      { top: { networks: { n: { ipam: {} } } } },
      "networks.n.ipam",
      "driver, name",
    ],
    [
      "an external network",
      { top: { networks: { n: { external: true } } } },
      "networks.n.external",
      "driver, name",
    ],
    [
      "an address of one's own",
      { api: { networks: { n: { ipv4_address: "10.0.0.2" } } }, top: { networks: { n: null } } },
      "services.api.networks.n.ipv4_address",
      "aliases",
    ],
    ["replicas", { api: { deploy: { replicas: 2 } } }, "services.api.deploy.replicas", "resources"],
    [
      "what only a swarm obeys",
      { api: { deploy: { restart_policy: { condition: "any" } } } },
      "services.api.deploy.restart_policy",
      "resources",
    ],
    [
      "reservations",
      { api: { deploy: { resources: { reservations: { memory: "1g" } } } } },
      "services.api.deploy.resources.reservations",
      "limits",
    ],
    [
      "devices as limits",
      { api: { deploy: { resources: { limits: { devices: [] } } } } },
      "services.api.deploy.resources.limits.devices",
      "cpus, memory, pids",
    ],
    [
      "a build's secrets",
      { api: { build: { context: ".", secrets: ["x"] } } },
      "services.api.build.secrets",
      "args, context, dockerfile, target",
    ],
    [
      "a build with the host's network",
      { api: { build: { context: ".", network: "host" } } },
      "services.api.build.network",
      "args, context, dockerfile, target",
    ],
    [
      "a build's ssh-agent",
      { api: { build: { context: ".", ssh: ["default"] } } },
      "services.api.build.ssh",
      "args, context, dockerfile, target",
    ],
    [
      "a privileged build",
      { api: { build: { context: ".", privileged: true } } },
      "services.api.build.privileged",
      "args, context, dockerfile, target",
    ],
    [
      "an unknown part of a check",
      { api: { healthcheck: { tests: "x" } } },
      "services.api.healthcheck.tests",
      "disable, interval, retries, start_interval, start_period, test, timeout",
    ],
  ])("%s", (_, base, places, allowed) => {
    const { code, values } = failure(base);
    expect([code, values.places]).toEqual(["COMPOSE_KEY_REFUSED", places]);
    expect(String(values.allowed)).toContain(allowed);
  });

  test("several at once, of every service", () => {
    const { values } = failure({ api: { pid: "host", privileged: true }, nginx: { ipc: "host" } });
    expect(values.places).toBe("services.api.pid, services.api.privileged, services.nginx.ipc");
  });

  test("in both languages, with what is taken and what to do", () => {
    const error = failure({ api: { env_file: ".env" } });
    expect(sentence(error, "en")).toMatch(
      /^deploy\/docker-compose\.yml of the suite has services\.api\.env_file, which towns do not take; taken there: build, cap_drop, .*Next: take it out of the compose file/,
    );
    expect(sentence(error, "fr")).toMatch(
      /services\.api\.env_file, que les communes n'acceptent pas.*À faire : retirez-le/,
    );
  });
});

describe("a value that is not taken is refused with what is", () => {
  test.each<[string, Base, string]>([
    [
      "Docker's own network",
      { top: { networks: { n: { name: "host" } } } },
      "networks.n.name: expected a name that Docker does not have itself",
    ],
    [
      "another driver",
      { top: { networks: { n: { driver: "macvlan" } } } },
      'networks.n.driver: expected bridge, got "macvlan"',
    ],
    [
      "a network that nobody declares",
      { api: { networks: ["n"] } },
      "services.api.networks: n is not declared in `networks`",
    ],
    ["less confinement", { api: { security_opt: ["seccomp:unconfined"] } }, "services.api.security_opt[0]: "],
    [
      "more than no new privileges",
      { api: { security_opt: ["no-new-privileges:true", "apparmor:unconfined"] } },
      "expected no-new-privileges:true alone",
    ],
    [
      "a label of Compose's",
      { api: { labels: { "com.docker.compose.project": "other" } } },
      "services.api.labels: expected labels outside Docker's own names",
    ],
    [
      "a label of Compose's in a list",
      { api: { labels: ["com.docker.compose.service=db"] } },
      "services.api.labels[0]: expected a label outside Docker's own names",
    ],
    [
      "a truth as a text",
      { api: { read_only: "yes" } },
      'services.api.read_only: expected true or false, got "yes"',
    ],
    ["a user as a number", { api: { user: 1000 } }, "services.api.user: expected a text, got 1000"],
    [
      "nothing",
      { api: { environment: null } },
      "services.api.environment: expected variables and their values",
    ],
    [
      "a list in the environment",
      { api: { environment: { A: ["s3cret"] } } },
      "services.api.environment: expected variables and their values",
    ],
    [
      "two limits of memory",
      { api: { mem_limit: "1g", deploy: { resources: { limits: { memory: "2g" } } } } },
      "services.api: mem_limit and deploy.resources.limits.memory, expected one of them",
    ],
    [
      "a variable in a build's argument",
      { api: { build: { context: ".", args: { A: "${A:-x}" } } } },
      "services.api.build.args.A: expected a value without $: it is not filled in",
    ],
    [
      "a build's argument from the environment",
      { api: { build: { context: ".", args: { A: null } } } },
      "services.api.build.args.A: expected a value",
    ],
    [
      "ports in another form",
      { nginx: { ports: [{ target: 80, published: 80 }] } },
      "services.nginx.ports: expected a list of OUTSIDE:INSIDE",
    ],
    [
      "a port alone",
      { nginx: { ports: [80] } },
      "services.nginx.ports: expected a list of OUTSIDE:INSIDE, got [80]",
    ],
    [
      "a mode of a mount",
      { api: { volumes: ["./logs:/app/logs:rshared"] } },
      "expected SOURCE:TARGET or SOURCE:TARGET:ro",
    ],
    [
      "a variable as a target",
      { api: { volumes: ["./logs:${TARGET}"] } },
      "expected SOURCE:TARGET or SOURCE:TARGET:ro",
    ],
    [
      "the container's root",
      { api: { volumes: ["./logs:/"] } },
      "expected SOURCE:TARGET or SOURCE:TARGET:ro",
    ],
    [
      "a target that climbs",
      { api: { volumes: ["./logs:/app/../etc"] } },
      "expected SOURCE:TARGET or SOURCE:TARGET:ro",
    ],
  ])("%s", (_, base, message) => {
    const error = failure(base);
    expect(error.code).toBe("COMPOSE_VALUE_REFUSED");
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("s3cret");
  });
});

describe("a mount that the adapter does not know is refused", () => {
  test.each([
    ["photos:/app/photos", "service api mounts photos, which is not declared in `volumes`"],
    ["photos${X:-/../..}:/app", "service api mounts photos${X, which is not declared"],
    [
      "/var/run/docker.sock:/var/run/docker.sock",
      "service api mounts /var/run/docker.sock, which the adapter's `binds`",
    ],
    [
      "./nginx/ssl:/app/tls",
      "service api mounts ./nginx/ssl, the certificate's key, which is for nginx alone",
    ],
  ])("%s", (volume, message) => {
    const { code, message: told } = failure({ api: { volumes: [volume] } });
    expect(code).toBe("COMPOSE_UNEXPECTED");
    expect(told).toContain(message);
  });
});

test("what does no harm is taken as it stands", () => {
  const api = {
    cap_drop: ["ALL"],
    command: ["serve"],
    entrypoint: null,
    expose: [8000, "9000/tcp"],
    extra_hosts: ["ign:51.210.1.1"],
    hostname: "api",
    labels: { "traefik.enable": "true" },
    networks: { inner: { aliases: ["backend"] }, outer: null },
    pids_limit: 100,
    read_only: true,
    shm_size: "64m",
    stdin_open: true,
    stop_signal: "SIGQUIT",
    tmpfs: ["/run", "/tmp:size=64m"],
    tty: true,
    ulimits: { nofile: { soft: 1024, hard: 2048 }, nproc: 512 },
    user: "1000:1000",
    working_dir: "/app",
  };
  const top = { networks: { inner: null, outer: { name: "geoclic_network", driver: "bridge" } } };
  expect(rendered({ api, top })).toMatchObject(api);
});

test("what the tool says itself, and what has no meaning on a server, is left out", () => {
  const ignored = {
    "x-note": "for people",
    container_name: "fixed",
    depends_on: { db: { condition: "service_healthy" } },
    develop: { watch: [] },
    ports: [{ target: 8000, published: 8000 }],
    restart: "no",
    stop_grace_period: "1s",
  };
  expect(rendered({ api: ignored, top: { name: "other", version: "3.9", "x-a": 1 } })).toEqual(rendered({}));
});

test("no container gains privileges", () => {
  for (const service of ["db", "api", "admin", "nginx"])
    expect(rendered({ api: { security_opt: ["no-new-privileges:true"] } }, service).security_opt).toEqual([
      "no-new-privileges:true",
    ]);
});

describe("limits", () => {
  const silent = parseAdapter(
    { ...adapterYaml, services: { ...adapterYaml.services, api: { image: "built", inputs: ["api"] } } },
    "geoclic.yaml",
  );
  const limits = { deploy: { resources: { limits: { memory: "768M", cpus: "0.50", pids: 50 } } } };

  test("of a deployment become those that Compose obeys", () => {
    const service = rendered({ api: limits }, "api", silent);
    expect(service).toMatchObject({ mem_limit: "768M", cpus: "0.50", pids_limit: 50 });
    expect(service).not.toHaveProperty("deploy");
  });

  test("of memory: the adapter's, the file's, else 512m", () => {
    expect(rendered({ api: limits }).mem_limit).toBe("1g");
    expect(rendered({ api: { mem_limit: "2g" } }, "api", silent).mem_limit).toBe("2g");
    expect(rendered({}, "api", silent).mem_limit).toBe("512m");
  });
});

describe("what a release or the tool puts there is read-only", () => {
  test.each([
    ["./nginx/conf.d:/etc/nginx/conf.d", "/opt/geoclic/shared/binds/5/conf.d:/etc/nginx/conf.d:ro"],
    ["./nginx/ssl:/etc/nginx/ssl:rw", "/opt/geoclic/shared/tls:/etc/nginx/ssl:ro"],
    ["./www:/var/www", "/opt/geoclic/shared/static/www:/var/www:ro"],
    ["./www/certbot:/var/www/certbot", "/opt/geoclic/shared/acme:/var/www/certbot:ro"],
    ["./logs:/app/logs", "/opt/geoclic/shared/logs/nginx:/app/logs"],
    ["./logs:/app/logs:ro", "/opt/geoclic/shared/logs/nginx:/app/logs:ro"],
    ["photos:/app/photos", "photos:/app/photos"],
    ["photos:/app/photos:ro", "photos:/app/photos:ro"],
  ])("%s", (volume, mount) => {
    const base = { nginx: { volumes: [volume] }, top: { volumes: { photos: null } } };
    expect(rendered(base, "nginx").volumes).toContain(mount);
  });
});

test("a secret that is only named is required", () => {
  expect(rendered({ api: { environment: { DB_PASSWORD: null, OTHER: null, N: 5 } } }).environment).toEqual({
    DB_PASSWORD: "${DB_PASSWORD:?is missing}",
    OTHER: null,
    N: 5,
  });
  expect(rendered({ api: { environment: ["DB_PASSWORD", "OTHER"] } }).environment).toEqual([
    "DB_PASSWORD=${DB_PASSWORD:?is missing}",
    "OTHER",
  ]);
});

test.each([
  "80:80",
  "${HTTP_PORT:-80}:80",
  "127.0.0.1:8080:80/tcp",
  "${IP:-0.0.0.0}:443:443",
])("the ingress publishes %s", (port) => {
  expect(rendered({ nginx: { ports: [port] } }, "nginx").ports).toEqual([port]);
});
