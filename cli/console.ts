/** @module Where commands print: results on standard output, progress on standard error. */
import { exitStatus } from "../core/exit-status.ts";
import type { Language } from "../core/messages/catalogue.ts";

export interface Console {
  readonly language: Language;
  print(text: string): void;
  json(value: unknown): void;
  progress(line: string): void;
  /** The command has an answer, and the answer is bad. */
  fail(): void;
  /** How the process ends, unless something is thrown: an `exitStatus`, or a remote command's own. */
  end(status: number): void;
}

export function terminal(language: Language): Console {
  return {
    language,
    print: (text) => process.stdout.write(`${text}\n`),
    json: (value) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    progress: (line) => process.stderr.write(`${line}\n`),
    fail: () => {
      process.exitCode = exitStatus.failed;
    },
    end: (status) => {
      process.exitCode = status;
    },
  };
}
