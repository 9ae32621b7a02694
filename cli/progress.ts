/** @module An operation as it goes: one line a client in a terminal, plain lines elsewhere. On standard error. */
import { createLogUpdate } from "log-update";
import { text } from "../core/messages/catalogue.ts";
import { type OperationEvent, readOperation } from "../core/operation/journal.ts";
import { clientLines } from "../core/operation/lines.ts";
import type { Console } from "./console.ts";

export interface Progress {
  show(event: OperationEvent): void;
  close(): void;
}

/** `expected`: seconds that a client took in former operations. */
export function openProgress(console: Console, expected: number | undefined): Progress {
  return process.stderr.isTTY && !process.env.CI ? live(console, expected) : plain(console);
}

function live(console: Console, expected: number | undefined): Progress {
  const update = createLogUpdate(process.stderr);
  const events: OperationEvent[] = [];
  let shownLine = "";
  const draw = () => {
    const view = readOperation(events, true);
    if (!view) return;
    const lines = clientLines(view, Date.now(), expected, console.language);
    update([...lines, shownLine].filter(Boolean).join("\n"));
  };
  const timer = setInterval(draw, 500);
  return {
    show(event) {
      if (event.kind === "line")
        shownLine = `  ${event.client ? `${event.client} | ` : ""}${event.text}`.slice(0, 200);
      else events.push(event);
      draw();
    },
    close() {
      clearInterval(timer);
      shownLine = "";
      draw();
      update.done();
    },
  };
}

function plain(console: Console): Progress {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  const show = (event: OperationEvent) => {
    switch (event.kind) {
      case "line":
        console.progress(event.client ? `${event.client} | ${event.text}` : event.text);
        break;
      case "step":
        console.progress(`${event.client} · ${event.step}…`);
        break;
      case "step-end":
        console.progress(`${event.client} · ${event.step}: ${event.ok ? "ok" : t("outcome.failed")}`);
        break;
      case "client":
        console.progress(
          [`${event.client}: ${t(`outcome.${event.outcome}`)}`, event.release, event.cause]
            .filter(Boolean)
            .join(" · "),
        );
        break;
      case "begin":
      case "plan":
      case "wave":
      case "end":
    }
  };
  return { show, close: () => {} };
}
