/** @module What a rotation of the fleet's key does next: told by the master stack, never by memory. */

/** A generation of the fleet's key that the master stack holds. */
export interface HeldKey {
  readonly generation: number;
  /** `ssh-ed25519 AAAA… geoclic-fleet` */
  readonly publicKey: string;
}

export type RotationStep =
  /** These generations are to be declared: a rotation begins, or its file had forgotten it. */
  | { readonly step: "begin"; readonly generations: readonly number[] }
  /** What is declared is not made yet. */
  | { readonly step: "make" }
  /** Both keys are there: servers go over from one to the other. */
  | { readonly step: "roll"; readonly from: HeldKey; readonly to: HeldKey }
  /** A key that is declared no more is still held. */
  | { readonly step: "drop"; readonly keys: readonly HeldKey[] };

/** `declared`: generations in the master stack's file; `held`: what its last `up` left, both oldest first. */
export function nextStep(declared: readonly number[], held: readonly HeldKey[]): RotationStep {
  const generations = held.map(({ generation }) => generation);
  const newest = Math.max(...declared);
  // An old file (another checkout, a revert): servers may know nothing but the newer key by now.
  if (generations.some((generation) => generation > newest)) return { step: "begin", generations };
  if (declared.some((generation) => !generations.includes(generation))) return { step: "make" };
  const left = held.filter(({ generation }) => !declared.includes(generation));
  if (left.length > 0) return { step: "drop", keys: left };
  const [from, to] = held;
  if (from && to) return { step: "roll", from, to };
  return { step: "begin", generations: [newest, newest + 1] };
}

export type ServerStep = "add" | "prove" | "remove" | "done";

/** `isProven`: by a connection of this run that only the new key could open. */
export function nextServerStep(server: {
  readonly hasOld: boolean;
  readonly hasNew: boolean;
  readonly isProven: boolean;
}): ServerStep {
  if (!server.hasNew) return "add";
  if (!server.isProven) return "prove";
  return server.hasOld ? "remove" : "done";
}
