/**
 * @module Every test that CI runs, tier by tier, and one closing line `N passed, N failed`.
 * T1: format, lint, types, unit tests. T2: fake peers, plugins. T3: lives of towns in the lab. `--all` adds T4: what is slow
 * and rare there, the demo.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** A vitest project counts its tests; any other command counts as one. */
  readonly project?: string;
  /** Runs beside those that follow; its output is shown when it has ended. */
  readonly isBeside?: boolean;
  /** Begins once nothing runs beside it. */
  readonly isAlone?: boolean;
}

interface Count {
  passed: number;
  failed: number;
  /** Full names of the tests that did not pass. */
  names?: readonly string[];
}

interface Results {
  readonly numPassedTests?: number;
  readonly numTotalTests?: number;
  readonly testResults?: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const node = process.execPath;
const vitest = "node_modules/vitest/vitest.mjs";

const slow: readonly Check[] = [
  { name: "T4 kill harness, every cut", command: ["sh", "scripts/harness.sh", "--all"] },
  { name: "T4 lab, the rare", command: [node, vitest, "run"], project: "lab-rare", isAlone: true },
  { name: "T4 demo", command: ["npm", "run", "demo"] },
];

const checks: readonly Check[] = [
  { name: "T2 peers", command: [node, vitest, "run"], project: "peers", isBeside: true },
  { name: "T2 plugins", command: [node, vitest, "run"], project: "plugins", isBeside: true },
  // With what the others leave of the machine.
  { name: "T2 kill harness", command: ["nice", "-n", "10", "sh", "scripts/harness.sh"], isBeside: true },
  { name: "T1 format", command: ["npx", "biome", "format", "."] },
  { name: "T1 lint", command: ["npx", "biome", "lint", "--error-on-warnings", "."] },
  { name: "T1 types", command: ["npx", "tsc", "--noEmit"] },
  { name: "T1 dead code", command: ["npm", "run", "-s", "dead"] },
  { name: "T1 server lint", command: ["npm", "run", "-s", "lint:server"] },
  {
    name: "T1 server scripts",
    command: ["python3", "-m", "unittest", "discover", "-q", "-s", "assets/server"],
  },
  { name: "T1 unit", command: [node, vitest, "run"], project: "unit" },
  { name: "T2 toolchain", command: ["go", "-C", "toolchain", "test", "./..."] },
  { name: "T3 lab", command: [node, vitest, "run"], project: "lab" },
  { name: "T3 lab, alone", command: [node, vitest, "run"], project: "lab-alone", isAlone: true },
  ...(process.argv.includes("--all") ? slow : []),
];

const began = Date.now();
const total: Count = { passed: 0, failed: 0 };
const summary: string[] = [];
const beside: Promise<void>[] = [];
for (const check of checks) {
  if (check.isAlone) await Promise.all(beside);
  const running = account(check);
  if (check.isBeside) beside.push(running);
  else await running;
}
await Promise.all(beside);
console.log(`\n${summary.join("\n")}\n${((Date.now() - began) / 60_000).toFixed(1)} min`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

async function account(check: Check): Promise<void> {
  const start = Date.now();
  if (!check.isBeside) console.log(`\n== ${check.name}`);
  const count = await run(check);
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  summary.push(`${check.name}: ${count.passed} passed, ${count.failed} failed, ${seconds} s`);
  summary.push(...(count.names ?? []).map((name) => `  ✗ ${name}`));
}

async function run({ name, command, project, isBeside }: Check): Promise<Count> {
  const [program, ...words] = command;
  if (!project) {
    const { exitCode, all } = await execa(program, words, {
      stdin: "ignore",
      ...(isBeside ? { all: true as const } : { stdout: "inherit" as const, stderr: "inherit" as const }),
      reject: false,
    });
    if (isBeside) console.log(`\n== ${name}\n${String(all)}`);
    return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  }
  const folder = await mkdtemp(join(tmpdir(), "geoclic-tests-"));
  try {
    const file = join(folder, "results.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { exitCode, all } = await execa(program, [...words, "--project", project, ...reporters], {
      stdin: "ignore",
      ...(isBeside ? { all: true as const } : { stdout: "inherit" as const, stderr: "inherit" as const }),
      reject: false,
    });
    if (isBeside) console.log(`\n== ${name}\n${String(all)}`);
    return count(await readFile(file, "utf8").catch(() => "{}"), exitCode);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run that ends badly without a failed test (a broken hook, no test at all) counts as one failure. */
function count(json: string, exitCode: number | undefined): Count {
  const { numPassedTests = 0, numTotalTests = 0, testResults = [] } = JSON.parse(json) as Results;
  // What was skipped because a hook failed has not passed.
  const failed = numTotalTests - numPassedTests;
  return {
    passed: numPassedTests,
    failed: failed === 0 && (exitCode !== 0 || numPassedTests === 0) ? 1 : failed,
    names: testResults.flatMap(({ name, status, message, assertionResults }) => {
      const file = relative(process.cwd(), name);
      const lost = assertionResults.filter((result) => result.status !== "passed");
      if (lost.length === 0 && status !== "passed") return [`${file}: ${firstLine(message)}`];
      return lost.map((result) => `${file} > ${result.fullName}: ${firstLine(result.failureMessages?.[0])}`);
    }),
  };
}

function firstLine(message = ""): string {
  return message.split("\n")[0]?.slice(0, 300) ?? "";
}
