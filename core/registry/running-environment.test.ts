/** Files of the predecessor against its containers. The server compares once more, by its own code: test/lab/adoption.test.ts. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { differingSecrets, nothingRuns, showRunning } from "./running-environment.ts";

const secrets = { DB_PASSWORD: "new-password", JWT_SECRET_KEY: "the-key-of-sessions" };
const described = {
  services: {
    db: { environment: { POSTGRES_PASSWORD: "new-password" } },
    api: {
      environment: {
        DATABASE_URL: "postgresql://geoclic:new-password@db/x",
        JWT_SECRET_KEY: "the-key-of-sessions",
        DEBUG: "false",
        UNSET: null,
      },
    },
    admin: {},
  },
};
const shown = (containers: Readonly<Record<string, readonly string[] | null>>) =>
  [described, ...Object.entries(containers).map(([service, env]) => ({ service, env }))]
    .map((line) => JSON.stringify(line))
    .join("\n");
const current = ["DATABASE_URL=postgresql://geoclic:new-password@db/x", "JWT_SECRET_KEY=the-key-of-sessions"];

test("what runs with another value is named by secret, variable and service, and never by its value", () => {
  const api = ["DATABASE_URL=postgresql://geoclic:old-password@db/x", "JWT_SECRET_KEY=a=b"];
  const told = differingSecrets(shown({ api, admin: null }), secrets);
  expect(told).toEqual(["DB_PASSWORD (DATABASE_URL of api)", "JWT_SECRET_KEY (JWT_SECRET_KEY of api)"]);
  expect(told.join()).not.toMatch(/old-password|new-password|a=b|the-key-of/);
});

test.each<[string, Readonly<Record<string, readonly string[] | null>>]>([
  ["the same values", { api: current }],
  ["what is no secret", { api: [...current, "DEBUG=true"] }],
  ["what a database was made with", { db: ["POSTGRES_PASSWORD=old-password"], api: current }],
  ["a service that the files do not name", { other: ["JWT_SECRET_KEY=old"] }],
  ["a variable that a container does not have", { api: current.slice(0, 1) }],
])("%s differs in nothing", (_, containers) => {
  expect(differingSecrets(shown(containers), secrets)).toEqual([]);
});

test("a dollar, which Compose shows twice, is no difference, and another one is", () => {
  const environment = { JWT_SECRET_KEY: "pa$$word-2024" };
  const text = (key: string) =>
    [{ services: { api: { environment } } }, { service: "api", env: [`JWT_SECRET_KEY=${key}`] }]
      .map((line) => JSON.stringify(line))
      .join("\n");
  expect(differingSecrets(text("pa$word-2024"), { JWT_SECRET_KEY: "pa$word-2024" })).toEqual([]);
  expect(differingSecrets(text("pa$$word-2024"), { JWT_SECRET_KEY: "pa$word-2024" })).toHaveLength(1);
});

test("an answer of another kind is no proof of anything", () => {
  for (const text of ["", "no JSON", "[]", `${JSON.stringify(described)}\nno JSON`])
    expect(() => differingSecrets(text, secrets)).toThrow();
});

test("the command gives what is read here, through a real shell", () => {
  const folder = mkdtempSync(join(tmpdir(), "geoclic-running-"));
  try {
    const program = (name: string, text: string) => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    const deploy = join(folder, "it's");
    mkdirSync(deploy);
    const pretty = JSON.stringify(described, null, 2).replaceAll("'", "'\\''");
    program(
      "docker",
      `case "$1" in
ps) [ "$4" = "label=com.docker.compose.project.working_dir=$PWD" ] && echo "1 2" ;;
compose) printf '%s\\n' '${pretty}' ;;
inspect) printf '%s\\n' '{"service":"api","env":["JWT_SECRET_KEY=old"]}' '{"service":"admin","env":null}' ;;
esac`,
    );
    const run = (at: string) => {
      const [, , ...words] = showRunning(at);
      return execFileSync(words[0] ?? "", words.slice(1), {
        env: { PATH: `${folder}:/usr/bin:/bin` },
        encoding: "utf8",
      });
    };
    expect(differingSecrets(run(deploy), secrets)).toEqual(["JWT_SECRET_KEY (JWT_SECRET_KEY of api)"]);
    expect(() => run(join(folder, "none"))).toThrow(expect.objectContaining({ status: nothingRuns }));
    program("docker", "true");
    expect(() => run(deploy)).toThrow(expect.objectContaining({ status: nothingRuns }));
    program("docker", "exit 1");
    expect(() => run(deploy)).toThrow(expect.objectContaining({ status: 1 }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
