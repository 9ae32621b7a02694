/** @module The name that a stack goes by in the store. */
import { FleetError } from "../../../core/errors.ts";

/** Without organization and project. @throws FleetError `STACK_NAME_INVALID` */
export function stackName(stack: string): string {
  const name = stack.split("/").at(-1) ?? "";
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(name)) return name;
  throw new FleetError("STACK_NAME_INVALID", { stack: JSON.stringify(stack.slice(0, 60)) });
}
