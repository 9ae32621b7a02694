/** Requests as doors make them and journals keep them. Not proven: that every door makes them (see cli/program.test.ts). */
import { describe, expect, test } from "vitest";
import { withoutSecrets } from "./journal.ts";
import { type Request, readRequest, Request as schema, type Verb } from "./request.ts";

const pace = { waves: [{ count: 2 }, { percent: 100 }], maxFailures: { percent: 10 }, soakSeconds: 20 };
const wish: NonNullable<Extract<Request, { verb: "order" }>["wish"]> = {
  client: {
    ...{ name: "ville", domain: "ville.geoclic.fr", email: "a@ville.fr", town: "Ville" },
    ...{ dns: "managed", canary: false },
  },
  ssh: { user: "debian", port: 22 },
  ...{ reach: "{1}.{2}.{3}.{4}", plan: "vps-2025-model1", datacenter: "GRA", os: "Debian 13" },
};

const all: { readonly [V in Verb]: Extract<Request, { verb: V }> } = {
  update: { verb: "update", clients: ["ville"], ...pace, services: ["api"], skipCheck: true },
  rollback: { verb: "rollback", all: true, ...pace, parallel: 5 },
  backup: { verb: "backup", clients: ["ville"], parallel: 10 },
  provision: { verb: "provision", client: "ville" },
  init: { verb: "init", client: "ville", email: "a@ville.fr" },
  add: { verb: "add", name: "ville", domain: "ville.geoclic.fr", dns: "managed" },
  remove: { verb: "remove", name: "ville" },
  retire: { verb: "retire", name: "ville", withoutBackup: false, up: true, endContract: true },
  import: { verb: "import", path: "clients.conf", reach: "{1}.{2}.{3}.{4}", dryRun: true },
  order: { verb: "order", name: "ville", wish, waitMinutes: 60, buyAgain: false },
  drift: { verb: "drift", clients: ["ville"], fix: true },
  "ssh-key rotate": { verb: "ssh-key rotate", stack: "master", parallel: 10, commit: true },
};

describe.each(Object.values(all))("$verb", (request) => {
  test("comes back from a journal as it was asked for", () => {
    const { verb, ...rest } = request;
    const line = JSON.parse(JSON.stringify(withoutSecrets(rest))) as Record<string, unknown>;
    expect(readRequest(verb, line)).toEqual(request);
  });

  test.each(["password", "token", "yes", "json"])("has no place for %s", (name) => {
    expect(schema.safeParse({ ...request, [name]: "x" }).success).toBe(false);
  });
});

describe("what earlier versions kept as it was typed", () => {
  test.each<[string, string, Record<string, unknown>, object]>([
    [
      "an update",
      "update",
      { clients: ["a"], waves: "2 25% 100%", maxFailures: "10%", soakSeconds: 20, services: "api portail" },
      {
        clients: ["a"],
        waves: [{ count: 2 }, { percent: 25 }, { percent: 100 }],
        maxFailures: { percent: 10 },
        soakSeconds: 20,
        services: ["api", "portail"],
      },
    ],
    [
      "a rollback that kept little",
      "rollback",
      { maxFailures: "0", soakSeconds: 0 },
      { waves: [{ percent: 100 }], maxFailures: { count: 0 }, soakSeconds: 0 },
    ],
    [
      "a rotation",
      "ssh-key rotate",
      { stack: "master", parallel: "7", commit: false },
      { stack: "master", parallel: 7, commit: false },
    ],
  ])("%s is read", (_, verb, kept, expected) => {
    expect(readRequest(verb, kept)).toEqual({ verb, ...expected });
  });

  test.each<[string, Record<string, unknown>]>([
    ["update", { waves: [{ count: -1 }] }],
    ["dashboard", {}],
    ["order", { name: "ville", wait: "60" }],
  ])("%s of %j is nothing that can be asked for again", (verb, kept) => {
    expect(readRequest(verb, kept)).toBeUndefined();
  });
});
