/** Imports go one way: the linter says so, and where to go instead. Not proven: imports made by `require` or by a variable. */
import { expect, test } from "vitest";
import { lint } from "../test/helpers/lint.ts";

test.each([
  ["core/x.ts", "../adapters/ssh.ts", "core/ is pure"],
  ["core/release/x.ts", "../../operations/x.ts", "core/ is pure"],
  ["core/x.ts", "node:fs", "core/ does no I/O"],
  ["core/x.ts", "node:fs/promises", "core/ does no I/O"],
  ["core/x.ts", "@pulumi/pulumi", "core/ does not know Pulumi"],
  ["components/x.ts", "../adapters/ssh.ts", "components/ only wire"],
  ["components/x.ts", "../stacks/fleet.ts", "components/ only wire"],
  ["stacks/x.ts", "../adapters/suite-source.ts", "index.ts reads what they need"],
  ["index.ts", "./operations/x.ts", "index.ts builds a stack"],
  ["index.ts", "./adapters/ssh.ts", "index.ts builds a stack"],
  ["operations/x.ts", "../adapters/ssh.ts", "by a context"],
  ["operations/x.ts", "node:net", "by a context"],
  ["adapters/x.ts", "../operations/x.ts", "do not know who uses them"],
  ["cli/x.ts", "../stacks/fleet.ts", "the program is Pulumi's to run"],
  ["cli/x.ts", "../lab/server.ts", "nothing that ships may need it"],
  ["adapters/x.ts", "../lab/server.ts", "nothing that ships may need it"],
])("%s may not import %s", async (file, module, message) => {
  expect(await lint(file, `import { x } from "${module}";\nexport const y = x;\n`)).toContain(message);
});

test.each([
  ["core/x.ts", "node:crypto"],
  ["core/x.ts", "./errors.ts"],
  ["components/x.ts", "../core/naming.ts"],
  ["index.ts", "./adapters/suite-source.ts"],
  ["adapters/x.ts", "node:fs/promises"],
  ["cli/x.ts", "../operations/read-status.ts"],
  ["lab/x.ts", "../adapters/pulumi.ts"],
])("%s may import %s", async (file, module) => {
  expect(await lint(file, `import { x } from "${module}";\nexport const y = x;\n`)).not.toContain(
    "noRestrictedImports",
  );
});
