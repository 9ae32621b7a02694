/** @module Names of stacks as they are typed: `prod`, or whole as `organisation/project/prod`. */
import { FleetError } from "../errors.ts";

/** @returns the name as it stands in a file's. @throws FleetError `STACK_NAME_INVALID` */
export function stackName(given: string): string {
  if (/^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\/){0,2}[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(given))
    return given.split("/").at(-1) ?? given;
  throw new FleetError("STACK_NAME_INVALID", { stack: JSON.stringify(given.slice(0, 60)) });
}
