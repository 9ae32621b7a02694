/** @module `import`: the predecessor's clients.conf becomes clients of the stack. */
import { describe } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { RequestOf } from "../../core/operation/request.ts";
import type { Found } from "../../wiring/registry.ts";
import { confirm } from "../ask.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { asAttended } from "../operation.ts";
import { commitOption, stackOption } from "../options.ts";
import { table } from "../table.ts";

interface ImportOptions {
  readonly email?: string;
  readonly townFromName?: boolean;
  readonly skipRefused?: boolean;
  readonly dryRun?: boolean;
  readonly reach: string;
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export const importClients = command({
  path: "import",
  group: "registry",
  help: "import.help",
  arguments: [{ usage: "<clients.conf>" }],
  options: [
    { usage: "--email <address>", help: "import.help.email" },
    { usage: "--town-from-name", help: "import.help.townFromName" },
    { usage: "--skip-refused", help: "import.help.skipRefused" },
    { usage: "--reach <template>", help: "import.help.reach", fallback: "{1}.{2}.{3}.{4}" },
    { usage: "--dry-run", help: "import.help.dryRun" },
    { usage: "--yes", help: "import.help.yes" },
    commitOption,
    stackOption,
  ],
  examples: ["import /opt/geoclic/fleet/clients.conf --dry-run"],
  run: (console, options: ImportOptions, path: string) =>
    asAttended(console, options.stack, requestOf(path, options), async (attended) => {
      const { yes = false, commit, stack, ...request } = options;
      const { importTowns } = await import("../../wiring/registry.ts");
      await importTowns(attended, { stack, commit }, path, request, {
        show: (found) => attended.print(shownLines(found, attended)),
        confirmHostKeys: async (found) => {
          attended.progress(text("import.keys", console.language));
          attended.progress(shownKeys(found, attended));
          if (!yes) return confirm(attended, text("import.question", console.language));
          attended.progress(text("import.unasked", console.language));
          return true;
        },
      });
    }),
});

function requestOf(path: string, options: ImportOptions): RequestOf<"import"> {
  const { email, townFromName, skipRefused, dryRun, reach } = options;
  return {
    ...{ verb: "import", path: path.slice(0, 500), reach },
    ...{ email, townFromName, skipRefused, dryRun },
  };
}

function shownLines(found: readonly Found[], { language }: Console): string {
  const head = ["line", "client", "domain", "ip", "verdict", "reason"] as const;
  const rows = found.map(({ line, problem }) => [
    String(line.line),
    plain(line.name),
    plain(line.domain),
    plain(line.ip),
    text(`verdict.${problem ? "refused" : line.verdict}`, language),
    problem ? describe(problem, language) : reasonOf(line.reason, language),
  ]);
  return table(
    head.map((name) => text(`column.${name}`, language)),
    rows,
  );
}

function reasonOf(reason: Found["line"]["reason"], language: Console["language"]): string {
  return reason ? text(`reason.${reason.kind}`, language, { detail: plain(reason.detail) }) : "";
}

function shownKeys(found: readonly Found[], { language }: Console): string {
  const head = ["client", "ip", "fingerprint"] as const;
  return table(
    head.map((name) => text(`column.${name}`, language)),
    found.flatMap(({ line, key }) => (key ? [[line.name, line.ip, key.fingerprint]] : [])),
  );
}

/** What somebody wrote into a file, without what would move the cursor. */
function plain(word: string): string {
  return word.replace(/\p{Cc}/gu, "?").slice(0, 200);
}
