/** @module A town as its citizens see it: healthy by its suite's rule, and running a release. */

import type { SshTarget } from "../core/commands/ssh.ts";
import { shownRelease, unhealthy } from "../core/health.ts";
import { httpSeconds } from "../core/limits.ts";
import { releaseRoute } from "../core/naming.ts";
import type { StepContext } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";

/** What is wrong, in English; `undefined`: healthy and on the release. Never throws for the town's failure. */
export async function townProblem(
  { get }: Pick<StepContext, "get">,
  { host }: Pick<SshTarget, "host">,
  domain: string,
  { id, adapter: { health } }: Pick<Release, "id" | "adapter">,
): Promise<string | undefined> {
  const ask = (path: string) =>
    get({ protocol: "https", host, domain, path, timeoutSeconds: httpSeconds }).catch(
      (error: Error) => error,
    );
  const [answer, shown] = await Promise.all([ask(health.path), ask(releaseRoute)]);
  if (answer instanceof Error) return `https://${domain}${health.path}: ${answer.message}`;
  const cause = unhealthy(health, answer);
  if (cause !== undefined) return `https://${domain}${health.path}: ${cause}`;
  const release = shown instanceof Error ? shown.message : (shownRelease(shown) ?? `HTTP ${shown.status}`);
  return release === id ? undefined : `https://${domain} shows the release ${release}, expected ${id}`;
}
