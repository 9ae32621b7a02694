/** @module The environment of an operator who works in the lab. Only this separates the lab from production. */
import { BIN, DOCKER_CONFIG, ENGINE_SOCKET, OPERATOR, TRUST_BUNDLE } from "./layout.ts";
import { readEngineHost } from "./engine-host.ts";
import { ovhEnvironment } from "./ovh/place.ts";

/** Variables to set over the caller's own environment. */
export function labEnvironment(): Record<string, string> {
  return {
    GEOCLIC_LAB: "1",
    DOCKER_HOST: readEngineHost() ?? `unix://${ENGINE_SOCKET}`,
    DOCKER_CONFIG,
    NODE_EXTRA_CA_CERTS: TRUST_BUNDLE,
    GEOCLIC_HOME: OPERATOR,
    PULUMI_BACKEND_URL: `file://${OPERATOR}/state`,
    PULUMI_CONFIG_PASSPHRASE_FILE: `${OPERATOR}/passphrase`,
    PULUMI_OPTION_CWD: `${OPERATOR}/project`,
    ...ovhEnvironment(),
    PATH: prependPath(BIN, process.env.PATH ?? ""),
  };
}

/** `folder` first on `path`, once. */
export function prependPath(folder: string, path: string): string {
  return [folder, ...path.split(":").filter((entry) => entry !== "" && entry !== folder)].join(":");
}

/** `export` lines for a POSIX shell. */
export function exportLines(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
}
