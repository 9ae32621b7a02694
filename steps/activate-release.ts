/** @module Makes a delivered release the running one, and proves it from outside. */

import { serverCommand } from "../core/commands/shell.ts";
import { FleetError } from "../core/errors.ts";
import { shownRelease, unhealthy } from "../core/health.ts";
import { activationSeconds, undoSeconds } from "../core/limits.ts";
import { releaseRoute } from "../core/naming.ts";
import type { HttpRequest, Ssh, StepContext } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import { type StepInput, sshTarget } from "../core/step/table.ts";

const step = "activation";
const gateSeconds = 60;
const followAttempts = 5;

/** @throws FleetError of the connection, of the server's executor, `HEALTH_FAILED` or `RELEASE_NOT_RUNNING` */
export async function activateRelease(context: StepContext, input: StepInput<"activation">): Promise<void> {
  const place = { client: input.client, step };
  try {
    const release = await context.releases.read(input.release);
    if (!release)
      throw new FleetError("RELEASE_UNKNOWN", {
        release: input.release,
        store: context.releases.folder,
        present: "not read",
      });
    const ssh = await context.openSsh(sshTarget(input));
    const words = ["--client", input.client, "--release", input.release, "--domain", input.domain];
    await ssh.run(step, serverCommand("activate", "start", ...words));
    // The executor undoes what it did, and the one who follows it hears of that.
    const unwatch = context.onCancelled(() => {
      ssh
        .run(step, serverCommand("activate", "cancel", ...words), { timeoutSeconds: undoSeconds })
        .catch((error: Error) => context.report(error.message));
    });
    try {
      await follow(context, ssh, words);
    } finally {
      unwatch();
    }
    await gate(context, input, release);
  } catch (error) {
    throw error instanceof FleetError ? error.at(place) : error;
  }
}

/** The executor goes on when the line is cut; following it again shows the rest. */
async function follow(context: StepContext, ssh: Ssh, words: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ssh.run(step, serverCommand("activate", "follow", ...words), {
        timeoutSeconds: activationSeconds,
        onLine: context.report,
      });
      return;
    } catch (error) {
      const cut = error instanceof FleetError && error.code === "SSH_UNREACHABLE";
      if (!cut || attempt === followAttempts) throw error;
      await context.sleep(3000);
    }
  }
}

async function gate(context: StepContext, input: StepInput<"activation">, release: Release): Promise<void> {
  const { health, routes } = release.adapter;
  await eventually(context, () => healthProblem(context, input, health));
  await eventually(context, () => releaseProblem(context, input));
  for (const route of routes) await eventually(context, () => routeProblem(context, input, route));
  context.report(`https://${input.domain} is healthy and runs ${input.release}`);
}

/** Repeats a check until it has no problem; a problem that stays is thrown. */
async function eventually(context: StepContext, check: () => Promise<FleetError | undefined>): Promise<void> {
  const end = context.now() + gateSeconds * 1000;
  for (;;) {
    const problem = await check();
    if (!problem) return;
    if (context.now() >= end) throw problem;
    await context.sleep(1000);
  }
}

async function healthProblem(
  context: StepContext,
  input: StepInput<"activation">,
  rule: Release["adapter"]["health"],
) {
  const url = `https://${input.domain}${rule.path}`;
  try {
    const cause = unhealthy(rule, await context.get(outside(input, rule.path)));
    return cause === undefined ? undefined : new FleetError("HEALTH_FAILED", { url, cause });
  } catch (error) {
    return new FleetError("HEALTH_FAILED", { url, cause: (error as Error).message });
  }
}

async function releaseProblem(context: StepContext, input: StepInput<"activation">) {
  const url = `https://${input.domain}${releaseRoute}`;
  const answer = await context.get(outside(input, releaseRoute)).catch((error: Error) => error);
  const got = answer instanceof Error ? answer.message : (shownRelease(answer) ?? `HTTP ${answer.status}`);
  if (got === input.release) return undefined;
  return new FleetError("RELEASE_NOT_RUNNING", { url, got, release: input.release });
}

async function routeProblem(context: StepContext, input: StepInput<"activation">, route: string) {
  const url = `https://${input.domain}${route}`;
  const answer = await context.get(outside(input, route)).catch((error: Error) => error);
  if (answer instanceof Error) return new FleetError("HEALTH_FAILED", { url, cause: answer.message });
  return answer.status < 500
    ? undefined
    : new FleetError("HEALTH_FAILED", { url, cause: `HTTP ${answer.status}` });
}

function outside(input: StepInput<"activation">, path: string): HttpRequest {
  return { protocol: "https", host: input.host, domain: input.domain, path };
}
