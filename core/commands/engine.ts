/** @module What Pulumi's engine says of a resource that failed, as one line for people. */
import { describe, FleetError } from "../errors.ts";
import type { Language } from "../messages/catalogue.ts";
import { lastLine, serverFailure } from "./ssh.ts";

/** What the command plugin puts before all that a command printed. */
const heading = /^(?:Process exited with status \d+|exit status \d+|signal: \w+): running ".*":$/;
const connection = /(?:after \d+ failed attempts: |dial tcp |ssh: handshake failed|unable to authenticate).*/;

/**
 * `resource`: its logical name, `client-step`. Steps on this machine tell client, step, cause and next action themselves;
 * a server's command does so in its last line, in English.
 */
export function engineFailure(resource: string | undefined, message: string, language: Language): string {
  const text = message.trim();
  if (resource === undefined) return text;
  const [, client = resource, step = ""] = /^(.+)-([a-z]+)$/.exec(resource) ?? [];
  const told = serverFailure(client, step, text);
  if (told) return describe(told, language);
  const lines = text.split("\n");
  const last = lastLine(text);
  if (heading.test(lines[0] ?? "") && last.startsWith(`${client} · `)) return last;
  const refused = connection.exec(text)?.[0];
  if (!heading.test(lines[0] ?? "") && refused)
    return describe(new FleetError("CONNECTION_FAILED", { cause: refused }, { client, step }), language);
  return `${resource}: ${text}`;
}
