/**
 * The whole tree of commands: what each tells of itself, what wrong usage is answered with, and hostile words in the place
 * of every value that can be typed. What could be run (ssh, pulumi, docker …) is replaced by programs that only write down
 * that they were called. Not proven here: what commands do with good values.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { FleetError, describe as told } from "../core/errors.ts";
import { exitStatus, exitStatusOf } from "../core/exit-status.ts";
import type { Language } from "../core/messages/catalogue.ts";
import { makeSuite } from "../lab/suite/release/make.ts";
import type { Console } from "./console.ts";
import { usageError } from "./frame.ts";
import { commands, makeProgram } from "./program.ts";

const languages = ["fr", "en"] as const;

const quiet = (language: Language): Console => ({
  language,
  print() {},
  json() {},
  progress() {},
  fail() {},
  end() {},
});

/** Commands that do something, by their path. */
function leaves(command: Command, path = ""): [string, Command][] {
  const own = command.commands.flatMap((child) =>
    leaves(child, path ? `${path} ${child.name()}` : child.name()),
  );
  return command.commands.length > 0 && path !== "order" ? own : [[path, command], ...own];
}

const french = await makeProgram(quiet("fr"), "fr", []);
const english = await makeProgram(quiet("en"), "en", []);
const paths = leaves(english).map(([path]) => path);

describe("help", () => {
  test.each(paths)("of %s is whole in both languages, with examples", (path) => {
    const texts = languages.map((language) => {
      const [, command] = leaves(language === "fr" ? french : english).find(([each]) => each === path) ?? [];
      if (!command) throw new Error(`${path} is not there`);
      for (const option of command.options) expect([path, option.long, option.description]).not.toContain("");
      let shown = "";
      command
        .configureOutput({
          writeOut: (text) => {
            shown += text;
          },
        })
        .outputHelp();
      expect(command.description()).not.toBe("");
      return [command.description(), shown] as const;
    });
    expect(texts[0]?.[0]).not.toBe(texts[1]?.[0]);
    for (const [, shown] of texts) expect(shown).toContain(`geoclic-fleet ${path}`);
    expect(commands.find((each) => each.path === path)?.examples.length, "examples").toBeGreaterThan(0);
  });

  test("shows the groups and every exit status", () => {
    let shown = "";
    french
      .configureOutput({
        writeOut: (text) => {
          shown += text;
        },
      })
      .outputHelp();
    for (const status of Object.values(exitStatus))
      expect(shown).toMatch(new RegExp(`^ +${status}  \\S`, "m"));
    expect(shown).not.toMatch(/Usage:|Options:|Commands:/);
  });

  test("lists every command of its own in a group", () => {
    const groupless = commands.filter(({ path, group }) => !path.includes(" ") && group === undefined);
    expect(groupless).toEqual([]);
  });
});

describe("wrong usage", () => {
  test.each([
    ["updaet", "USAGE_COMMAND_UNKNOWN", /updaet.*update/],
    ["nosuchverb --help", "USAGE_COMMAND_UNKNOWN", /nosuchverb/],
    ["operations nosuchverb --help", "USAGE_COMMAND_UNKNOWN", /nosuchverb/],
    ["update --cleint x", "USAGE_OPTION_UNKNOWN", /--cleint.*--client/],
    ["ssh", "USAGE_ARGUMENT_MISSING", /geoclic-fleet ssh/],
    ["add", "USAGE_OPTION_REQUIRED", /--name/],
    ["update --client", "USAGE_VALUE_MISSING", /--client/],
    ["preview a b", "USAGE_ARGUMENTS_TOO_MANY", /preview/],
    ["add --name a --dns auto", "USAGE_VALUE_INVALID", /auto.*managed, external/],
    ["completion ksh", "USAGE_VALUE_INVALID", /ksh.*zsh, bash/],
    ["--lang fr completion ksh", "USAGE_VALUE_INVALID", /ksh.*zsh, bash/],
    ["", "USAGE_COMMAND_MISSING", /provision, .*operations.*geoclic-fleet --help/],
    ["--lang en ssh-key", "USAGE_COMMAND_MISSING", /show, rotate.*geoclic-fleet ssh-key --help/],
  ])("%s is %s", async (line, code, tells) => {
    for (const language of languages) {
      const failure = await failureOf(line.split(" ").filter(Boolean), language);
      expect(failure).toMatchObject({ code });
      expect(told(failure, language)).toMatch(tells);
    }
  });
});

test.each(
  languages,
)("each command's description is a sentence that begins with a capital letter: %s", async (language) => {
  const program = await makeProgram(quiet(language), language, []);
  const described = leaves(program).map(([path, command]) => [path, command.description()]);
  expect(described.length).toBeGreaterThan(25);
  expect(described.filter(([, description]) => !/^\p{Lu}/u.test(description ?? ""))).toEqual([]);
});

test("a token on the command line is refused, before anything is read", async () => {
  const words = ["retire", "ville", "--token", "abcdef0123", "--no-commit", "--stack", "nowhere"];
  const failure = await failureOf(words, "en");
  expect(failure).toMatchObject({ code: "TOKEN_SHOWN" });
  expect(String(failure)).not.toContain("abcdef0123");
});

const hostile = [
  "; touch MARK",
  "it's",
  '"',
  "$(touch MARK)",
  "`touch MARK`",
  "a\nb",
  "-oProxyCommand=touch MARK",
  "--",
  "../../etc/passwd",
  "é".repeat(5000),
  "",
  "a\0b",
];
/** What a town's name may not be; the rest of the words are text like any other. */
const hostileText = ["a\nb", "é".repeat(5000), "", "a\0b"];

const town = [
  ...["--domain", "neuve.geoclic.test", "--ip", "192.0.2.7", "--email", "a@neuve.fr", "--town", "Neuve"],
  ...["--host-key", `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`, "--yes", "--no-commit"],
];
/** A line of each command in which every value is good, without what is put to the test. */
const good: Readonly<Record<string, readonly string[]>> = {
  provision: ["--name", "neuve", ...town],
  init: ["--client", "ville", "--no-commit"],
  update: ["--client", "ville", "--no-commit", "--skip-check"],
  rollback: ["--client", "ville", "--no-commit"],
  preview: [],
  backup: ["--client", "ville"],
  list: [],
  status: ["--client", "ville"],
  drift: ["--client", "ville"],
  ssh: ["ville"],
  logs: ["ville"],
  "test-ssh": [],
  "ssh-key show": [],
  "ssh-key rotate": ["--no-commit"],
  add: ["--name", "neuve", ...town],
  remove: ["ville", "--no-commit", "--yes"],
  retire: ["ville", "--no-commit"],
  import: ["clients.conf", "--no-commit"],
  order: [
    "neuve",
    "--domain",
    "neuve.geoclic.test",
    "--email",
    "a@neuve.fr",
    "--town",
    "Neuve",
    "--no-commit",
  ],
  "order list": [],
  "operations list": [],
  "operations show": [],
  "operations follow": [],
  "operations cancel": [],
  "operations resume": [],
  doctor: [],
  agent: [],
  help: [],
  aide: [],
};

/** [command, place, words] */
const places: [string, string, readonly string[]][] = leaves(english).flatMap(([path, command]) => {
  const options = command.options
    .filter(({ required, optional }) => required || optional)
    .map(
      ({ long }) =>
        [
          path,
          long ?? "",
          ["--town", "--collectivite"].includes(long ?? "") ? hostileText : hostile,
        ] as const,
    );
  const values = command.registeredArguments
    // A remote command is what it is for.
    .filter((argument) => !(path === "ssh" && argument.variadic))
    // A file's name may be any.
    .map(
      (argument) =>
        [
          path,
          `<${argument.name()}>`,
          hostile.filter((word) => path !== "import" || !word.includes("passwd")),
        ] as const,
    );
  return [...values, ...options].map(([...each]) => each as [string, string, readonly string[]]);
});

describe("hostile words", () => {
  let folder: string;
  let stackText: string;
  const stack = () => join(folder, "Pulumi.prod.yaml");

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "geoclic-words-"));
    const programs = join(folder, "bin");
    await mkdir(programs);
    for (const name of [
      "ssh",
      "ssh-keyscan",
      "ssh-keygen",
      "ssh-agent",
      "pulumi",
      "docker",
      "rsync",
      "git",
      "setsid",
      "sh",
      "bash",
    ]) {
      await writeFile(
        join(programs, name),
        `#!/bin/sh\n[ "$*" = "-C . config user.name" ] || [ "$*" = "-C . config user.email" ] || echo "${name} $*" >> ${join(folder, "called")}\nexit 1\n`,
      );
      await chmod(join(programs, name), 0o755);
    }
    stackText = stringify({
      config: {
        "geoclic-fleet:role": "fleet",
        "geoclic-fleet:suite": { path: join(folder, "suite") },
        "geoclic-fleet:clients": [
          {
            ...{
              name: "ville",
              domain: "ville.geoclic.test",
              email: "a@ville.fr",
              town: "Ville",
              ip: "192.0.2.1",
            },
            ssh: { hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"B".repeat(43)}` },
          },
        ],
      },
    });
    await makeSuite("1.0.0", join(folder, "suite"));
    await writeFile(stack(), stackText);
    await writeFile(
      join(folder, "clients.conf"),
      "ville-b|ville-b.geoclic.test|192.0.2.2|ubuntu|22|rsync|2026-01-01\n",
    );
    vi.stubEnv("PULUMI_OPTION_CWD", folder);
    vi.stubEnv("GEOCLIC_HOME", join(folder, "home"));
    vi.stubEnv("XDG_RUNTIME_DIR", folder);
    vi.stubEnv("PATH", programs);
    for (const name of ["OVH_APPLICATION_KEY", "SSH_AUTH_SOCK", "GEOCLIC_LAB"]) vi.stubEnv(name, undefined);
    vi.stubGlobal("fetch", () => {
      throw new Error("the network was asked");
    });
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
    await rm(folder, { recursive: true, force: true });
  });

  test("are tried at every command but `completion`", () => {
    expect(Object.keys(good).sort()).toEqual(paths.filter((path) => path !== "completion").sort());
    expect(places.length).toBeGreaterThan(90);
  });

  test.each(
    places.filter(([path]) => path !== "completion"),
  )("in %s at %s are refused, and nothing is run", async (path, place, words) => {
    for (const word of words) {
      const failure = await failureOf(lineOf(path, place, word), "en");
      const message = told(failure, "en");
      expect([word.slice(0, 30), failure.code, exitStatusOf(failure)]).toEqual([
        word.slice(0, 30),
        failure.code,
        exitStatus.badInput,
      ]);
      expect(message.length).toBeLessThan(1500);
      if (failure.code === "OPTION_INVALID") expect(failure.values.expected).toMatch(/^phrase\./);
      expect(message).not.toMatch(/[\n\0]/);
      expect(await readFile(join(folder, "called"), "utf8").catch(() => "")).toBe("");
      expect(await readFile(stack(), "utf8")).toBe(stackText);
    }
  });

  function lineOf(path: string, place: string, word: string): string[] {
    const line = [...(good[path] ?? [])];
    const value = place.startsWith("<") ? [] : [`${place}=${word}`];
    if (place.startsWith("<")) {
      const [, command] = leaves(english).find(([each]) => each === path) ?? [];
      const names = command?.registeredArguments.map((argument) => `<${argument.name()}>`) ?? [];
      const index = names.indexOf(place);
      const values =
        path === "test-ssh"
          ? ["192.0.2.1", "ubuntu", "22"]
          : line.filter((each) => !each.startsWith("-")).slice(0, names.length);
      const others = path === "test-ssh" ? [] : line.slice(values.length);
      const typed = [...values];
      typed[index] = word;
      const isStack = names.length > 0 && !["help", "aide"].includes(path);
      return [...path.split(" "), ...others, ...(isStack ? ["--stack", "prod"] : []), "--", ...typed];
    }
    const kept = line.indexOf(place);
    if (kept >= 0) line.splice(kept, 2);
    const isStacked = place !== "--stack" && !["doctor", "help", "aide"].includes(path);
    return [...path.split(" "), ...line, ...value, ...(isStacked ? ["--stack", "prod"] : [])];
  }
});

/** What a line ends with; the error that it would be shown as. */
async function failureOf(words: readonly string[], language: Language): Promise<FleetError> {
  const program = await makeProgram(quiet(language), language, words);
  try {
    await program.parseAsync(["node", "geoclic-fleet", ...words]);
  } catch (error) {
    if (error instanceof FleetError) return error;
    if (error instanceof CommanderError) return usageError(error, program, words, language);
    throw error;
  }
  throw new Error(`${JSON.stringify(words).slice(0, 300)} was taken`);
}
