/** @module What a command is: one value, from which its usage, its help and its run are made. */
import type { TextKey } from "../core/messages/catalogue.ts";
import type { Console } from "./console.ts";

export interface Argument {
  /** As help shows it: `<name>`, `[name]`, `[command...]`. */
  readonly usage: string;
  readonly help?: TextKey;
  readonly fallback?: string;
}

export interface OptionSpec {
  /** As help shows it: `--client <name>`. */
  readonly usage: string;
  readonly help: TextKey;
  readonly fallback?: string;
  readonly choices?: readonly string[];
  /** May be given several times; its value is a list. */
  readonly isRepeated?: true;
  readonly isRequired?: true;
  /** Understood, and shown by no help. */
  readonly isHidden?: true;
}

export type Group = "towns" | "servers" | "registry" | "tool";

/** A command without `run` only holds others. */
export interface CommandSpec {
  /** Words that call it, e.g. `operations list`. */
  readonly path: string;
  /** Where the program's help lists it; commands within another have none. */
  readonly group?: Group;
  readonly help: TextKey;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly OptionSpec[];
  /** Lines after the program's name. They read alike in every language. */
  readonly examples: readonly string[];
  readonly run?: (call: Call) => Promise<void>;
}

/** One call of a command. */
export interface Call {
  readonly console: Console;
  /** Values of the arguments, in their order. */
  readonly words: readonly (string | readonly string[] | undefined)[];
  /** Values of the options by their name, as commander reads them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A command whose options and arguments have types. What its `run` needs of the outside is loaded when it is called. */
export function command<Options extends object, Words extends readonly unknown[] = []>(
  spec: Omit<CommandSpec, "run"> & {
    run(console: Console, options: Options, ...words: Words): Promise<void>;
  },
): CommandSpec {
  const { run, ...declared } = spec;
  return {
    ...declared,
    run: ({ console, options, words }) => run(console, options as Options, ...(words as unknown as Words)),
  };
}
