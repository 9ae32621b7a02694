/** @module `test-ssh`: which step of a server's SSH connection fails. */
import { address as hostAddress, sshUser } from "../../core/config/stack.ts";
import { describe, FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { SshTest } from "../../wiring/servers.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { integer, jsonOption, stackOption } from "../options.ts";
import { table } from "../table.ts";

interface TestSshOptions {
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

export const testSsh = command({
  path: "test-ssh",
  group: "servers",
  help: "help.testSsh",
  arguments: [
    { usage: "[ip]", help: "help.testSsh.ip" },
    { usage: "[user]", help: "help.testSsh.user", fallback: "ubuntu" },
    { usage: "[port]", help: "help.testSsh.port", fallback: "22" },
  ],
  options: [
    { usage: "--client <name>", help: "help.clientName" },
    { usage: "--timeout <seconds>", help: "help.timeout", fallback: "10" },
    jsonOption,
    stackOption,
  ],
  examples: ["test-ssh 51.210.42.100 ubuntu 22", "test-ssh --client ville-lyon"],
  run: (console, options: TestSshOptions, ip: string | undefined, user: string, port: string) =>
    run(console, { ip, user, port }, options),
});

async function run(console: Console, address: Address, options: TestSshOptions): Promise<void> {
  const timeout = integer("--timeout", options.timeout, 1, 600);
  const target = await targetOf(address, options);
  const { tryServer } = await import("../../wiring/servers.ts");
  const result = await tryServer(target, timeout);
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
  const { oneTarget, targetAt } = await import("../../wiring/fleet.ts");
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
