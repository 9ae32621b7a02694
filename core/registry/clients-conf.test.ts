/** The predecessor's registry and `.env`, line by line. Not proven: that its servers are as these say. */
import { describe, expect, test } from "vitest";
import { parseStackConfig } from "../config/stack.ts";
import { readClientsConf } from "./clients-conf.ts";
import { readFormerEnvironment, townOfName, townOfSettings } from "./former-environment.ts";

const line = "nice|nice.geoclic.fr|10.0.0.9|ubuntu|22|rsync|2026-02-06";
const fleet = parseStackConfig({
  role: "fleet",
  suite: { path: "/s" },
  retired: [{ name: "gone", on: "2026-01-31" }],
  clients: [
    {
      name: "aix",
      domain: "aix.geoclic.fr",
      email: "a@aix.fr",
      town: "Aix",
      ip: "10.0.0.1",
      ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    },
  ],
});
if (fleet.role !== "fleet") throw new Error("it is a fleet");
const read = (text: string, own: string[] = []) => readClientsConf(text, fleet, own);
const verdicts = (text: string, own?: string[]) =>
  read(text, own).map(({ line: number, verdict, reason }) => [number, verdict, reason?.kind]);

test("a line is a client", () => {
  expect(read(line)).toEqual([
    {
      line: 1,
      name: "nice",
      domain: "nice.geoclic.fr",
      ip: "10.0.0.9",
      user: "ubuntu",
      port: 22,
      verdict: "valid",
      reason: undefined,
    },
  ]);
});

test("comments, blank lines, Windows' line ends, a byte order mark and blanks around fields count for nothing", () => {
  const text = `\uFEFF# registry\r\n\r\n   \r\n ${line.replaceAll("|", " | ")} \r\n#${line}\r\nlyon|lyon.geoclic.fr|10.0.0.10|root|2222|rsync|2026-02-06`;
  expect(read(text)).toMatchObject([
    { line: 4, name: "nice", verdict: "valid" },
    { line: 6, name: "lyon", user: "root", port: 2222, verdict: "valid" },
  ]);
});

test.each<[string, string, string, string | undefined]>([
  [
    "the master, as it lists itself",
    "geoclic-prod|geoclic.fr|geoclic.fr|ubuntu|22|rsync|2026-02-06",
    "skipped",
    "master",
  ],
  ["the master by an address of this machine", line.replace("10.0.0.9", "10.9.9.9"), "skipped", "master"],
  ["a client that is declared", "aix|aix.geoclic.fr|10.0.0.1|ubuntu|22|rsync|x", "skipped", "declared"],
  [
    "a declared name with another domain",
    "aix|other.geoclic.fr|10.0.0.1|ubuntu|22|rsync|x",
    "refused",
    "domain",
  ],
  [
    "a declared domain under another name",
    "nice|aix.geoclic.fr|10.0.0.9|ubuntu|22|rsync|x",
    "refused",
    "taken",
  ],
  [
    "a declared address under another name",
    "nice|nice.geoclic.fr|10.0.0.1|ubuntu|22|rsync|x",
    "refused",
    "taken",
  ],
  ["a retired name", "gone|gone.geoclic.fr|10.0.0.9|ubuntu|22|rsync|x", "refused", "retired"],
  ["another method", line.replace("rsync", "git"), "refused", "method"],
  ["too few fields", "nice|nice.geoclic.fr|10.0.0.9", "refused", "fields"],
  ["too many fields", `${line}|x`, "refused", "fields"],
  ["no date", line.replace("2026-02-06", ""), "valid", undefined],
  ["an address that is a name", line.replace("10.0.0.9", "vps.example.fr"), "refused", "values"],
  ["an IPv6 address", line.replace("10.0.0.9", "2001:db8::1"), "refused", "values"],
  ["a name in capitals", line.replace("nice|", "Nice|"), "refused", "values"],
  ["a name with an underscore", line.replace("nice|", "ni_ce|"), "refused", "values"],
  ["a name that is a command", line.replace("nice|", "$(reboot)|"), "refused", "values"],
  ["a user that is an option", line.replace("ubuntu", "-oProxyCommand=x"), "refused", "values"],
  ["a port that is a command", line.replace("22", "22;reboot"), "refused", "values"],
  ["a port of 0", line.replace("|22|", "|0|"), "refused", "values"],
  ["a domain that is a path", line.replace("nice.geoclic.fr", "../etc"), "refused", "values"],
])("%s", (_, text, verdict, kind) => {
  expect(verdicts(text, ["10.9.9.9"])).toEqual([[1, verdict, kind]]);
});

test.each([
  ["name", "nice|other.geoclic.fr|10.0.0.10|ubuntu|22|rsync|x"],
  ["domain", "other|nice.geoclic.fr|10.0.0.10|ubuntu|22|rsync|x"],
  ["address", "other|other.geoclic.fr|10.0.0.9|ubuntu|22|rsync|x"],
])("a double %s: the first line counts", (_, second) => {
  expect(verdicts(`${line}\n${second}`)).toEqual([
    [1, "valid", undefined],
    [2, "refused", "doubled"],
  ]);
});

describe("the former .env", () => {
  const variables = ["JWT_SECRET_KEY", "DB_PASSWORD"];
  const compose = "x: ${DB_PASSWORD:-geoclic2024}\ny: ${JWT_SECRET_KEY:-change-me-in-production}\n";
  test.each<[string, string, Record<string, string>, string[], string[]]>([
    [
      "as it was written",
      "JWT_SECRET_KEY=abc\nDB_PASSWORD=def\n",
      { JWT_SECRET_KEY: "abc", DB_PASSWORD: "def" },
      [],
      [],
    ],
    [
      "with quotes, comments and Windows' line ends",
      "# x\r\nJWT_SECRET_KEY='a#c' # x\r\nexport DB_PASSWORD=\"d=f\"\r\n",
      { JWT_SECRET_KEY: "a#c", DB_PASSWORD: "d=f" },
      [],
      [],
    ],
    [
      "without the database's password: the one of the source, and that is told",
      "JWT_SECRET_KEY=abc\n",
      { JWT_SECRET_KEY: "abc", DB_PASSWORD: "geoclic2024" },
      ["DB_PASSWORD"],
      [],
    ],
    [
      "without the key of sessions: none is brought",
      "DB_PASSWORD=def\n",
      { DB_PASSWORD: "def" },
      [],
      ["JWT_SECRET_KEY"],
    ],
    [
      "with the published key: it is told",
      "DB_PASSWORD=def\nJWT_SECRET_KEY=change-me-in-production\n",
      { DB_PASSWORD: "def", JWT_SECRET_KEY: "change-me-in-production" },
      ["JWT_SECRET_KEY"],
      [],
    ],
    ["empty", "", { DB_PASSWORD: "geoclic2024" }, ["DB_PASSWORD"], ["JWT_SECRET_KEY"]],
  ])("%s", (_, text, secrets, published, absent) => {
    expect(readFormerEnvironment(text, compose, variables)).toMatchObject({ secrets, published, absent });
  });

  test("tells the account's e-mail and the database", () => {
    const text = "DB_USER=u\nDB_NAME=n\nLETSENCRYPT_EMAIL=a@b.fr\n";
    expect(readFormerEnvironment(text, "", [])).toMatchObject({
      email: "a@b.fr",
      database: { user: "u", name: "n" },
    });
    expect(readFormerEnvironment("", "", [])).toMatchObject({
      email: undefined,
      database: { user: "geoclic", name: "geoclic_db" },
    });
  });
});

test.each([
  ['{"nom_collectivite":"Mairie d\'Aix"}', "Mairie d'Aix"],
  ['{"nom_collectivite":" Nice "}', "Nice"],
  ['{"nom_collectivite":"Ma Collectivité"}', undefined],
  ['{"nom_collectivite":""}', undefined],
  ['{"nom_collectivite":5}', undefined],
  ["{}", undefined],
  ["no json", undefined],
  ["", undefined],
  ["null", undefined],
])("the town in %s is %s", (json, town) => {
  expect(townOfSettings(json)).toBe(town);
});

test("a town's name of a client's", () => {
  expect(townOfName("aix-les-bains")).toBe("Aix Les Bains");
});
