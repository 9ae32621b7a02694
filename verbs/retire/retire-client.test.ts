/**
 * `retire`, killed before and after each of its effects and run again: nothing is lost, nothing is left out, the contract
 * ends once. Not proven here: servers (assets/server/tests/test_retire.py), the engine and OVH (see test/lab).
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toShell } from "../../core/commands/shell.ts";
import { FleetError } from "../../core/errors.ts";
import type { Ovh } from "../../core/ovh/port.ts";
import type { RetirementEvent, RetirementLine } from "../../core/registry/retirement.ts";
import { memoryStack } from "../../test/helpers/stack-memory.ts";
import { type RetireContext, type RetireRequest, retireClient } from "./retire-client.ts";

const example = `${readFileSync("Pulumi.prod.yaml", "utf8")}  geoclic-fleet:secrets:\n    chambery:\n      DB_PASSWORD:\n        secure: v1:abc\n`;
const service = "vps-0a1b2c3d.vps.ovh.net";
const sha256 = "ab".repeat(32);
const exported = {
  folder: "20261123T020000Z",
  createdAt: "2026-11-23T02:00:00+00:00",
  tables: 3,
  rows: 1200,
  photos: 7,
  files: ["database.dump", "photos.tar.gz", "manifest.json"].map((file) => ({ file, bytes: 10, sha256 })),
};

class Killed extends Error {}

interface Fault {
  /** Counted over effects; the process dies before it, or after it. */
  readonly at: number;
  readonly when: "before" | "after";
}

/** A town, its server, its state and its contract: what stays when the tool is killed. */
function town(text = example) {
  const file = memoryStack(text);
  const lines: RetirementLine[] = [];
  const real = {
    isOpen: true,
    hasContainers: true,
    hasKey: true,
    isGone: false,
    state: ["protected"] as ("protected" | "free")[],
    files: new Set<string>(),
    contract: "runs" as "runs" | "ended",
    token: undefined as string | undefined,
    mails: [{ id: 5, body: "another mail" }],
  };
  const happened: string[] = [];
  return { file, lines, real, happened, context };

  function context(fault?: Fault, change: Partial<RetireContext> = {}): RetireContext {
    let count = 0;
    const effect = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
      count += 1;
      if (fault?.at === count && fault.when === "before") throw new Killed(name);
      const result = await work();
      happened.push(name);
      if (fault?.at === count && fault.when === "after") throw new Killed(name);
      return result;
    };
    const onServer = (line: string): string => {
      const where = { client: "chambery", step: "retire" };
      if (real.isGone) throw new FleetError("SSH_UNREACHABLE", { cause: "no route" }, where);
      if (!real.hasKey) throw new FleetError("SSH_REFUSED", {}, where);
      if (line.endsWith(" export")) {
        real.isOpen = false;
        return `backup: made\n${JSON.stringify(exported)}\n`;
      }
      if (line.endsWith(" stop")) {
        if (line.includes("--closed") && real.isOpen)
          throw new FleetError("REOPENED", { cause: "x", action: "y" }, where);
        if (real.files.size < 3) throw new Error("containers removed without a backup at home");
        real.hasContainers = false;
        return "";
      }
      if (line.endsWith(" .ssh/authorized_keys")) {
        if (real.hasContainers) throw new Error("the key went before the containers");
        real.hasKey = false;
      }
      return "";
    };
    const ovh: Ovh = {
      get: (async (path: string) =>
        effect(`GET ${path}`, () => {
          if (path === "/me/notification/email/history") return real.mails.map(({ id }) => id);
          const mail = real.mails.find(({ id }) => path.endsWith(`/${id}`));
          if (mail) return mail;
          if (real.contract === "ended") throw new FleetError("OVH_REFUSED", { status: 460 });
          return { name: service, state: "running" };
        })) as Ovh["get"],
      post: (async (path: string, request?: { body?: { token?: string } }) =>
        effect(`POST ${path}`, () => {
          if (path.endsWith("/terminate")) {
            real.token = `token${real.mails.length}`;
            const id = (real.mails.at(-1)?.id ?? 0) + 1;
            const link = `https://www.ovh.com/manager/#/billing/confirmTerminate?id=12&token=${real.token}`;
            real.mails.push({ id, body: `service ${service}\n${link}` });
          } else if (request?.body?.token === real.token && real.contract === "runs") real.contract = "ended";
          else throw new FleetError("OVH_REFUSED", { status: real.contract === "ended" ? 460 : 400 });
        })) as Ovh["post"],
      put: async () => Promise.reject(new Error("nothing is changed by PUT")),
      delete: async () => Promise.reject(new Error("nothing is deleted")),
      time: async () => 0,
      checkRights: async () => {},
    };
    return {
      file: { ...file, edit: (edit, message) => effect("edit", () => file.edit(edit, message)) },
      journal: {
        folder: "/home/retired/chambery",
        read: async () => [...lines],
        write: (event: RetirementEvent) =>
          effect(`note ${event.event}`, () => void lines.push({ time: "2026-11-23T10:00:00Z", ...event })),
      },
      confirm: async () => true,
      confirmEnd: async () => true,
      confirmGone: async () => true,
      seen: async () =>
        real.isGone ? { answers: false, said: "no route" } : { answers: true, said: "HTTP 200" },
      openSsh: async (target) => ({
        target,
        run: async (_step, command) => {
          const line = toShell(command);
          const name = line.endsWith(" .ssh/authorized_keys")
            ? "remove key"
            : line.replace(/^sudo -n \S+\/retire --client chambery /, "");
          return { status: 0, stdout: await effect(name, () => onServer(line)) };
        },
        forward: () => Promise.reject(new Error("no way back is needed")),
        sendRelease: () => Promise.reject(new Error("no release is needed")),
      }),
      installScripts: () => effect("scripts", () => onServer("scripts")).then(() => {}),
      download: (_target, command, path) =>
        effect(`fetch ${path}`, () => {
          onServer(toShell(command));
          real.files.add(path);
          return { bytes: 10, sha256 };
        }),
      fleetKeys: async () => ["ssh-ed25519 FLEET"],
      unprotect: () => effect("unprotect", () => void real.state.fill("free")),
      converge: () =>
        effect("converge", async () => {
          const { clients } = await file.read();
          if (clients.some(({ name }) => name === "chambery")) throw new Error("still declared");
          if (real.state.includes("protected")) throw new FleetError("ENGINE_FAILED", { cause: "protected" });
          real.state = [];
        }),
      isInState: async () => real.state.length > 0,
      openOvh: async () => ovh,
      now: () => Date.UTC(2026, 10, 23),
      sleep: async () => {},
      describe: (error) => error.message,
      tell: () => {},
      ...change,
    };
  }
}

const everything: RetireRequest = { name: "chambery", up: true, endContract: true };

async function isOver({ file, real, lines }: ReturnType<typeof town>): Promise<void> {
  const { clients, retired, secrets } = await file.read();
  expect(clients.map(({ name }) => name)).toEqual(["ville-lyon", "aix-les-bains"]);
  expect({ retired, secrets }).toEqual({ retired: [{ name: "chambery", on: "2026-11-23" }], secrets: {} });
  expect(file.commits).toEqual(["Retire chambery (chambery.geoclic.fr)"]);
  expect(real).toMatchObject({
    isOpen: false,
    hasContainers: false,
    hasKey: false,
    state: [],
    contract: "ended",
  });
  expect(real.files.size).toBe(3);
  expect(lines.filter(({ event }) => event === "started")).toHaveLength(1);
}

test("everything, in this order", async () => {
  const world = town();
  await retireClient(world.context(), everything);
  expect(world.happened.filter((name) => !name.startsWith("GET"))).toEqual([
    "note started",
    "scripts",
    "export",
    ...exported.files.map(({ file }) => `fetch /home/retired/chambery/20261123T020000Z/${file}`),
    "note exported",
    "--closed stop",
    "note stopped",
    "note keyGoing",
    "remove key",
    "note keyGone",
    "unprotect",
    "edit",
    "note undeclared",
    "unprotect",
    "converge",
    "note converged",
    "note terminationAsked",
    `POST /vps/${service}/terminate`,
    `POST /vps/${service}/confirmTermination`,
    "note terminated",
  ]);
  await isOver(world);
});

test("who was retired meanwhile stays retired", async () => {
  const world = town();
  const context = world.context();
  const converge = context.installScripts;
  const installScripts: RetireContext["installScripts"] = async (client, ssh) => {
    await world.file.edit((editor) => {
      editor.clients.remove("ville-lyon");
      editor.setValue("retired", [{ name: "ville-lyon", on: "2026-11-22" }]);
    });
    return converge(client, ssh);
  };
  await retireClient({ ...context, installScripts }, everything);
  expect((await world.file.read()).retired.map(({ name }) => name)).toEqual(["ville-lyon", "chambery"]);
});

test("again after its end does nothing", async () => {
  const world = town();
  await retireClient(world.context(), everything);
  const before = world.happened.length;
  await retireClient(world.context(), everything);
  expect(world.happened).toHaveLength(before);
});

/** As many as a whole run has. */
const effects = await (async () => {
  const world = town();
  await retireClient(world.context(), everything);
  return world.happened.length;
})();

describe.each(["before", "after"] as const)("killed %s", (when) => {
  test.each(
    Array.from({ length: effects }, (_, index) => index + 1),
  )("effect %i, it is resumed to its end", async (at) => {
    const world = town();
    await expect(retireClient(world.context({ at, when }), everything)).rejects.toThrow(Killed);
    await retireClient(world.context(), everything);
    await isOver(world);
  });
});

test("killed again and again, it comes to its end", async () => {
  const world = town();
  for (let round = 0; round < 200; round += 1) {
    const outcome = await retireClient(world.context({ at: 7, when: "before" }), everything).catch(
      (error) => error,
    );
    if (!(outcome instanceof Killed)) {
      expect(outcome).toBeUndefined();
      break;
    }
  }
  expect(world.real).toMatchObject({ hasContainers: false, hasKey: false });
});

describe("refuses, and changes nothing", () => {
  test.each<[string, Partial<RetireContext>, RetireRequest, string]>([
    ["what is not confirmed", { confirm: async () => false }, everything, "NOT_CONFIRMED"],
    ["an unknown client", {}, { ...everything, name: "paris" }, "CLIENT_UNKNOWN"],
  ])("%s", async (_, change, request, code) => {
    const world = town();
    await expect(retireClient(world.context(undefined, change), request)).rejects.toMatchObject({ code });
    expect(world.happened).toEqual([]);
    expect(world.file.text()).toBe(example);
  });

  test("a file with other changes", async () => {
    const world = town();
    world.file.refuse();
    await expect(retireClient(world.context(), everything)).rejects.toMatchObject({
      code: "STACK_FILE_DIRTY",
    });
    expect(world.happened).toEqual([]);
  });

  test("the end of a contract that is not known, before anything is taken down", async () => {
    const world = town();
    await expect(retireClient(world.context(), { ...everything, name: "ville-lyon" })).rejects.toMatchObject({
      code: "NO_CONTRACT",
    });
    expect(world.happened).toEqual(["note started"]);
  });

  test("the end of a contract without the rights for it, before anything is taken down", async () => {
    const world = town();
    const openOvh = async () =>
      ({ checkRights: () => Promise.reject(new FleetError("OVH_RIGHTS", {})) }) as unknown as Ovh;
    await expect(retireClient(world.context(undefined, { openOvh }), everything)).rejects.toMatchObject({
      code: "OVH_RIGHTS",
    });
    expect(world.happened).toEqual(["note started"]);
  });
});

describe("the last backup", () => {
  test("that arrives damaged stops everything", async () => {
    const world = town();
    const download = async () => ({ bytes: 10, sha256: "cd".repeat(32) });
    await expect(retireClient(world.context(undefined, { download }), everything)).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
      place: { client: "chambery" },
    });
    expect(world.real).toMatchObject({ hasContainers: true, hasKey: true });
    await retireClient(world.context(), everything);
    await isOver(world);
  });

  test("is made again when the town was opened after it", async () => {
    const world = town();
    await expect(retireClient(world.context({ at: 7, when: "after" }), everything)).rejects.toThrow(Killed);
    expect(world.lines.at(-1)?.event).toBe("exported");
    world.real.isOpen = true;
    await retireClient(world.context(), everything);
    expect(world.happened.filter((name) => name === "export")).toHaveLength(2);
    await isOver(world);
  });

  test.each([
    ["is reached, but its backup fails", new FleetError("DISK_FULL", { cause: "x", action: "y" })],
    ["refuses the key", new FleetError("SSH_REFUSED", {})],
  ])("is demanded of a server that %s, whatever is said", async (_, error) => {
    const world = town();
    const installScripts = () => Promise.reject(error);
    await expect(
      retireClient(world.context(undefined, { installScripts }), { ...everything, withoutBackup: true }),
    ).rejects.toMatchObject({ code: error.code });
    expect(world.real).toMatchObject({ hasContainers: true, hasKey: true });
    expect(world.file.text()).toBe(example);
  });

  test("cannot be had of a server that is gone: only with the very words", async () => {
    const world = town();
    world.real.isGone = true;
    await expect(retireClient(world.context(), everything)).rejects.toMatchObject({
      code: "SSH_UNREACHABLE",
    });
    expect(world.file.text()).toBe(example);
    await retireClient(world.context(), { ...everything, withoutBackup: true });
    expect((await world.file.read()).retired).toHaveLength(1);
    expect(world.real).toMatchObject({ state: [], contract: "ended" });
    expect(world.lines.map(({ event }) => event)).toContain("withoutBackup");
  });

  test("of a server that is tried in vain is given up only by its name, typed again with what was seen", async () => {
    const world = town();
    world.real.isGone = true;
    const waits: number[] = [];
    const asked: string[] = [];
    const change: Partial<RetireContext> = {
      sleep: async (milliseconds) => void waits.push(milliseconds),
      confirmGone: async (name, observed) => {
        asked.push(`${name}: ${observed}`);
        return false;
      },
    };
    const request = { ...everything, withoutBackup: true };
    await expect(retireClient(world.context(undefined, change), request)).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
    });
    expect(waits.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(300_000);
    expect(asked).toEqual(["chambery: SSH: no route; https://chambery.geoclic.fr: no route"]);
    expect(world.file.text()).toBe(example);
    expect(world.real.state).toEqual(["protected"]);
  });

  test("of a server that answers after a minute is made, whatever was said", async () => {
    const world = town();
    world.real.isGone = true;
    let waited = 0;
    const sleep = async (milliseconds: number) => {
      waited += milliseconds;
      if (waited >= 60_000) world.real.isGone = false;
    };
    await retireClient(world.context(undefined, { sleep }), { ...everything, withoutBackup: true });
    await isOver(world);
    expect(world.lines.map(({ event }) => event)).not.toContain("withoutBackup");
  });

  test.each<[string, Partial<RetireContext>, string]>([
    [
      "the town answers over HTTPS",
      { seen: async () => ({ answers: true, said: "HTTP 200" }) },
      "SERVER_ALIVE",
    ],
    [
      "it shuts this address out",
      {
        installScripts: () =>
          Promise.reject(new FleetError("SSH_UNREACHABLE", { cause: "kex_exchange_identification: closed" })),
        openSsh: async (target) => ({
          ...(await town().context().openSsh(target)),
          run: () =>
            Promise.reject(
              new FleetError("SSH_UNREACHABLE", { cause: "kex_exchange_identification: closed" }),
            ),
        }),
      },
      "SERVER_ALIVE",
    ],
    [
      "it shows another host key",
      { installScripts: () => Promise.reject(new FleetError("HOST_KEY_CHANGED", { host: "h", port: 22 })) },
      "HOST_KEY_CHANGED",
    ],
  ])("is not given up while %s", async (_, change, code) => {
    const world = town();
    world.real.isGone = true;
    const request = { ...everything, withoutBackup: true };
    await expect(retireClient(world.context(undefined, change), request)).rejects.toMatchObject({ code });
    expect(world.file.text()).toBe(example);
    expect(world.lines.map(({ event }) => event)).not.toContain("withoutBackup");
  });

  test("comes from the server as it is declared now, not as it was when this began", async () => {
    const world = town();
    await expect(retireClient(world.context({ at: 2, when: "before" }), everything)).rejects.toThrow(Killed);
    const key = `ssh-ed25519 ${"B".repeat(68)}`;
    await world.file.editClients((clients) => clients.set("chambery", "ssh.hostKey", key));
    const keys = new Set<string>();
    const context = world.context();
    const openSsh: RetireContext["openSsh"] = (target) => {
      keys.add(target.hostKey);
      return context.openSsh(target);
    };
    await retireClient({ ...context, openSsh }, everything);
    expect([...keys]).toEqual([key]);
  });

  test("of a server that came back is taken after all", async () => {
    const world = town();
    world.real.isGone = true;
    await expect(
      retireClient(world.context({ at: 4, when: "before" }), { ...everything, withoutBackup: true }),
    ).rejects.toThrow();
    world.real.isGone = false;
    await retireClient(world.context(), everything);
    await isOver(world);
  });
});

describe("the engine", () => {
  const fails = () => Promise.reject(new FleetError("ENGINE_FAILED", { cause: "another town" }));
  test("that fails for another town is told, and this one is over", async () => {
    const world = town();
    const told: string[] = [];
    const change = {
      converge: fails,
      isInState: async () => false,
      tell: (key: string) => void told.push(key),
    };
    await retireClient(world.context(undefined, change), everything);
    expect(told).toContain("retire.others");
  });

  test("that fails for this one is run again", async () => {
    const world = town();
    await expect(
      retireClient(world.context(undefined, { converge: fails }), everything),
    ).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    await retireClient(world.context(), everything);
    await isOver(world);
  });

  test("is left to the operator by --no-up", async () => {
    const world = town();
    await retireClient(world.context(), { name: "chambery", up: false });
    expect(world.happened).not.toContain("converge");
    expect(world.real).toMatchObject({ state: ["free"], contract: "runs" });
  });
});

describe("the contract", () => {
  test("stays unless it is asked for", async () => {
    const world = town();
    await retireClient(world.context(), { name: "chambery", up: true });
    expect(world.real.contract).toBe("runs");
    expect(world.happened.some((name) => name.includes("/vps/"))).toBe(false);
    await retireClient(world.context(), everything);
    await isOver(world);
  });

  test("stays without the second confirmation", async () => {
    const world = town();
    await expect(
      retireClient(world.context(undefined, { confirmEnd: async () => false }), everything),
    ).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    expect(world.real.contract).toBe("runs");
    expect(world.happened.some((name) => name.startsWith("POST"))).toBe(false);
  });

  test("ends with the token that was typed, and none is mailed", async () => {
    const world = town();
    world.real.token = "typed";
    await retireClient(world.context(), { ...everything, token: "typed" });
    expect(world.happened.filter((name) => name.startsWith("POST"))).toEqual([
      `POST /vps/${service}/confirmTermination`,
    ]);
    await isOver(world);
  });

  test("of an account that does not know the server is no end of it", async () => {
    const world = town();
    const ovh = {
      ...(await world.context().openOvh()),
      get: () => Promise.reject(new FleetError("OVH_REFUSED", { status: 404 })),
    };
    await expect(
      retireClient(world.context(undefined, { openOvh: async () => ovh }), everything),
    ).rejects.toMatchObject({ code: "OVH_REFUSED" });
    expect(world.lines.map(({ event }) => event)).not.toContain("terminated");
  });

  test("whose mail does not come is ended later", async () => {
    const world = town();
    let now = Date.UTC(2026, 10, 23);
    const clock = {
      now: () => now,
      sleep: async (milliseconds: number) => {
        now += milliseconds;
      },
    };
    const held: unknown[] = [];
    const context = world.context(undefined, clock);
    const openOvh = async () => {
      const ovh = await context.openOvh();
      const post: Ovh["post"] = async (path, request) => {
        const answer = await ovh.post(path, request);
        held.push(...world.real.mails.splice(1));
        return answer;
      };
      return { ...ovh, post };
    };
    await expect(retireClient({ ...context, openOvh }, everything)).rejects.toMatchObject({
      code: "TERMINATION_UNMAILED",
    });
    world.real.mails.push(...(held as { id: number; body: string }[]));
    await retireClient(world.context(), everything);
    expect(world.happened.filter((name) => name.endsWith("/terminate"))).toHaveLength(1);
    await isOver(world);
  });
});
