/** @module Questions to whoever runs the command. Without a terminal nobody is asked, and nothing is assumed. */
import { openSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { type Readable, Writable } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";
import { FleetError } from "../core/errors.ts";
import { text } from "../core/messages/catalogue.ts";
import type { Console } from "./console.ts";

/** Where questions are put; a test has its own. */
export interface Asked {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
}

const terminal: Asked = { input: process.stdin, output: process.stderr };

/** A yes or a no; anything else is a no. @throws FleetError `QUESTION_UNANSWERED` without a terminal */
export async function confirm(console: Console, question: string, asked = terminal): Promise<boolean> {
  const hint = text("ask.yesNo", console.language);
  return /^(o|oui|y|yes)$/i.test(await ask(`${question} ${hint} `, asked));
}

/** Whether the very word was typed. @throws FleetError `QUESTION_UNANSWERED` without a terminal */
export async function typed(
  console: Console,
  question: string,
  expected: string,
  asked = terminal,
): Promise<boolean> {
  const hint = text("ask.typed", console.language, { expected });
  return (await ask(`${question} ${hint} `, asked)) === expected;
}

/** A line of text. @throws FleetError `QUESTION_UNANSWERED` without a terminal, or at its end */
export async function ask(question: string, { input, output }: Asked = terminal): Promise<string> {
  if (!input.isTTY) throw new FleetError("QUESTION_UNANSWERED", { question: question.trim() });
  const lines = createInterface({ input, output });
  try {
    const ended = new Promise<undefined>((resolve) => lines.once("close", () => resolve(undefined)));
    const answer = await Promise.race([lines.question(question), ended]);
    if (answer === undefined) throw new FleetError("QUESTION_UNANSWERED", { question: question.trim() });
    return answer.trim();
  } finally {
    lines.close();
  }
}

/** A secret: the first line of standard input, or typed without being shown where that is a terminal. */
export async function secretLine(question: string): Promise<string> {
  if (terminal.input.isTTY) return hidden(question);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString().split("\n")[0] ?? "";
}

/** Where questions are put when standard input holds something else; without a terminal nobody is asked. */
export function controllingTerminal(): Asked {
  if (terminal.input.isTTY) return terminal;
  try {
    const descriptor = openSync("/dev/tty", "r+");
    return { input: new ReadStream(descriptor), output: new WriteStream(descriptor) };
  } catch {
    return terminal;
  }
}

/** A secret, typed without being shown. @throws FleetError `QUESTION_UNANSWERED` without a terminal */
export async function hidden(question: string, { input, output }: Asked = terminal): Promise<string> {
  if (!input.isTTY) throw new FleetError("QUESTION_UNANSWERED", { question: question.trim() });
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  output.write(`${question} `);
  const lines = createInterface({ input, output: muted, terminal: true });
  try {
    const ended = new Promise<undefined>((resolve) => lines.once("close", () => resolve(undefined)));
    const answer = await Promise.race([lines.question(""), ended]);
    if (answer === undefined) throw new FleetError("QUESTION_UNANSWERED", { question: question.trim() });
    return answer;
  } finally {
    lines.close();
    output.write("\n");
  }
}
