/** @module What asks a server for its containers' logs. */
import { FleetError } from "../errors.ts";
import type { Release } from "../release/release.ts";
import { type Command, untilClosed, withinSeconds } from "./shell.ts";

export interface LogsChoice {
  readonly service: string;
  /** 1 to 10000. */
  readonly lines: number;
  readonly follow: boolean;
  /** `10m`, `2h`, `30s`, or a time of ISO 8601. */
  readonly since?: string | undefined;
}

export const logsSeconds = 60;

const since = /^(\d{1,6}[smh]|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?)$/;

/**
 * Logs of a service's containers, those of a replacement included.
 * @throws FleetError `SERVICE_UNKNOWN`, `OPTION_INVALID`
 */
export function logsCommand(release: Pick<Release, "project" | "services">, choice: LogsChoice): Command {
  if (!Object.hasOwn(release.services, choice.service))
    throw new FleetError("SERVICE_UNKNOWN", {
      name: JSON.stringify(choice.service.slice(0, 60)),
      known: Object.keys(release.services).join(", "),
    });
  if (choice.since !== undefined && !since.test(choice.since))
    throw new FleetError("OPTION_INVALID", {
      option: "--since",
      got: JSON.stringify(choice.since.slice(0, 60)),
      expected: "phrase.since",
    });
  const options = [
    "--no-color",
    // Of two containers of a service the text tells them apart, their names do not.
    "--no-log-prefix",
    "--tail",
    String(choice.lines),
    ...(choice.since === undefined ? [] : ["--since", choice.since]),
    ...(choice.follow ? ["--follow"] : []),
  ];
  const words: Command = [
    "sudo",
    "-n",
    "docker",
    "compose",
    "-p",
    release.project,
    "logs",
    ...options,
    "--",
    choice.service,
  ];
  return choice.follow ? untilClosed(words) : withinSeconds(logsSeconds, words);
}
