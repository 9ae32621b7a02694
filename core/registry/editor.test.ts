/**
 * Edits of a stack file, byte for byte: only the lines of the edit change. Not proven here: files, locks, git
 * (see outside/stack-file.test.ts), and that Pulumi reads the text as we do (see test/lab).
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ClientEntry, editStackText, parseStackText, type StackEditor } from "./editor.ts";

const example = readFileSync("Pulumi.prod.yaml", "utf8");
const key = (letter: string) => `ssh-ed25519 ${letter.repeat(68)}`;
const entry = (name: string, octet = 9): ClientEntry => ({
  name,
  domain: `${name}.geoclic.fr`,
  email: `admin@${name}.fr`,
  town: `Mairie de ${name}`,
  ip: `10.0.0.${octet}`,
  ssh: { hostKey: key("A") },
});
const head = "config:\n  geoclic-fleet:role: fleet\n  geoclic-fleet:suite: {path: /s}\n";

const edited = (text: string, edit: (editor: StackEditor) => void) =>
  editStackText(text, "f.yaml", edit).text;

/** Lines that went and came, in the order of the file; everything else is the same bytes. */
function difference(before: string, after: string): { gone: string; come: string } {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return { gone: a.slice(start, a.length - end).join("\n"), come: b.slice(start, b.length - end).join("\n") };
}

describe("changes only its own lines of the example", () => {
  test.each<[string, (editor: StackEditor) => void, { gone: string; come: string }]>([
    [
      "detach",
      ({ clients }) => clients.set("ville-lyon", "detached", true),
      { gone: "", come: "      detached: true" },
    ],
    [
      "attach",
      ({ clients }) => clients.unset("ville-lyon", "canary"),
      { gone: "      canary: true # every other town waits until this one is proven", come: "" },
    ],
    [
      "a value with a comment",
      ({ clients }) => clients.set("chambery", "dns", "external"),
      {
        gone: "      dns: managed # the A record is made in a zone above",
        come: "      dns: external # the A record is made in a zone above",
      },
    ],
    [
      "a value inside a map",
      ({ clients }) => clients.set("aix-les-bains", "ssh.port", 2222),
      { gone: "", come: "        port: 2222" },
    ],
    [
      "a quoted value",
      ({ setValue }) => setValue("schedules", { backup: "03:00" }),
      {
        gone: '    backup: "01:30" # each server\'s local time; not 02:00 to 02:59, which a change to summer time leaves out\n    monitorMinutes: 5',
        come: '    backup: "03:00"',
      },
    ],
    [
      "a list of the fleet that is missing",
      ({ setValue }) => setValue("retired", [{ name: "nice", on: "2026-11-23" }]),
      { gone: "", come: '  geoclic-fleet:retired:\n    - name: nice\n      "on": "2026-11-23"' },
    ],
    [
      "an encrypted value",
      ({ setSecret }) => setSecret("chambery", "DB_PASSWORD", { secure: "v1:abc" }),
      {
        gone: "",
        come: "  geoclic-fleet:secrets:\n    chambery:\n      DB_PASSWORD:\n        secure: v1:abc",
      },
    ],
    [
      "what stands beside the configuration",
      ({ setTop }) => setTop("encryptionsalt", "v1:a:v1:b"),
      { gone: "", come: "encryptionsalt: v1:a:v1:b" },
    ],
    [
      "nothing, where what goes is missing",
      ({ clients }) => clients.unset("ville-lyon", "release"),
      { gone: "", come: "" },
    ],
  ])("%s", (_, edit, expected) => {
    expect(difference(example, edited(example, edit))).toEqual(expected);
  });

  test("an entry added stands behind the last one and its comments", () => {
    const after = edited(example, ({ clients }) => clients.add(entry("nice")));
    expect(after.startsWith(example)).toBe(true);
    expect(after.slice(example.length)).toMatch(/^ {4}- name: nice\n {6}domain: nice\.geoclic\.fr\n/);
  });

  test.each([
    "ville-lyon",
    "aix-les-bains",
    "chambery",
  ])("an entry added and removed leaves no trace (%s goes)", (name) => {
    const added = edited(example, ({ clients }) => clients.add(entry("nice")));
    expect(edited(added, ({ clients }) => clients.remove("nice"))).toBe(example);
    const without = edited(example, ({ clients }) => clients.remove(name));
    const { gone, come } = difference(example, without);
    expect(come).toBe("");
    expect(gone).toMatch(new RegExp(`^ {4}- name: ${name}\\b`));
    expect(gone.match(/^ {4}- /gm)).toHaveLength(1);
  });
});

describe("layouts of the list", () => {
  const one = (list: string) => `${head}${list}`;
  const block = "  geoclic-fleet:clients:\n    - name: nice\n";
  test.each<[string, string, string]>([
    ["missing", head, `${head}${block}`],
    ["empty in brackets", one("  geoclic-fleet:clients: []\n"), one(block)],
    [
      "empty in brackets, with a comment",
      one("  geoclic-fleet:clients: [] # none\n"),
      one(block.replace(/\n$/, "")),
    ],
    ["without a value", one("  geoclic-fleet:clients:\n"), one(block)],
    [
      "before other keys",
      `${head}  geoclic-fleet:clients: []\n  geoclic-fleet:build: client\n`,
      `${head}${block}`,
    ],
    ["in a file without a last line break", head.slice(0, -1), `${head}${block}`],
  ])("%s: an entry is added", (_, before, start) => {
    const after = edited(before, ({ clients }) => clients.add(entry("nice")));
    expect(after.startsWith(start)).toBe(true);
    expect(parseStackText(after, "f").clients.map(({ name }) => name)).toEqual(["nice"]);
  });

  const aix =
    "{name: aix, domain: aix.geoclic.fr, email: a@aix.fr, town: 'Mairie d''Aix', ip: 10.0.0.1, ssh: {hostKey: \"ssh-ed25519 " +
    "B".repeat(68) +
    '"}}';
  test("in brackets and braces: it stays so, and everything around it too", () => {
    const before = `${head}  geoclic-fleet:clients: [${aix}] # one line\n  geoclic-fleet:build:   client   # wide\n`;
    const after = edited(before, ({ clients }) => {
      clients.add(entry("nice"));
      clients.set("aix", "canary", true);
    });
    expect(difference(before, after).come.split("\n")).toHaveLength(1);
    expect(after).toContain("# one line\n  geoclic-fleet:build:   client   # wide\n");
    expect(parseStackText(after, "f").clients).toMatchObject([
      { name: "aix", canary: true, town: "Mairie d'Aix" },
      { name: "nice" },
    ]);
    expect(
      parseStackText(
        edited(after, ({ clients }) => clients.remove("aix")),
        "f",
      ).clients,
    ).toHaveLength(1);
  });

  test("braces below dashes: only that entry's line changes", () => {
    const before = `${head}  geoclic-fleet:clients:\n  # first\n  - ${aix} # mine\n\n  # last\n`;
    const after = edited(before, ({ clients }) => clients.set("aix", "detached", true));
    expect(after).toBe(before.replace('"}} # mine', '"}, detached: true} # mine'));
  });

  test("dashes in the column of the key, comments and blank lines between entries", () => {
    const text = (name: string, octet: number) =>
      `  - name: ${name}\n    domain: ${name}.geoclic.fr\n    email: a@x.fr\n    town: "${name}"\n    ip: 10.0.0.${octet}\n    ssh:\n        hostKey: ${key("C")}\n`;
    const before = `${head}  geoclic-fleet:clients:\n  # --- north ---\n${text("aix", 1)}\n  # --- south ---\n${text("bar", 2)}  # the end\n`;
    expect(edited(before, ({ clients }) => clients.remove("aix"))).toBe(before.replace(text("aix", 1), ""));
    expect(edited(before, ({ clients }) => clients.remove("bar"))).toBe(before.replace(text("bar", 2), ""));
    const added = edited(before, ({ clients }) => clients.add(entry("nice")));
    expect(added.replace(/ {2}- name: nice\n( {4}.*\n)+/, "")).toBe(before);
    expect(edited(before, ({ clients }) => clients.set("aix", "ssh.port", 22))).toBe(
      before.replace("hostKey", "hostKey").replace(`${key("C")}\n\n`, `${key("C")}\n        port: 22\n\n`),
    );
  });

  test("Windows' line ends stay, and are used", () => {
    const before = example.replaceAll("\n", "\r\n");
    const after = edited(before, ({ clients }) => clients.add(entry("nice")));
    expect(after.startsWith(before)).toBe(true);
    expect(after.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(edited(after, ({ clients }) => clients.remove("nice"))).toBe(before);
  });

  test("the last entry leaves an empty list", () => {
    const before = edited(head, ({ clients }) => clients.add(entry("nice")));
    expect(edited(before, ({ clients }) => clients.remove("nice"))).toBe(
      `${head}  geoclic-fleet:clients: []\n`,
    );
  });

  test("long values are not folded", () => {
    const town = `Communauté de communes ${"du pays ".repeat(12)}`.trim();
    expect(edited(head, ({ clients }) => clients.add({ ...entry("nice"), town }))).toContain(
      `town: ${town}\n`,
    );
  });
});

describe("refuses, and nothing is made", () => {
  test.each<[string, (editor: StackEditor) => void, string]>([
    ["a name that is taken", ({ clients }) => clients.add(entry("chambery")), "CLIENT_EXISTS"],
    [
      "a domain that is taken",
      ({ clients }) => clients.add({ ...entry("nice"), domain: "chambery.geoclic.fr" }),
      "CONFIG_INVALID",
    ],
    [
      "an address that is taken",
      ({ clients }) => clients.add({ ...entry("nice"), ip: "51.210.42.100" }),
      "CONFIG_INVALID",
    ],
    ["an unknown client", ({ clients }) => clients.set("paris", "detached", true), "CLIENT_UNKNOWN"],
    ["an unknown client to remove", ({ clients }) => clients.remove("paris"), "CLIENT_UNKNOWN"],
    ["an unknown key", ({ clients }) => clients.set("chambery", "colour", "red"), "CONFIG_INVALID"],
    [
      "a retired name",
      (editor) => {
        editor.setValue("retired", [{ name: "nice", on: "2026-11-23" }]);
        editor.clients.add(entry("nice"));
      },
      "CONFIG_INVALID",
    ],
    ...["", "a b", "$(reboot)", "a\nb: c", "a: b", "- x", "&a", "*a", "!!js", "a".repeat(300), "a # b"].map(
      (name): [string, (editor: StackEditor) => void, string] => [
        `the name ${JSON.stringify(name).slice(0, 20)}`,
        ({ clients }) => clients.add({ ...entry("nice"), name }),
        "CONFIG_INVALID",
      ],
    ),
  ])("%s", (_, edit, code) => {
    expect(() => edited(example, edit)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ["a file that is no YAML", "config: [", "STACK_FILE_UNREADABLE"],
    ["a file that is a list", "- a\n", "STACK_FILE_UNREADABLE"],
    ["an empty file", "", "CONFIG_INVALID"],
    ["the master's", "config:\n  geoclic-fleet:role: master\n", "STACK_NOT_FLEET"],
  ])("%s", (_, text, code) => {
    expect(() => parseStackText(text, "f.yaml")).toThrow(expect.objectContaining({ code }));
  });
});

test.each([
  ["a word", "secrets:\n    chambery:\n      DB_PASSWORD: hunter2-hunter2", "secrets.chambery.DB_PASSWORD"],
  [
    "one beside an encrypted one",
    "secrets:\n    chambery:\n      A: {secure: v1:abc}\n      B: hunter2-hunter2",
    "secrets.chambery.B",
  ],
  [
    "more than an encrypted value",
    "secrets:\n    chambery:\n      A: {secure: v1:abc, or: x}",
    "secrets.chambery.A.secure",
  ],
  ["the whole in one text", 'secrets: \'{"chambery":{"A":"hunter2-hunter2"}}\'', "secrets"],
])("a secret in clear is refused by its place, never shown: %s", (_, lines, place) => {
  let told: unknown;
  try {
    parseStackText(`${head}  geoclic-fleet:${lines}\n`, "f.yaml");
  } catch (error) {
    told = error;
  }
  expect(told).toMatchObject({ code: "SECRET_IN_CLEAR", values: { file: "f.yaml" } });
  expect((told as Error).message).toContain(place);
  expect((told as Error).message).not.toContain("hunter2");
});

test.each([
  'Mairie d\'Aix-les-Bains "Côté lac"',
  "yes",
  "2026-11-23",
  "12:30",
  "# no comment",
  "a: b",
  "[x]",
  "{x}",
  "!!str x",
  "&a *b",
  "'",
  '"',
  "\\n",
  "0x10",
  "null",
  "~",
  "`id` $(id) ${HOME}",
  "日本 🏛",
])("a town's name is data, whatever it looks like: %s", (town) => {
  for (const before of [head, example])
    expect(
      parseStackText(
        edited(before, ({ clients }) => clients.add({ ...entry("nice"), town })),
        "f",
      ).clients.at(-1)?.town,
    ).toBe(town);
});

describe("many clients at once are the same bytes as one after the other", () => {
  const block = edited(head, ({ clients }) => {
    for (const [index, name] of ["a", "b", "c", "d"].entries()) clients.add(entry(name, index + 10));
  });
  const pinnedBlock = edited(block, ({ clients }) => {
    clients.set("b", "release", "0".repeat(12));
    clients.set("d", "release", "0".repeat(12));
  });
  const layouts: readonly (readonly [string, string])[] = [
    ["blocks", block],
    ["pins that are there", pinnedBlock],
    ["comments between", pinnedBlock.replaceAll("      email:", "      # asked in June\n      email:")],
    ["Windows' line ends", pinnedBlock.replaceAll("\n", "\r\n")],
    [
      "the pin behind the dash",
      pinnedBlock
        .replace("    - name: b", '    - release: "000000000000"\n      name: b')
        .replace(/(name: b[\s\S]*?) {6}release: "?0{12}"?\n/, "$1"),
    ],
    [
      "braces",
      `${head}  geoclic-fleet:clients:\n${["a", "b", "c", "d"].map((name, index) => `    - ${JSON.stringify(entry(name, index + 10))}\n`).join("")}`,
    ],
  ];
  const values = new Map<string, string | undefined>([
    ["a", "1".repeat(12)],
    ["b", undefined],
    ["c", undefined],
    ["d", "2".repeat(12)],
  ]);

  test.each(layouts)("%s", (_, text) => {
    const together = edited(text, ({ clients }) => clients.setAll("release", values));
    const apart = edited(text, ({ clients }) => {
      for (const [name, value] of values)
        if (value === undefined) clients.unset(name, "release");
        else clients.set(name, "release", value);
    });
    expect(together).toBe(apart);
    expect(parseStackText(together, "f").clients.map(({ release }) => release)).toEqual([
      ...["1".repeat(12), undefined, undefined, "2".repeat(12)],
    ]);
  });

  test("an unknown name changes nothing", () => {
    expect(() =>
      edited(block, ({ clients }) => clients.setAll("release", new Map([["x", "1".repeat(12)]]))),
    ).toThrow(expect.objectContaining({ code: "CLIENT_UNKNOWN" }));
  });
});
