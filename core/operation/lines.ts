/** @module A running operation as lines of text: one a client, and what is left. */
import { type Language, text } from "../messages/catalogue.ts";
import type { ClientView, OperationView } from "./journal.ts";

const marks = { done: "✓", unchanged: "=", failed: "✗", offline: "○", cancelled: "−", skipped: "·" } as const;

/** `now`: milliseconds since 1970; `expected`: seconds that a client takes, where that is known. */
export function clientLines(
  view: OperationView,
  now: number,
  expected: number | undefined,
  language: Language,
): string[] {
  const width = Math.max(0, ...view.clients.map(({ client }) => client.length));
  const lines = view.clients.map((client) => clientLine(client, width, now, language));
  const left = secondsLeft(view, now, expected);
  return left === undefined
    ? lines
    : [...lines, text("progress.eta", language, { minutes: Math.max(1, Math.round(left / 60)) })];
}

function clientLine(
  { client, outcome, release, cause, began, ended, steps }: ClientView,
  width: number,
  now: number,
  language: Language,
): string {
  const elapsed = began === undefined ? "" : `${Math.round(((ended ?? now) - began) / 1000)} s`;
  const open = steps.findLast((step) => step.ended === undefined)?.step;
  const mark = outcome ? marks[outcome] : began === undefined ? "·" : "…";
  const state = text(`outcome.${outcome ?? "waiting"}`, language);
  const told = outcome || began === undefined ? state : (open ?? steps.at(-1)?.step ?? "");
  return [mark, client.padEnd(width), told, release ?? "", elapsed, cause ?? ""].filter(Boolean).join("  ");
}

/** Of what is left, waves one after the other and the clients of one at once. */
function secondsLeft(
  { waves, clients }: OperationView,
  now: number,
  expected: number | undefined,
): number | undefined {
  if (expected === undefined || waves.length === 0) return undefined;
  const byName = new Map(clients.map((client) => [client.client, client]));
  const left = waves.map((names) =>
    Math.max(
      0,
      ...names.map((name) => {
        const client = byName.get(name);
        if (!client || client.outcome) return 0;
        return client.began === undefined ? expected : Math.max(0, expected - (now - client.began) / 1000);
      }),
    ),
  );
  return left.reduce((sum, seconds) => sum + seconds, 0);
}
