/** @module Options as they are typed, read strictly. */
import { FleetError } from "../core/errors.ts";

/** @throws FleetError `OPTION_INVALID` */
export function integer(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FleetError("OPTION_INVALID", {
    option,
    got: JSON.stringify(text.slice(0, 60)),
    expected: `a whole number from ${least} to ${most}`,
  });
}

/** An option that may be given several times. */
export function collect(value: string, former: readonly string[] = []): string[] {
  return [...former, value];
}
