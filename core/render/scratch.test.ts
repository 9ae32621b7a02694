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

test("nothing of a host is left: no path, no port but the ingress's on loopback, no fixed name, no restart", () => {
  const { text, mounts } = renderScratch(compose, "geoclic-check-x", "nginx");
  expect(parse(text)).toEqual({
    name: "geoclic-check-x",
    services: {
      db: { image: "geoclic/db:1", restart: "no", volumes: ["data:/var/lib/postgresql/data"] },
      nginx: { image: "geoclic/nginx:1", restart: "no", ports: ["127.0.0.1:0:443"] },
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
