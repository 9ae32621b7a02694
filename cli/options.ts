/** @module Options as they are typed, read strictly. */
import { FleetError } from "../core/errors.ts";
import { defaultWaves } from "../core/rollout/waves.ts";
import type { OptionSpec } from "./command.ts";

/** @throws FleetError `OPTION_INVALID` */
export function integer(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FleetError("OPTION_INVALID", {
    option,
    got: JSON.stringify(text.slice(0, 60)),
    expected: "phrase.wholeNumber",
    least,
    most,
  });
}

/** Words between blanks or commas, as `--services "api portail"` has them. */
export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** The words without `--lang fr`, which may stand before any command. */
export function withoutLanguage(line: readonly string[]): string[] {
  return line.filter((word, at) => !word.startsWith("--lang") && line[at - 1] !== "--lang");
}

export const stackOption: OptionSpec = { usage: "--stack <name>", help: "help.stack" };
export const jsonOption: OptionSpec = { usage: "--json", help: "help.json" };
export const waitOption: OptionSpec = { usage: "--no-wait", help: "update.help.noWait" };
export const commitOption: OptionSpec = { usage: "--no-commit", help: "registry.noCommit" };
export const yesOption: OptionSpec = { usage: "--yes", help: "update.help.yes" };

/** Which towns: those named, or all. */
export const choiceOptions: readonly OptionSpec[] = [
  { usage: "--client <name>", help: "update.help.client", isRepeated: true },
  { usage: "--all", help: "update.help.all" },
];

/** How fast a rollout goes, and how it is asked for. */
export const paceOptions: readonly OptionSpec[] = [
  ...choiceOptions,
  { usage: "--waves <sizes>", help: "update.help.waves", fallback: defaultWaves },
  { usage: "--parallel <number>", help: "update.help.parallel" },
  { usage: "--soak <seconds>", help: "update.help.soak", fallback: "20" },
  { usage: "--max-failures <share>", help: "update.help.maxFailures", fallback: "10%" },
  { usage: "--without-canary", help: "update.help.withoutCanary" },
  { usage: "--plan", help: "update.help.plan" },
  yesOption,
  jsonOption,
  waitOption,
  commitOption,
  stackOption,
];

/** The fields of a client's entry. */
export const entryOptions: readonly OptionSpec[] = [
  { usage: "--domain <name>", help: "add.help.domain" },
  { usage: "--ip <address>", help: "add.help.ip" },
  { usage: "--ipv6 <address>", help: "add.help.ipv6" },
  { usage: "--service-name <vps>", help: "add.help.serviceName" },
  { usage: "--email <address>", help: "add.help.email" },
  { usage: "--town <name>", help: "add.help.town" },
  { usage: "--reach <address>", help: "add.help.reach" },
  { usage: "--ssh-user <name>", help: "add.help.sshUser" },
  { usage: "--ssh-port <port>", help: "add.help.sshPort" },
  { usage: "--host-key <key>", help: "add.help.hostKey" },
  { usage: "--canary", help: "add.help.canary" },
  { usage: "--dns <kind>", help: "add.help.dns", choices: ["managed", "external"] },
];
