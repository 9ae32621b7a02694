/** @module Asks a town again and again, and tells for how long it gave no good answer. */
import { get } from "../../adapters/http.ts";
import type { TestTown } from "./town.ts";

export interface Outage {
  readonly requests: number;
  readonly failed: number;
  /** From the start of the first request that failed to the start of the next good one, the longest of them. */
  readonly longestSeconds: number;
}

const everyMilliseconds = 100;

/** Begins at once. `stop` tells what was seen, by path. A good answer: 200, and healthy where it is the health. */
export function watchTown(town: TestTown, paths: readonly string[]) {
  let isOn = true;
  const watches = paths.map(async (path) => {
    const asked: Promise<{ at: number; isGood: boolean }>[] = [];
    while (isOn) {
      const at = performance.now();
      const answer = get({
        protocol: "https",
        host: town.server.reach,
        domain: town.domain,
        path,
        timeoutSeconds: 3,
      });
      asked.push(
        answer.then(
          ({ status, body }) => ({
            at,
            isGood: status === 200 && (!path.endsWith("/health") || body.includes('"status":"healthy"')),
          }),
          () => ({ at, isGood: false }),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, everyMilliseconds));
    }
    return [path, outage(await Promise.all(asked))] as const;
  });
  return {
    async stop(): Promise<Record<string, Outage>> {
      isOn = false;
      return Object.fromEntries(await Promise.all(watches));
    },
  };
}

function outage(answers: readonly { at: number; isGood: boolean }[]): Outage {
  let since: number | undefined;
  let longest = 0;
  for (const { at, isGood } of answers) {
    if (isGood && since !== undefined) {
      longest = Math.max(longest, at - since);
      since = undefined;
    } else if (!isGood) since ??= at;
  }
  const end = answers.at(-1)?.at ?? 0;
  if (since !== undefined) longest = Math.max(longest, end - since);
  return {
    requests: answers.length,
    failed: answers.filter(({ isGood }) => !isGood).length,
    longestSeconds: Math.round(longest / 100) / 10,
  };
}
