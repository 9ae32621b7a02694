/**
 * Imports go one way: the linter says so, and where to go instead.
 * Not proven: imports made by `require` or by a computed name, which the linter does not see.
 */
import { beforeAll, expect, test } from "vitest";
import { type Finding, lint } from "../test/helpers/lint.ts";

const refused = [
  ["core/x.ts", "../adapters/ssh.ts", "core/ is pure"],
  ["core/x.ts", "../stacks/fleet.ts", "core/ is pure"],
  ["core/x.ts", "../toolchain/record.ts", "core/ is pure"],
  ["core/release/x.ts", "../../operations/x.ts", "core/ is pure"],
  ["core/release/x.ts", "../../components/x.ts", "core/ is pure"],
  ["core/release/x.ts", "../../cli/main.ts", "core/ is pure"],
  ["core/x.ts", "node:fs", "core/ does no I/O"],
  ["core/x.ts", "node:fs/promises", "core/ does no I/O"],
  ["core/x.ts", "node:timers/promises", "core/ does no I/O"],
  ["core/x.ts", "fs", "core/ does no I/O"],
  ["core/x.ts", "execa", "core/ does no I/O"],
  ["core/x.ts", "@pulumi/pulumi", "core/ does not know Pulumi"],
  ["core/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["components/x.ts", "../adapters/ssh.ts", "components/ only wire"],
  ["components/x.ts", "../operations/x.ts", "components/ only wire"],
  ["components/x.ts", "../stacks/fleet.ts", "components/ only wire"],
  ["components/x.ts", "../cli/fleet.ts", "components/ only wire"],
  ["components/x.ts", "node:fs", "components/ only wire"],
  ["components/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["stacks/x.ts", "../adapters/suite-source.ts", "index.ts reads what they need"],
  ["stacks/x.ts", "../operations/x.ts", "index.ts reads what they need"],
  ["stacks/x.ts", "node:fs/promises", "index.ts reads what they need"],
  ["stacks/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["index.ts", "./operations/x.ts", "index.ts builds a stack"],
  ["index.ts", "./components/x.ts", "index.ts builds a stack"],
  ["index.ts", "./adapters/ssh.ts", "index.ts builds a stack"],
  ["index.ts", "./lab/server.ts", "nothing that ships may need them"],
  ["operations/x.ts", "../adapters/ssh.ts", "by a context"],
  ["operations/x.ts", "../cli/context.ts", "by a context"],
  ["operations/x.ts", "../components/x.ts", "by a context"],
  ["operations/x.ts", "node:net", "by a context"],
  ["operations/x.ts", "execa", "by a context"],
  ["operations/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["adapters/x.ts", "../operations/x.ts", "do not know who uses them"],
  ["adapters/images/x.ts", "../../cli/fleet.ts", "do not know who uses them"],
  ["adapters/x.ts", "../lab/server.ts", "nothing that ships may need them"],
  ["cli/x.ts", "../stacks/fleet.ts", "the program is Pulumi's to run"],
  ["cli/commands/x.ts", "../../components/client-server.ts", "the program is Pulumi's to run"],
  ["cli/commands/x.ts", "../../lab/server.ts", "nothing that ships may need them"],
  ["cli/x.ts", "../test/helpers/fake-context.ts", "nothing that ships may need them"],
  ["toolchain/x.ts", "../adapters/ssh.ts", "knows nothing of the fleet"],
  ["toolchain/x.ts", "../lab/server.ts", "nothing that ships may need them"],
] as const;

const allowed = [
  ["core/x.ts", "node:crypto"],
  ["core/x.ts", "node:path"],
  ["core/x.ts", "zod"],
  ["core/x.ts", "./errors.ts"],
  ["core/release/x.ts", "../config/adapter.ts"],
  ["core/x.test.ts", "../adapters/ssh.ts"],
  ["operations/x.ts", "p-map"],
  ["components/x.ts", "../core/naming.ts"],
  ["components/x.ts", "./local-step.ts"],
  ["components/x.ts", "@pulumi/pulumi"],
  ["stacks/x.ts", "../components/client-server.ts"],
  ["stacks/x.ts", "../core/config/stack.ts"],
  ["index.ts", "./adapters/suite-source.ts"],
  ["index.ts", "./stacks/fleet.ts"],
  ["index.ts", "@pulumi/pulumi"],
  ["operations/x.ts", "../core/ports.ts"],
  ["operations/x.ts", "zod"],
  ["adapters/x.ts", "node:fs/promises"],
  ["adapters/images/x.ts", "../file-tree.ts"],
  ["adapters/x.ts", "../core/ports.ts"],
  ["cli/x.ts", "../operations/read-status.ts"],
  ["cli/commands/x.ts", "../../toolchain/record.ts"],
  ["lab/x.ts", "../adapters/pulumi.ts"],
  ["test/x.ts", "../lab/server.ts"],
] as const;

const forms = [
  ["adapters/form-type.ts", `import type { x } from "../operations/x.ts";\nexport type y = typeof x;\n`],
  ["adapters/form-export.ts", `export { x } from "../operations/x.ts";\n`],
  ["adapters/form-dynamic.ts", `export const x = await import("../operations/x.ts");\n`],
  ["adapters/form-effect.ts", `import "../operations/x.ts";\n`],
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
  expect(messages(path, 1).join("\n")).toContain("do not know who uses them");
});
