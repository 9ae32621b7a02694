/** What the engine says of passphrases. Its sentences are those of 3.259.0. */
import { expect, test, vi } from "vitest";
import { exitStatus, exitStatusOf } from "../core/exit-status.ts";
import { passphraseError } from "./passphrase.ts";

test.each([
  "error: getting stack configuration: get stack secrets manager: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /nope: no such file or directory",
  "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
  "error: incorrect passphrase",
])("%s", (said) => {
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE_FILE", "/nope");
  const error = passphraseError(said, "prod");
  expect(error).toMatchObject({ code: "PASSPHRASE_WRONG", values: { stack: "prod", file: "/nope" } });
  expect(error && exitStatusOf(error)).toBe(exitStatus.badInput);
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE_FILE", undefined);
  expect(passphraseError(said, "prod")?.message).toContain("now: PULUMI_CONFIG_PASSPHRASE_FILE is not set");
  vi.unstubAllEnvs();
});

test("another failure is none of the passphrase", () => {
  expect(passphraseError("error: no stack named 'prod' found", "prod")).toBeUndefined();
});
