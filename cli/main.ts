#!/usr/bin/env node
/** @module The command line `geoclic-fleet`. The only place that ends the process. */
import { CommanderError } from "commander";
import { describe, FleetError } from "../core/errors.ts";
import { exitStatusOf } from "../core/exit-status.ts";
import { type Language, languageIn } from "../core/messages/catalogue.ts";
import { terminal } from "./console.ts";
import { isHelp, usageError } from "./frame.ts";
import { makeProgram } from "./program.ts";

const env = process.env;
const words = process.argv.slice(2);
const language = chosenLanguage(words);
// A terminal that is closed, or a pipe that nobody reads, is no reason to leave a town half-way.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
const program = await makeProgram(terminal(language), language, words);

try {
  await program.parseAsync();
} catch (error) {
  if (!isHelp(error)) {
    const failure = failureOf(error);
    process.stderr.write(`${describe(failure, language)}\n`);
    if (env.GEOCLIC_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = exitStatusOf(failure);
  }
}

function failureOf(error: unknown): FleetError {
  if (error instanceof FleetError) return error;
  if (error instanceof CommanderError) return usageError(error, program, words, language);
  return new FleetError("DEFECT", { cause: error instanceof Error ? error.message : String(error) });
}

/** `--lang` counts before the rest is parsed, since help texts are made of it. `aide` speaks French to everybody. */
function chosenLanguage(argv: readonly string[]): Language {
  const index = argv.findIndex((word) => word === "--lang" || word.startsWith("--lang="));
  const given = argv[index]?.split("=")[1] ?? (index < 0 ? undefined : argv[index + 1]);
  if (given === "fr" || given === "en") return given;
  if (argv[0] === "aide") return "fr";
  return languageIn(env);
}
