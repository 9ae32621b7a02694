/** @module What the tool adds to the suite's nginx. */
import type { Adapter } from "../config/adapter.ts";
import { releaseRoute } from "../naming.ts";

/** Files added to the folder that the suite's nginx includes as `conf.d/fleet*.conf`. */
export function ingressFiles(adapter: Adapter): Record<string, string> {
  return {
    "fleet-release.conf": [
      `location = ${releaseRoute} {`,
      `    alias ${adapter.ingress.public}/release.json;`,
      "    default_type application/json;",
      '    add_header Cache-Control "no-store" always;',
      "}",
      "",
    ].join("\n"),
  };
}
