/** The file of the release check, as text. Not proven: that Docker takes it (see test/lab/rollout.test.ts). */
import { expect, test } from "vitest";
import { parse } from "yaml";
import { renderScratch } from "./scratch.ts";

const compose = `
name: deploy
services:
  db:
    image: geoclic/db:1
    restart: unless-stopped
    volumes: ["data:/var/lib/postgresql/data"]
  nginx:
    image: geoclic/nginx:1
    restart: unless-stopped
    ports: ["80:80", "443:443"]
    volumes: ["/opt/geoclic/shared/tls:/etc/nginx/ssl:ro", "/opt/geoclic/shared/binds/ab/conf.d:/etc/nginx/conf.d:ro"]
volumes:
  data: { name: the_real_one }
networks:
  geoclic: { name: the_real_net, driver: bridge }
`;

const security_opt = ["no-new-privileges:true"];

test("nothing of a host is left: no path, no port but the ingress's on loopback, no fixed name, no restart", () => {
  const { text, mounts } = renderScratch(compose, "geoclic-check-x", "nginx");
  expect(parse(text)).toEqual({
    name: "geoclic-check-x",
    services: {
      db: { image: "geoclic/db:1", security_opt, restart: "no", volumes: ["data:/var/lib/postgresql/data"] },
      nginx: { image: "geoclic/nginx:1", security_opt, restart: "no", ports: ["127.0.0.1:0:443"] },
    },
    volumes: { data: {} },
    networks: { geoclic: {} },
  });
  expect(mounts).toEqual([
    { service: "nginx", source: "/opt/geoclic/shared/tls", target: "/etc/nginx/ssl" },
    { service: "nginx", source: "/opt/geoclic/shared/binds/ab/conf.d", target: "/etc/nginx/conf.d" },
  ]);
});

test("a file without services is refused", () => {
  expect(() => renderScratch("name: x", "p", "nginx")).toThrow("COMPOSE_UNEXPECTED");
});

test.each([
  ["privileged: true", "services.nginx.privileged"],
  ["pid: host", "services.nginx.pid"],
  ["network_mode: host", "services.nginx.network_mode"],
  ["devices: [/dev/sda]", "services.nginx.devices"],
  ['volumes: ["/:/host"]', 'got "/:/host"'],
  ['volumes: ["/opt/geoclic-other:/x"]', "services.nginx.volumes"],
  ['volumes: ["/opt/geoclic/../..:/x"]', "services.nginx.volumes"],
])("of a release that an older tool made, %s is refused", (line, message) => {
  const text = compose.replace("image: geoclic/nginx:1", `image: geoclic/nginx:1\n    ${line}`);
  const once = line.startsWith("volumes")
    ? text.replace(/\n {4}volumes: \["\/opt\/geoclic\/shared\/tls.*/, "")
    : text;
  expect(() => renderScratch(once, "p", "nginx")).toThrow(message);
});

test("of a release that an older tool made, weaker confinement is put right", () => {
  const text = compose.replace(
    "image: geoclic/db:1",
    "image: geoclic/db:1\n    security_opt: [seccomp:unconfined]",
  );
  const { services } = parse(renderScratch(text, "p", "nginx").text) as { services: Record<string, object> };
  expect(services.db).toMatchObject({ security_opt });
});
