/** @module Lines of other programs, made fit for a terminal. */
import { stripVTControlCharacters } from "node:util";

/** Without what a terminal obeys: a container's line must not move the cursor, clear lines or name the window. Tabs stay. */
export function plainLine(line: string): string {
  return stripVTControlCharacters(line).replaceAll(/(?!\t)\p{Cc}/gu, "");
}
