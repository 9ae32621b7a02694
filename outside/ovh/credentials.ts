/**
 * @module OVH's credentials, from where its own programs read them: the environment, then `/etc/ovh.conf`, `~/.ovh.conf`
 * and `./ovh.conf`, the later file winning. Source: OVH's go-ovh.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "ini";
import { FleetError } from "../../core/errors.ts";
import type { Keys } from "../../core/ovh/request.ts";

export type Credentials =
  | { readonly endpoint: string; readonly keys: Keys }
  | { readonly endpoint: string; readonly accessToken: string };

const endpoints: Readonly<Record<string, string>> = {
  "ovh-eu": "https://eu.api.ovh.com/1.0",
  "ovh-ca": "https://ca.api.ovh.com/1.0",
  "ovh-us": "https://api.us.ovhcloud.com/1.0",
};

const configurationFiles = () => ["/etc/ovh.conf", join(homedir(), ".ovh.conf"), "ovh.conf"];

/** @throws FleetError `OVH_CREDENTIALS` */
export async function readCredentials(
  env: NodeJS.ProcessEnv = process.env,
  files: readonly string[] = configurationFiles(),
): Promise<Credentials> {
  const sections = await readSections(files);
  const name = env.OVH_ENDPOINT || sections.default?.endpoint || "ovh-eu";
  const value = (variable: string, key: string) => env[variable] || sections[name]?.[key] || "";
  const keys: Keys = {
    applicationKey: value("OVH_APPLICATION_KEY", "application_key"),
    applicationSecret: value("OVH_APPLICATION_SECRET", "application_secret"),
    consumerKey: value("OVH_CONSUMER_KEY", "consumer_key"),
  };
  const accessToken = value("OVH_ACCESS_TOKEN", "access_token");
  const endpoint = baseOf(name);
  const count = Object.values(keys).filter(Boolean).length;
  if (count > 0 && accessToken) throw wrong("both application keys and an access token are given");
  if (accessToken) return { endpoint, accessToken };
  if (count === 3) return { endpoint, keys };
  throw wrong(
    count === 0 ? "none were found" : "application key, application secret and consumer key belong together",
  );
}

/** A name of OVH's, or a URL as it is. */
function baseOf(name: string): string {
  if (name.includes("/")) {
    if (/^https?:\/\/[^\s/]+\/.*[^/]$/.test(name)) return name;
    throw wrong(`the endpoint ${JSON.stringify(name)} is no URL without a slash at its end`);
  }
  const known = endpoints[name];
  if (known === undefined)
    throw wrong(
      `the endpoint ${JSON.stringify(name)} is not known, expected ${Object.keys(endpoints).join(", ")} or a URL`,
    );
  return known;
}

function wrong(cause: string): FleetError {
  return new FleetError("OVH_CREDENTIALS", { cause });
}

async function readSections(
  files: readonly string[],
): Promise<Record<string, Record<string, string> | undefined>> {
  const sections: Record<string, Record<string, string>> = {};
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => "");
    for (const [name, values] of Object.entries(parse(text)))
      if (typeof values === "object" && values !== null)
        sections[name] = { ...sections[name], ...(values as Record<string, string>) };
  }
  return sections;
}
