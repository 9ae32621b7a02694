/** @module What every command is declared with. */
import type { Command } from "commander";
import type { TextKey } from "../core/messages/catalogue.ts";
import type { Console } from "./console.ts";

export interface Session {
  readonly program: Command;
  readonly console: Console;
  /** A text in the language chosen. */
  t(key: TextKey): string;
}
