/**
 * Imports go one way: the linter says so, and where to go instead.
 * Not proven: imports made by `require` or by a computed name, which the linter does not see.
 */
import { beforeAll, expect, test } from "vitest";
import { type Finding, lint } from "../test/helpers/lint.ts";

const refused = [
  ["core/x.ts", "../outside/ssh.ts", "core/ is pure"],
  ["core/store/x.ts", "../../outside/store/store.ts", "core/ is pure"],
  ["core/x.ts", "kysely", "core/ does no I/O"],
  ["core/x.ts", "../stacks/fleet.ts", "core/ is pure"],
  ["core/x.ts", "../toolchain/record.ts", "core/ is pure"],
  ["core/release/x.ts", "../../verbs/x.ts", "core/ is pure"],
  ["core/release/x.ts", "../../components/x.ts", "core/ is pure"],
  ["core/release/x.ts", "../../cli/main.ts", "core/ is pure"],
  ["core/x.ts", "node:fs", "core/ does no I/O"],
  ["core/x.ts", "node:fs/promises", "core/ does no I/O"],
  ["core/x.ts", "node:timers/promises", "core/ does no I/O"],
  ["core/x.ts", "fs", "core/ does no I/O"],
  ["core/x.ts", "execa", "core/ does no I/O"],
  ["core/x.ts", "@pulumi/pulumi", "core/ does not know Pulumi"],
  ["core/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["components/x.ts", "../outside/ssh.ts", "components/ only wire"],
  ["components/x.ts", "../verbs/x.ts", "components/ only wire"],
  ["components/x.ts", "../stacks/fleet.ts", "components/ only wire"],
  ["components/x.ts", "../cli/main.ts", "components/ only wire"],
  ["components/x.ts", "node:fs", "components/ only wire"],
  ["components/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["stacks/x.ts", "../outside/suite-source.ts", "index.ts reads what they need"],
  ["stacks/x.ts", "../verbs/x.ts", "index.ts reads what they need"],
  ["stacks/x.ts", "node:fs/promises", "index.ts reads what they need"],
  ["stacks/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["index.ts", "./verbs/x.ts", "index.ts builds a stack"],
  ["index.ts", "./components/x.ts", "index.ts builds a stack"],
  ["index.ts", "./outside/ssh.ts", "index.ts builds a stack"],
  ["index.ts", "./lab/server.ts", "nothing that ships may need them"],
  ["verbs/x.ts", "../outside/ssh.ts", "by a context"],
  ["verbs/x.ts", "../cli/main.ts", "by a context"],
  ["verbs/x.ts", "../components/x.ts", "by a context"],
  ["verbs/x.ts", "node:net", "by a context"],
  ["verbs/x.ts", "execa", "by a context"],
  ["verbs/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["steps/x.ts", "../outside/ssh.ts", "by a context"],
  ["steps/x.ts", "../wiring/fleet.ts", "by a context"],
  ["verbs/x.ts", "../wiring/fleet.ts", "by a context"],
  ["wiring/x.ts", "../cli/console.ts", "no door is known here"],
  ["wiring/x.ts", "../stacks/fleet.ts", "no door is known here"],
  ["wiring/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["outside/x.ts", "../verbs/x.ts", "does not know who uses it"],
  ["outside/x.ts", "../steps/x.ts", "does not know who uses it"],
  ["outside/x.ts", "../wiring/x.ts", "does not know who uses it"],
  ["outside/images/x.ts", "../../cli/main.ts", "does not know who uses it"],
  ["outside/store/x.ts", "../../verbs/x.ts", "does not know who uses it"],
  ["outside/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["cli/x.ts", "../outside/ssh.ts", "cli/ is a door"],
  ["cli/x.ts", "../verbs/back-up.ts", "cli/ is a door"],
  ["cli/commands/x.ts", "../../steps/check-record.ts", "cli/ is a door"],
  ["cli/x.ts", "../stacks/fleet.ts", "the program is Pulumi's to run"],
  ["cli/commands/x.ts", "../../components/client-server.ts", "the program is Pulumi's to run"],
  ["cli/commands/x.ts", "../../lab/server.ts", "nothing that ships may need them"],
  ["cli/x.ts", "../test/helpers/fake-context.ts", "nothing that ships may need them"],
  ["toolchain/x.ts", "../outside/ssh.ts", "knows nothing of the fleet"],
  ["toolchain/x.ts", "../lab/server.ts", "nothing that ships may need them"],
] as const;

const allowed = [
  ["core/x.ts", "node:crypto"],
  ["core/x.ts", "node:path"],
  ["core/x.ts", "zod"],
  ["core/x.ts", "./errors.ts"],
  ["core/release/x.ts", "../config/adapter.ts"],
  ["core/x.test.ts", "../outside/ssh.ts"],
  ["verbs/x.ts", "p-map"],
  ["components/x.ts", "../core/naming.ts"],
  ["components/x.ts", "./local-step.ts"],
  ["components/x.ts", "@pulumi/pulumi"],
  ["stacks/x.ts", "../components/client-server.ts"],
  ["stacks/x.ts", "../core/config/stack.ts"],
  ["index.ts", "./outside/suite-source.ts"],
  ["index.ts", "./stacks/fleet.ts"],
  ["index.ts", "@pulumi/pulumi"],
  ["verbs/x.ts", "../core/ports.ts"],
  ["verbs/x.ts", "zod"],
  ["outside/x.ts", "node:fs/promises"],
  ["outside/images/x.ts", "../file-tree.ts"],
  ["outside/x.ts", "../core/ports.ts"],
  ["outside/store/x.ts", "kysely"],
  ["cli/x.ts", "../wiring/fleet.ts"],
  ["wiring/x.ts", "../verbs/read-status.ts"],
  ["wiring/x.ts", "../steps/check-record.ts"],
  ["wiring/x.ts", "../outside/ssh.ts"],
  ["wiring/x.ts", "../toolchain/record.ts"],
  ["lab/x.ts", "../outside/pulumi.ts"],
  ["test/x.ts", "../lab/server.ts"],
] as const;

const forms = [
  ["outside/form-type.ts", `import type { x } from "../verbs/x.ts";\nexport type y = typeof x;\n`],
  ["outside/form-export.ts", `export { x } from "../verbs/x.ts";\n`],
  ["outside/form-dynamic.ts", `export const x = await import("../verbs/x.ts");\n`],
  ["outside/form-effect.ts", `import "../verbs/x.ts";\n`],
] as const;

let findings: Finding[];

/** Line of the case's import in its file. */
function lineOf(path: string, module: string): number {
  return linesOf(path).indexOf(module) + 1;
}

function linesOf(path: string): string[] {
  return [...refused, ...allowed].filter(([each]) => each === path).map(([, module]) => module);
}

function messages(path: string, line: number): string[] {
  return findings
    .filter((finding) => finding.path === path && finding.line === line)
    .map(({ message }) => message);
}

beforeAll(async () => {
  const paths = [...new Set([...refused, ...allowed].map(([path]) => path))];
  const text = (path: string) =>
    linesOf(path)
      .map((module, index) => `export { x${index} } from "${module}";\n`)
      .join("");
  findings = await lint({
    ...Object.fromEntries(paths.map((path) => [path, text(path)])),
    ...Object.fromEntries(forms),
  });
});

test.each(refused)("%s may not import %s", (path, module, message) => {
  expect(messages(path, lineOf(path, module)).join("\n")).toContain(message);
});

test.each(allowed)("%s may import %s", (path, module) => {
  expect(messages(path, lineOf(path, module))).toEqual([]);
});

test.each(forms)("every form of import counts: %s", (path) => {
  expect(messages(path, 1).join("\n")).toContain("does not know who uses it");
});
