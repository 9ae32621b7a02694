/**
 * @module Servers as the former tool (a bash script) left them, for tests of adoption: its code under /opt/geoclic with
 * a readable .env, its containers with fixed names and published ports, a certificate by certbot's standalone way,
 * migrations whose errors nobody saw, its lines in root's crontab, its unit, its dumps; and things of somebody else.
 */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "./docker.ts";
import { ACME_NAME, ASSETS } from "./layout.ts";
import { step } from "./progress.ts";
import { inServer, runScript } from "./scripts.ts";
import { containerName } from "./server.ts";
import { makeSuite, type SuiteEdits } from "./suite/release/make.ts";

export interface PredecessorArgs {
  readonly domain: string;
  /** ACME directory that certbot asked. @default the lab's */
  readonly acmeDirectory?: string;
  /** What its suite had otherwise than the stand-in. */
  readonly edits?: SuiteEdits;
  /** Account of the town's real administrator. */
  readonly admin: { readonly email: string; readonly password: string };
}

export interface Predecessor {
  /** Values of its .env, by variable. */
  readonly secrets: { readonly DB_PASSWORD: string; readonly JWT_SECRET_KEY: string };
  /** Token of the administrator, made by its API. */
  readonly token: string;
}

/** Images that its Compose built on each server, by the names it gave them. */
const built = ["api", "admin", "portail", "demandes", "mobile", "sig", "services", "terrain"].map(
  (service) => `deploy-${service}`,
);

/** Makes a fresh server of the lab one that the former tool installed. @throws LabError when a step fails there */
export async function layOutPredecessor(server: string, args: PredecessorArgs): Promise<Predecessor> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-predecessor-"));
  try {
    const tree = join(folder, "geoclic");
    await makeSuite("1.0.0", tree, args.edits);
    await cp(join(ASSETS, "predecessor/scripts"), join(tree, "scripts"), { recursive: true });
    await Promise.all([
      step(`${server}: packages`, () => runScript(server, "predecessor/prerequisites.sh")),
      step(`${server}: code`, async () => {
        await inServer(server, ["mkdir", "-p", "/opt/geoclic"]);
        await docker(["cp", `${tree}/.`, `${containerName(server)}:/opt/geoclic`]);
      }),
      step(`${server}: images`, () => buildImages(tree, join(folder, "images.tar"))),
    ]);
    await step(`${server}: images loaded`, () =>
      docker(["exec", "--interactive", containerName(server), "docker", "load", "--quiet"], {
        inputFile: join(folder, "images.tar"),
      }),
    );
    const { domain, admin, acmeDirectory = `https://${ACME_NAME}/dir` } = args;
    await step(`${server}: installation`, () =>
      runScript(server, "predecessor/install.sh", [domain, admin.email, acmeDirectory]),
    );
    return await step(`${server}: accounts and reports`, () => fill(server, args));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Once, on the lab's engine; the builder keeps what did not change. */
async function buildImages(tree: string, archive: string): Promise<void> {
  const file = join(tree, "deploy/docker-compose.yml");
  await docker(["compose", "--progress", "quiet", "--project-name", "deploy", "--file", file, "build"]);
  await docker(["save", "--output", archive, ...built]);
}

async function fill(server: string, { domain, admin }: PredecessorArgs): Promise<Predecessor> {
  const hook = await readFile(join(ASSETS, "../../assets/suites/geoclic-hooks/create_admin.py"), "utf8");
  const account = { ...admin, firstName: "Marie", lastName: "Curie" };
  const python = ["docker", "exec", "--interactive", "geoclic_api", "python", "-c", hook];
  await inServer(server, python, JSON.stringify(account));
  // The account that the original suite ships with, and a town's own settings.
  const sql = `
    INSERT INTO geoclic_users (email, password_hash, nom, prenom, actif, is_super_admin)
      SELECT 'admin@geoclic.local', password_hash, 'Admin', 'Super', TRUE, TRUE FROM geoclic_users LIMIT 1;
    INSERT INTO system_settings (config_key, config_value)
      VALUES ('general', '{"nom_collectivite": "Ma Collectivité", "primary_color": "#aa0000"}');`;
  await inServer(server, [...psql, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], sql);
  for (const number of [1, 2, 3]) {
    const report = JSON.stringify({ description: `Nid-de-poule n° ${number}, l'été`, latitude: 45.7 });
    const posted = await ask(server, domain, ["--json", "@-", "/api/demandes"], report);
    const { id } = JSON.parse(posted) as { id: string };
    // A PNG's signature and some content is all that the API looks at.
    const photo = `printf '\\211PNG\\r\\n\\032\\nphoto-${number}' > /tmp/photo.png`;
    await inServer(server, ["sh", "-c", photo]);
    await ask(server, domain, ["--form", "photo=@/tmp/photo.png", `/api/demandes/${id}/photos`]);
  }
  const login = ["--data-urlencode", `username=${admin.email}`, "--data-urlencode", "password@-"];
  const answer = await ask(server, domain, [...login, "/api/auth/login"], admin.password);
  const { access_token: token } = JSON.parse(answer) as { access_token: string };
  return { token, secrets: await readSecrets(server) };
}

const psql = ["docker", "exec", "--interactive", "geoclic_db", "psql", "-U", "geoclic", "-d", "geoclic_db"];

async function readSecrets(server: string): Promise<Predecessor["secrets"]> {
  const text = await inServer(server, ["cat", "/opt/geoclic/deploy/.env"]);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
  return { DB_PASSWORD: value("DB_PASSWORD"), JWT_SECRET_KEY: value("JWT_SECRET_KEY") };
}

/** curl on the server itself; the last word is the path. */
async function ask(server: string, domain: string, words: readonly string[], stdin = ""): Promise<string> {
  const path = words.at(-1) ?? "/";
  const options = ["--fail-with-body", "--silent", "--insecure", "--resolve", `${domain}:443:127.0.0.1`];
  return inServer(server, ["curl", ...options, ...words.slice(0, -1), `https://${domain}${path}`], stdin);
}
