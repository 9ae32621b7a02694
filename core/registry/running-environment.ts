/** @module What the predecessor's containers run with, against what its files say today: a file may have been edited since. */
import { z } from "zod";
import type { Command } from "../commands/shell.ts";

/** Nothing is there to ask: no folder, or no container of it. */
export const nothingRuns = 3;

/**
 * Prints what Compose makes of the folder's files, then the environment of each container that runs of them, a line of JSON each.
 * Secrets in clear: never print what it answers.
 */
export function showRunning(folder: string): Command {
  const label = "label=com.docker.compose";
  const format =
    '{"service":{{json (index .Config.Labels "com.docker.compose.service")}},"env":{{json .Config.Env}}}';
  const script = [
    `cd "$1" 2>/dev/null || exit ${nothingRuns}`,
    `ids=$(docker ps -q --filter "${label}.project.working_dir=$1" --filter ${label}.oneoff=False) || exit 1`,
    `[ -n "$ids" ] || exit ${nothingRuns}`,
    "described=$(docker compose config --format json) || exit 1",
    'printf %s "$described" | tr -d "\\n"; echo',
    'docker inspect --type container --format "$2" $ids',
  ].join("\n");
  return ["sudo", "-n", "sh", "-c", script, "sh", folder, format];
}

/** Compose doubles a `$` in what it shows. */
const Value = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((value) => String(value).replaceAll("$$", () => "$"));
const Described = z.object({
  services: z.record(z.string(), z.object({ environment: z.record(z.string(), Value.nullable()).nullish() })),
});
const Running = z.object({ service: z.string(), env: z.array(z.string()).nullable() });

/**
 * Secrets that the files give another value than containers run with, e.g. `DB_PASSWORD (DATABASE_URL of api)`.
 * @throws Error when the text is not what `showRunning` prints
 */
export function differingSecrets(text: string, secrets: Readonly<Record<string, string>>): string[] {
  const [first = "", ...rest] = text.split("\n").filter(Boolean);
  const { services } = Described.parse(JSON.parse(first));
  const found = rest.flatMap((line) => {
    const { service, env } = Running.parse(JSON.parse(line));
    const running = new Map((env ?? []).map((pair) => splitOnce(pair)));
    return Object.entries(services[service]?.environment ?? {}).flatMap(([key, value]) => {
      // What a database's image was given counts at its first start only.
      if (value === null || key.startsWith("POSTGRES_") || !running.has(key) || running.get(key) === value)
        return [];
      return Object.entries(secrets)
        .filter(([, secret]) => value.includes(secret))
        .map(([name]) => `${name} (${key} of ${service})`);
    });
  });
  return [...new Set(found)].sort();
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
}
