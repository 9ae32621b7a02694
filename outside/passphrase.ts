/** @module A passphrase of a stack that is missing or wrong. */
import { lastLine } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";

/** What the engine says of it, as an error that tells where it is read from. */
export function passphraseError(said: string, stack: string): FleetError | undefined {
  if (!/PULUMI_CONFIG_PASSPHRASE|incorrect passphrase/.test(said)) return undefined;
  const { PULUMI_CONFIG_PASSPHRASE_FILE: file } = process.env;
  const read = file === undefined ? "phrase.passphraseUnset" : file;
  return new FleetError("PASSPHRASE_WRONG", { stack, cause: lastLine(said), file: read });
}
