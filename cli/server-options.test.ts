/** Hostile words for the commands that look at servers: refused before anything is contacted. Not proven: the shell of a real server (test/peers/servers.test.ts). */
import { beforeEach, expect, test, vi } from "vitest";
import type { Console } from "./console.ts";
import { FleetConfig } from "../core/config/stack.ts";

const contacted: unknown[] = [];
const config = FleetConfig.parse({
  role: "fleet",
  suite: { path: "/suite" },
  clients: [
    {
      name: "ville",
      domain: "ville.fr",
      email: "a@ville.fr",
      town: "Ville",
      ip: "10.0.0.1",
      ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    },
  ],
});
const values: Record<string, string> = Object.fromEntries(
  Object.entries(config).map(([key, value]) => [
    `geoclic-fleet:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]),
);

vi.mock("../adapters/pulumi.ts", () => ({ readStackConfig: async () => values }));
vi.mock("../adapters/suite-source.ts", () => ({
  readReleases: async () => new Map([["present", { id: "b", project: "deploy", services: { api: {} } }]]),
}));
vi.mock("../adapters/ssh.ts", () => ({ openSsh: async () => void contacted.push("ssh") }));
vi.mock("../adapters/ssh-session.ts", () => ({
  openSession: async () => contacted.push("session"),
  followCommand: async () => void contacted.push("follow"),
}));
vi.mock("../adapters/host-key.ts", () => ({ scanHostKey: async () => void contacted.push("scan") }));

const console = {
  language: "en",
  end() {},
  fail() {},
  print() {},
  json() {},
  progress() {},
} satisfies Console;
const { drift } = await import("./commands/drift.ts");
const { logs } = await import("./commands/logs.ts");
const { ssh } = await import("./commands/ssh.ts");
const { status } = await import("./commands/status.ts");
const { testSsh } = await import("./commands/test-ssh.ts");

beforeEach(() => void contacted.splice(0));

const hostile = [
  "; id",
  "it's",
  '"',
  "$(id)",
  "`id`",
  "a\nb",
  "-oProxyCommand=id",
  "--",
  "é".repeat(5000),
  "",
  "a\0b",
];
const commands: [string, (word: string) => Promise<unknown>][] = [
  ["status --client", (word) => status(console, { client: [word], timeout: "1" })],
  ["status --timeout", (word) => status(console, { timeout: word })],
  ["status --watch", (word) => status(console, { timeout: "1", watch: word })],
  ["drift --client", (word) => drift(console, { client: [word] }, async () => {})],
  ["ssh NAME", (word) => ssh(console, word, [], {})],
  ["logs NAME", (word) => logs(console, word, { service: "api", lines: "5" })],
  ["logs --service", (word) => logs(console, "ville", { service: word, lines: "5" })],
  ["logs --lines", (word) => logs(console, "ville", { service: "api", lines: word })],
  ["logs --since", (word) => logs(console, "ville", { service: "api", lines: "5", since: word })],
  ["test-ssh IP", (word) => testSsh(console, { ip: word, user: "u", port: "22" }, { timeout: "1" })],
  ["test-ssh USER", (word) => testSsh(console, { ip: "10.0.0.1", user: word, port: "22" }, { timeout: "1" })],
  ["test-ssh PORT", (word) => testSsh(console, { ip: "10.0.0.1", user: "u", port: word }, { timeout: "1" })],
  [
    "test-ssh --client",
    (word) => testSsh(console, { ip: undefined, user: "u", port: "22" }, { client: word, timeout: "1" }),
  ],
];

test.each(
  commands.flatMap(([name, run]) => hostile.map((word) => [name, word.slice(0, 20), word, run] as const)),
)("%s refuses %j", async (_, __, word, run) => {
  await expect(run(word)).rejects.toMatchObject({
    name: "FleetError",
    code: expect.stringMatching(/^(CLIENTS_NOT_FOUND|OPTION_INVALID|SERVICE_UNKNOWN)$/),
  });
  expect(contacted).toEqual([]);
});

test("what is right gets through", async () => {
  await ssh(console, "ville", ["id"], {});
  await logs(console, "ville", { service: "api", lines: "5", follow: true });
  expect(contacted).toEqual(["session", "follow"]);
});
