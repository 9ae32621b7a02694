// Stamps name, version and build into the pages. The build id is a hash of the sources and nothing in the output
// depends on the clock: the same sources make the same image everywhere.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { version, geoclic, dependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));
const html = join("dist/html", geoclic.base);

const digest = createHash("sha256");
for (const path of sources()) digest.update(`${path}\0`).update(readFileSync(path));
const build = digest.digest("hex").slice(0, 12);
const stamps = { BASE: geoclic.base, TITLE: geoclic.title, VERSION: version, BUILD: build };

rmSync("dist", { recursive: true, force: true });
mkdirSync(html, { recursive: true });
for (const path of readdirSync("src")) {
  const source = join("src", path);
  if (/\.(html|js|css|webmanifest)$/.test(path)) writeFileSync(join(html, path), stamp(readFileSync(source, "utf8")));
  else cpSync(source, join(html, path));
}
for (const [from, to] of Object.entries(geoclic.assets ?? {})) cpSync(join("node_modules", from), join(html, to));
writeFileSync("dist/default.conf", stamp(readFileSync("nginx.conf", "utf8")));
console.log(`${geoclic.base} ${version} (${build}), ${Object.keys(dependencies).length} dependencies`);

function stamp(text) {
  return text.replace(/@(BASE|TITLE|VERSION|BUILD)@/g, (_match, name) => stamps[name]);
}

function sources() {
  const below = readdirSync("src").map((name) => `src/${name}`);
  const locks = readdirSync(".").filter((name) => name === "package-lock.json");
  return [...below, ...locks, "build.mjs", "nginx.conf", "package.json"].sort();
}
