/** @module `init`: the administrator, the town's name and, where wanted, demonstration data of a running town. */
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { hidden, secretLine } from "../ask.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { commitOption, stackOption, waitOption } from "../options.ts";

interface InitOptions {
  readonly client?: string;
  readonly name?: string;
  readonly email?: string;
  readonly collectivite?: string;
  readonly town?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
  readonly withDemo?: boolean;
  readonly commit: boolean;
  readonly wait: boolean;
  readonly stack?: string;
}

export const init = command({
  path: "init",
  group: "towns",
  help: "init.help",
  options: [
    { usage: "--client <name>", help: "init.help.client" },
    { usage: "--email <address>", help: "init.help.email" },
    { usage: "--collectivite <name>", help: "init.help.town" },
    { usage: "--town <name>", help: "init.help.town", isHidden: true },
    { usage: "--password <text>", help: "init.help.password", isHidden: true },
    { usage: "--password-stdin", help: "init.help.passwordStdin" },
    { usage: "--with-demo", help: "init.help.withDemo" },
    waitOption,
    commitOption,
    stackOption,
  ],
  examples: [
    "init --client ville-lyon --collectivite 'Mairie de Lyon'",
    "init --client ville-test --with-demo",
  ],
  run: (console, options: InitOptions) => run(console, options),
});

async function run(console: Console, options: InitOptions): Promise<void> {
  if (options.password !== undefined) throw new FleetError("PASSWORD_SHOWN");
  const { email, collectivite, town = collectivite, withDemo } = options;
  const client = options.client ?? options.name;
  const { openInit } = await import("../../wiring/init.ts");
  const { stack, request, work } = await openInit(console, options, { client, email, town, withDemo });
  const question = text("init.password", console.language);
  const password = options.passwordStdin ? await secretLine(question) : await hidden(question);
  await asOperation(console, stack, { request, wait: options.wait }, work(password));
}
