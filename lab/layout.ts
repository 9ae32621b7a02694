/** @module Where the lab lives: its folders, its network and the addresses of its parts. */
import { homedir } from "node:os";
import { join } from "node:path";

const cacheHome = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");

/** Everything downloaded or built; deleting it is always safe. */
export const CACHE = join(cacheHome, "geoclic-fleet", "lab");
/** Data of the running lab; `down` removes it. */
export const LAB = "/var/lib/geoclic-lab";
/** Home of the lab's operator: stacks, state, passphrase, suite. */
export const OPERATOR = join(LAB, "operator");
/** Sockets and process files of the running lab; `down` removes it. */
export const RUN = "/run/geoclic-lab";
/** The repository's own files for the lab: scripts, Dockerfiles, configuration. */
export const ASSETS = join(import.meta.dirname, "assets");

export const ENGINE_SOCKET = join(RUN, "docker.sock");
/** Programs of the operator's side: a Docker client that works on any machine. */
export const BIN = join(RUN, "bin");
/** The operator's DOCKER_CONFIG, with the buildx and compose plugins. */
export const DOCKER_CONFIG = join(RUN, "docker-config");
/** The certificates that the operator's side trusts. */
export const TRUST_BUNDLE = join(LAB, "trust.pem");

/** Label, name prefix and network name of all that is ours in the engine. */
export const PREFIX = "geoclic-lab";
export const ZONE = "geoclic.test";
export const ACME_NAME = `acme.${ZONE}`;

export const NETWORK = {
  name: PREFIX,
  bridge: "geoclic-lab0",
  subnet: "10.77.0.0/24",
  gateway: "10.77.0.1",
} as const;

/** Addresses of the parts inside the network, and on the machine's loopback. */
export const ADDRESS = {
  dns: "10.77.0.53",
  pebble: "10.77.0.54",
  registry: "10.77.0.55",
  front: "10.77.0.58",
} as const;
export const LOOPBACK = { dns: "127.0.10.53", services: "127.0.10.2" } as const;

/** Names under which the world pulls images; the lab answers them with its own registry. */
export const HUBS = ["docker.io", "ghcr.io", "quay.io"] as const;
export const HUB_HOSTS = [
  "registry-1.docker.io",
  "auth.docker.io",
  "index.docker.io",
  "production.cloudflare.docker.com",
  "ghcr.io",
  "quay.io",
] as const;
/** Where servers fetch from beside Debian; the lab answers these names with what it made itself. */
export const ORIGIN_HOSTS = ["download.docker.com", "github.com"] as const;
