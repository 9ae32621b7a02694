/** @module Towns as they are seen from outside while a rollout goes on. */
import pMap from "p-map";
import type { ClientConfig } from "../../core/config/stack.ts";
import { isIll, type Looks, noLooks, wasIll, withLook } from "../../core/rollout/soak.ts";
import type { RolloutContext } from "./roll-out.ts";

/** Towns that are asked at once: each one costs a handshake, and up to 8 s. */
export const atOnce = 20;
const soakEverySeconds = 5;
const proofSeconds = 60;

/** A problem that is still there after a minute. */
export async function lastingProblem(
  context: Pick<RolloutContext, "problem" | "now" | "sleep">,
  client: ClientConfig,
  release: string,
): Promise<string | undefined> {
  const end = context.now() + proofSeconds * 1000;
  for (;;) {
    const problem = await context.problem(client, release);
    if (problem === undefined || context.now() >= end) return problem;
    await context.sleep(1000);
  }
}

/**
 * Watches towns for the whole time. `onIll` gets those that are ill as soon as that is certain; they are watched no more.
 * A town whose last look was bad is looked at until it is one or the other.
 */
export async function soak(
  context: Pick<RolloutContext, "problem" | "now" | "sleep">,
  towns: readonly { readonly client: ClientConfig; readonly release: string }[],
  seconds: number,
  { onLook, onIll }: { onLook(): void; onIll(ill: ReadonlyMap<ClientConfig, Looks>): Promise<void> },
): Promise<void> {
  const end = context.now() + seconds * 1000;
  const looks = new Map(towns.map(({ client }) => [client, noLooks]));
  for (;;) {
    const isOver = context.now() >= end;
    const left = towns.filter(({ client }) => {
      const known = looks.get(client);
      return known && (!isOver || known.total === 0 || known.streak > 0);
    });
    if (left.length === 0) break;
    await context.sleep(isOver ? 1000 : Math.min(soakEverySeconds * 1000, end - context.now()));
    onLook();
    await pMap(
      left,
      async ({ client, release }) => {
        const found = await context.problem(client, release);
        looks.set(client, withLook(looks.get(client) ?? noLooks, found));
      },
      { concurrency: atOnce },
    );
    await tell(isIll);
  }
  await tell(wasIll);

  async function tell(isSo: (known: Looks) => boolean): Promise<void> {
    const ill = new Map([...looks].filter(([, known]) => isSo(known)));
    for (const client of ill.keys()) looks.delete(client);
    if (ill.size > 0) await onIll(ill);
  }
}
