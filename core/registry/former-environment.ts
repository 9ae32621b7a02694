/** @module The predecessor's `.env`, and what its compose file says where `.env` says nothing. */

import { readEnvironmentFile } from "./environment-file.ts";

export interface FormerEnvironment {
  /** Secrets to bring, by variable. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Variables whose value is the one that is printed in the suite's source. */
  readonly published: readonly string[];
  /** Variables that have no value anywhere: they are made anew. */
  readonly absent: readonly string[];
  readonly email: string | undefined;
  readonly database: { readonly user: string; readonly name: string };
}

/**
 * `variables`: the secrets that the suite has. A database keeps the password that it was made with, whatever it is; of the
 * others only what `.env` says is brought.
 * @throws EnvironmentUnreadable when Compose does not read `.env` either
 */
export function readFormerEnvironment(
  text: string,
  compose: string,
  variables: readonly string[],
  databasePassword = "DB_PASSWORD",
): FormerEnvironment {
  const values = readEnvironmentFile(text);
  const defaultOf = (variable: string) =>
    new RegExp(`\\$\\{${variable}:?-([^}]*)\\}`).exec(compose)?.[1] || undefined;
  const secrets: Record<string, string> = {};
  for (const variable of variables) {
    const value = values.get(variable) || (variable === databasePassword ? defaultOf(variable) : undefined);
    if (value !== undefined && value !== "") secrets[variable] = value;
  }
  return {
    secrets,
    published: variables.filter((name) => secrets[name] !== undefined && secrets[name] === defaultOf(name)),
    absent: variables.filter((name) => secrets[name] === undefined),
    email: values.get("LETSENCRYPT_EMAIL") || undefined,
    database: { user: values.get("DB_USER") || "geoclic", name: values.get("DB_NAME") || "geoclic_db" },
  };
}

/** A town's name made of a client's: `ville-lyon` → `Ville Lyon`. */
export function townOfName(name: string): string {
  return name
    .split("-")
    .filter(Boolean)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join(" ");
}

/** The town's name in the suite's general settings, unless nobody ever set it. */
export function townOfSettings(json: string): string | undefined {
  try {
    const name = (JSON.parse(json) as { nom_collectivite?: unknown }).nom_collectivite;
    const isOwn = typeof name === "string" && name.trim() !== "" && name.trim() !== "Ma Collectivité";
    return isOwn ? name.trim() : undefined;
  } catch {
    return undefined;
  }
}
