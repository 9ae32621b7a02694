/** @module `test-ssh`: which step of a server's SSH connection fails. */
import { scanHostKey } from "../../outside/host-key.ts";
import { openSsh } from "../../outside/ssh.ts";
import { address as hostAddress, sshUser } from "../../core/config/stack.ts";
import { describe, FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { type SshTest, testSsh as tryServer } from "../../verbs/test-ssh.ts";
import type { Console } from "../console.ts";
import { oneTarget, targetAt } from "../../wiring/fleet.ts";
import { integer } from "../options.ts";
import { table } from "../table.ts";

export interface TestSshOptions {
  readonly client?: string;
  readonly timeout: string;
  readonly json?: boolean;
  readonly stack?: string;
}

interface Address {
  readonly ip: string | undefined;
  readonly user: string;
  readonly port: string;
}

export async function testSsh(console: Console, address: Address, options: TestSshOptions): Promise<void> {
  const timeout = integer("--timeout", options.timeout, 1, 600);
  const target = await targetOf(address, options);
  const result = await tryServer({ scanHostKey, openSsh }, target, timeout);
  if (result.status === "failed") console.fail();
  if (options.json) return console.json(asJson(result));
  console.print(shown(console, result));
}

async function targetOf({ ip, user, port }: Address, { client, stack }: TestSshOptions) {
  if ((client === undefined) === (ip === undefined))
    throw new FleetError("OPTION_INVALID", {
      option: "test-ssh",
      got: client === undefined ? "-" : `${JSON.stringify(ip?.slice(0, 60))} --client`,
      expected: "phrase.ipOrClient",
    });
  if (client !== undefined) return oneTarget(stack, client);
  if (!hostAddress.safeParse(ip).success)
    throw new FleetError("OPTION_INVALID", {
      option: "IP",
      got: JSON.stringify(ip?.slice(0, 60)),
      expected: "phrase.hostAddress",
    });
  if (!sshUser.safeParse(user).success)
    throw new FleetError("OPTION_INVALID", {
      option: "USER",
      got: JSON.stringify(user.slice(0, 60)),
      expected: "phrase.userName",
    });
  const known = await targetAt(stack, String(ip));
  const given = { host: String(ip), user, port: integer("PORT", port, 1, 65_535) };
  return { client: known?.client ?? "server", ...given, hostKey: known?.hostKey };
}

/** `status` and `error` as programs of the predecessor read them. */
function asJson({ steps, ...result }: SshTest): Record<string, unknown> {
  const error = steps.at(-1)?.error;
  return {
    ...result,
    ...(error ? { error: error.message, code: error.code } : {}),
    steps: steps.map((each) => ({ step: each.step, status: each.error ? "failed" : "ok" })),
  };
}

function shown({ language }: Console, { steps, fingerprint = "-", isPinned }: SshTest): string {
  const rows = steps.map(({ step, error }) => {
    const ok =
      step === "hostKey"
        ? text(isPinned ? "testSsh.pinned" : "testSsh.unpinned", language, { fingerprint })
        : text("testSsh.ok", language);
    const key = step === "hostKey" && error ? `${fingerprint}: ` : "";
    const cause = error ? `${key}${describe(error, language)}` : "";
    return [text(`testSsh.${step}`, language), error ? text("testSsh.failed", language, { cause }) : ok];
  });
  return table([text("column.step", language), text("column.result", language)], rows);
}
