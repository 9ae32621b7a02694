/** @module When a town that is watched after its update counts as ill. One answer that is lost on the way is no illness. */

export interface Looks {
  readonly total: number;
  readonly bad: number;
  /** Bad ones since the last good one. */
  readonly streak: number;
  /** The last one that was found. */
  readonly problem?: string;
}

/** Bad looks in a row that end the soak of a town at once. */
const streakAllowed = 2;
/** Share of bad looks in the whole soak that is borne, if there is more than one. */
const shareAllowed = 0.25;

export const noLooks: Looks = { total: 0, bad: 0, streak: 0 };

export function withLook({ total, bad, streak, problem }: Looks, found: string | undefined): Looks {
  if (found !== undefined) return { total: total + 1, bad: bad + 1, streak: streak + 1, problem: found };
  return { total: total + 1, bad, streak: 0, ...(problem === undefined ? {} : { problem }) };
}

/** Ill while the soak still goes on. */
export function isIll({ streak }: Looks): boolean {
  return streak > streakAllowed;
}

/** Ill by the whole soak. */
export function wasIll(looks: Looks): boolean {
  return isIll(looks) || (looks.bad > 1 && looks.bad > looks.total * shareAllowed);
}
