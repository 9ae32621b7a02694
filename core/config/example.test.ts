/** The stack files of the repository are valid. Not proven: that their towns exist. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseStackConfig } from "./stack.ts";
import { readStackValues } from "./values.ts";

test.each([
  ["Pulumi.prod.yaml", "fleet"],
  ["Pulumi.master.yaml", "master"],
])("%s describes a %s", (file, role) => {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const flat = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  expect(parseStackConfig(readStackValues(Object.fromEntries(flat), "geoclic-fleet")).role).toBe(role);
});
