/** The effective compose file, word by word. Not proven: what Compose and nginx make of it (see test/lab). */
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { adapterYaml } from "../../test/helpers/adapter.ts";
import { parseAdapter } from "../config/adapter.ts";
import { parseBaseCompose } from "./base-compose.ts";
import { renderCompose } from "./compose.ts";

const adapter = parseAdapter(adapterYaml, "geoclic.yaml");
const base = `
x-common: &common
  container_name: geoclic_common
  labels: {team: fleet}
services:
  db:
    image: postgis/postgis:15-3.3
    container_name: geoclic_db
    restart: always
    ports: ["127.0.0.1:5432:5432"]
    environment: {POSTGRES_PASSWORD: "\${DB_PASSWORD:-weak}", POSTGRES_USER: "\${DB_USER:-geoclic}"}
    volumes: ["data:/var/lib/postgresql/data", "../db/init.sql:/docker-entrypoint-initdb.d/01.sql:ro"]
    networks: [inner]
  api:
    build: {context: .., dockerfile: deploy/Dockerfile.api}
    depends_on: {db: {condition: service_healthy}}
    command: [serve, --key, "\${JWT_SECRET_KEY:-known}"]
    environment: ["URL=postgres://\${DB_USER}:$DB_PASSWORD@db", "OWN=$\${DB_PASSWORD:-kept}"]
    volumes: ["photos:/app/photos", "./logs:/app/logs"]
    healthcheck: {test: [CMD, curl, x]}
    networks: [inner]
  admin:
    <<: *common
    build: ../admin
    depends_on: [api]
  nginx:
    image: nginx:alpine
    logging: {driver: none}
    ports: ["80:80", "443:443"]
    volumes:
      - ./nginx/conf.d:/etc/nginx/conf.d:ro
      - ./nginx/ssl:/etc/nginx/ssl:ro
      - ./www:/var/www:ro
      - ./www/certbot:/var/www/certbot:ro
    healthcheck: {test: [CMD, wget, x]}
networks: {inner: {driver: bridge}}
volumes: {data: {}, photos: {name: geoclic_photos}}
`;
const render = (text: string) =>
  renderCompose({
    base: parseBaseCompose(text, adapter),
    adapter,
    images: {
      db: "geoclic/db:111111111111",
      api: "geoclic/api:222222222222",
      admin: "geoclic/admin:333333333333",
      nginx: "geoclic/nginx:444444444444",
    },
    configBinds: { "./nginx/conf.d": "/opt/geoclic/shared/binds/555555555555/conf.d" },
  });

test("is exactly this", () => {
  expect(render(base)).toMatchInlineSnapshot(`
    "name: "deploy"
    services:
      db:
        networks:
          - "inner"
        image: "geoclic/db:111111111111"
        pull_policy: "never"
        restart: "unless-stopped"
        init: true
        security_opt:
          - "no-new-privileges:true"
        mem_limit: "512m"
        stop_grace_period: "60s"
        logging:
          driver: "json-file"
          options:
            max-size: "10m"
            max-file: "3"
        environment:
          POSTGRES_PASSWORD: "\${DB_PASSWORD:?is missing}"
          POSTGRES_USER: "\${DB_USER:-geoclic}"
        healthcheck:
          interval: "15s"
          timeout: "4s"
          retries: 3
          start_period: "60s"
          start_interval: "1s"
          test:
            - "CMD"
            - "check"
            - "$$HOME"
        volumes:
          - "data:/var/lib/postgresql/data"
      api:
        command:
          - "serve"
          - "--key"
          - "\${JWT_SECRET_KEY:?is missing}"
        networks:
          - "inner"
        image: "geoclic/api:222222222222"
        pull_policy: "never"
        restart: "unless-stopped"
        init: true
        security_opt:
          - "no-new-privileges:true"
        mem_limit: "1g"
        stop_grace_period: "30s"
        logging:
          driver: "json-file"
          options:
            max-size: "10m"
            max-file: "3"
        environment:
          - "URL=postgres://\${DB_USER}:\${DB_PASSWORD:?is missing}@db"
          - "OWN=$\${DB_PASSWORD:-kept}"
        healthcheck:
          interval: "15s"
          timeout: "4s"
          retries: 3
          start_period: "60s"
          start_interval: "1s"
          test:
            - "CMD"
            - "wget"
            - "-q"
            - "-T"
            - "3"
            - "-O"
            - "/dev/null"
            - "http://127.0.0.1/health"
        volumes:
          - "photos:/app/photos"
          - "/opt/geoclic/shared/logs/api:/app/logs"
      admin:
        labels:
          team: "fleet"
        image: "geoclic/admin:333333333333"
        pull_policy: "never"
        restart: "unless-stopped"
        init: true
        security_opt:
          - "no-new-privileges:true"
        mem_limit: "512m"
        stop_grace_period: "30s"
        logging:
          driver: "json-file"
          options:
            max-size: "10m"
            max-file: "3"
      nginx:
        image: "geoclic/nginx:444444444444"
        pull_policy: "never"
        restart: "unless-stopped"
        init: true
        security_opt:
          - "no-new-privileges:true"
        mem_limit: "512m"
        stop_grace_period: "30s"
        logging:
          driver: "json-file"
          options:
            max-size: "10m"
            max-file: "3"
        healthcheck:
          test:
            - "CMD"
            - "wget"
            - "x"
        ports:
          - "80:80"
          - "443:443"
        volumes:
          - "/opt/geoclic/shared/binds/555555555555/conf.d:/etc/nginx/conf.d:ro"
          - "/opt/geoclic/shared/tls:/etc/nginx/ssl:ro"
          - "/opt/geoclic/shared/static/www:/var/www:ro"
          - "/opt/geoclic/shared/acme:/var/www/certbot:ro"
          - "/opt/geoclic/shared/public:/var/www/fleet:ro"
    networks:
      inner:
        driver: "bridge"
    volumes:
      data: {}
      photos:
        name: "geoclic_photos"
    "
  `);
});

describe("a secret has no fall-back", () => {
  test.each([
    ["${DB_PASSWORD:-weak}", "${DB_PASSWORD:?is missing}"],
    ["${DB_PASSWORD-weak}", "${DB_PASSWORD:?is missing}"],
    ["${DB_PASSWORD}", "${DB_PASSWORD:?is missing}"],
    ["$DB_PASSWORD", "${DB_PASSWORD:?is missing}"],
    ["${DB_PASSWORD:?told otherwise}", "${DB_PASSWORD:?is missing}"],
    ["${DB_PASSWORD:-${OTHER:-weak}}", "${DB_PASSWORD:?is missing}"],
    ['${DB_PASSWORD:-we"ak}', "${DB_PASSWORD:?is missing}"],
    [
      "a${DB_PASSWORD:-x}b${JWT_SECRET_KEY:-y}c",
      "a${DB_PASSWORD:?is missing}b${JWT_SECRET_KEY:?is missing}c",
    ],
    ["${DB_PASSWORD_FILE:-x}", "${DB_PASSWORD_FILE:-x}"],
    ["$DB_PASSWORD_FILE", "$DB_PASSWORD_FILE"],
    ["${DB_USER:-geoclic}", "${DB_USER:-geoclic}"],
    ["$${DB_PASSWORD:-x}", "$${DB_PASSWORD:-x}"],
  ])("%s becomes %s", (written, rendered) => {
    const text = base.replace("${DB_USER:-geoclic}", () => written.replaceAll('"', '\\"'));
    const { services } = parseYaml(render(text)) as {
      services: Record<string, { environment: Record<string, string> }>;
    };
    expect(services.db?.environment.POSTGRES_USER).toBe(rendered);
  });
});

describe("fails on a bind mount that the adapter does not name", () => {
  test.each([
    ["./data:/app/logs", "service api mounts ./data, which the adapter's `binds` does not name"],
    ["../data:/app/logs", "service api mounts ../data,"],
    ["/etc:/app/logs", "service api mounts /etc,"],
    ["~/data:/app/logs", "service api mounts ~/data,"],
    ["${DATA:-./data}:/app/logs", "service api mounts ${DATA,"],
    ["./logs/:/app/logs", "service api mounts ./logs/,"],
  ])("%s", (volume, message) => {
    expect(() => render(base.replace("./logs:/app/logs", () => volume))).toThrow(message);
  });

  test("nor one in another form", () => {
    const text = base.replace('"./logs:/app/logs"', "{type: bind, source: ./x, target: /app/logs}");
    expect(() => render(text)).toThrow('expected the form "source:target"');
  });
});

test("a named volume stays the town's own", () => {
  const { volumes } = parseYaml(render(base)) as { volumes: unknown };
  expect(volumes).toEqual({ data: {}, photos: { name: "geoclic_photos" } });
});

test.each([
  ["text that is no mapping", "- a", "it has no `services`"],
  ["services that are a list", "services: [a]", "it has no `services`"],
  [
    "a service too few",
    base.replace(/ {2}admin:[\s\S]*?(?= {2}nginx:)/, ""),
    "it has the services api, db, nginx, the adapter admin, api, db, nginx",
  ],
])("fails on %s", (_, text, message) => {
  expect(() => parseBaseCompose(text, adapter)).toThrow(message);
});
