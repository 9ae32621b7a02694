/** @module The environment in which Pulumi works: as an object, or as shell lines when it is run. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { readToolchain, toolchainFolder } from "./record.ts";

/** @throws Error before `npm run setup` */
export function toolchainEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const record = readToolchain();
  if (!record) throw new Error("the toolchain is not set up: run `npm run setup`");
  const home =
    env.GEOCLIC_HOME ?? join(env.XDG_STATE_HOME ?? join(homedir(), ".local/state"), "geoclic-fleet");
  const passphrase = join(home, "passphrase");
  const folders = [
    resolve(import.meta.dirname, "../node_modules/.bin"),
    record.cli.folder,
    record.host.folder,
  ];
  const rest = (env.PATH ?? "").split(":").filter((folder) => folder !== "" && !folders.includes(folder));
  return {
    PATH: [...new Set(folders), ...rest].join(":"),
    PULUMI_HOME: pulumiHome(env.PULUMI_HOME),
    PULUMI_SKIP_UPDATE_CHECK: "1",
    NODE_COMPILE_CACHE: join(toolchainFolder(), "compiled"),
    ...(env.PULUMI_BACKEND_URL ? {} : { PULUMI_BACKEND_URL: `file://${home}/state` }),
    ...(env.PULUMI_CONFIG_PASSPHRASE || env.PULUMI_CONFIG_PASSPHRASE_FILE || !existsSync(passphrase)
      ? {}
      : { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase }),
  };
}

/** One's own is kept; that of another checkout, or of this one before a change, is not. */
function pulumiHome(given: string | undefined): string {
  const isOwn = given !== undefined && given !== "" && !given.startsWith(dirname(toolchainFolder()));
  return isOwn ? given : join(toolchainFolder(), "pulumi-home");
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(toolchainEnvironment()))
    console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`);
}
