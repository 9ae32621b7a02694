/** Backups of several servers at once. Not proven: what a server's own command does (see test/lab/life.test.ts). */
import { expect, test } from "vitest";
import { toShell } from "../core/commands/shell.ts";
import { FleetError } from "../core/errors.ts";
import { backUp } from "./back-up.ts";
import type { Operation } from "./operation.ts";

const target = (client: string) => ({
  ...{ client, host: "192.0.2.1", port: 22, user: "root" },
  hostKey: "ssh-ed25519 AAAA",
});

/** `answers`: failure of a client's server, by its command. */
function world(
  answers: Readonly<Record<string, FleetError | Error>> = {},
  cancelled = new AbortController(),
) {
  const events: string[] = [];
  let atOnce = 0;
  let most = 0;
  const operation = {
    cancelled: cancelled.signal,
    plan: (waves: readonly (readonly string[])[]) => void events.push(`plan ${waves.flat().join(" ")}`),
    step: (client: string) => void events.push(`${client} …`),
    stepEnd: (client: string, _: string, ok: boolean) =>
      void events.push(`${client} ${ok ? "ok" : "failed"}`),
    line: (text: string, client?: string) => void events.push(`${client} | ${text}`),
    client: (client: string, outcome: string, told?: { cause?: string }) =>
      void events.push(`${client}: ${outcome}${told?.cause ? ` (${told.cause})` : ""}`),
    refuseCancelled: () => {
      if (cancelled.signal.aborted) throw new FleetError("CANCELLED");
    },
  } as Partial<Operation> as Operation;
  const context = {
    describe: ({ code }: FleetError) => code,
    openSsh: async ({ client }: { client: string }) => ({
      run: async (
        _: string,
        command: Parameters<typeof toShell>[0],
        options: { onLine?: (line: string) => void },
      ) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        const failure = answers[`${client} ${toShell(command).includes("backup") ? "backup" : "true"}`];
        if (failure) throw failure;
        options.onLine?.("backup: kept");
        return { status: 0, stdout: "" };
      },
    }),
  } as unknown as Parameters<typeof backUp>[0];
  return { events, operation, context, cancelled, most: () => most };
}

test("one that fails, one that is away: told as such, the others are done", async () => {
  const { events, operation, context } = world({
    "b backup": new FleetError("BACKUP_FAILED", { cause: "failed", action: "look" }),
    "c true": new FleetError("SSH_UNREACHABLE"),
  });
  await backUp(context, operation, ["a", "b", "c", "d"].map(target), 1);
  expect(events.filter((event) => /^[a-d]: /.test(event))).toEqual([
    "a: done",
    "b: failed (BACKUP_FAILED)",
    "c: offline (SSH_UNREACHABLE)",
    "d: done",
  ]);
  expect(events[0]).toBe("plan a b c d");
  expect(events).toContain("a | backup: kept");
});

test.each([
  [1, 1],
  [3, 3],
  [50, 7],
])("%i at once", async (parallel, expected) => {
  const { operation, context, most } = world();
  await backUp(context, operation, ["a", "b", "c", "d", "e", "f", "g"].map(target), parallel);
  expect(most()).toBe(expected);
});

test("a defect ends it, once those that run have ended", async () => {
  const { events, operation, context } = world({ "a backup": new TypeError("no") });
  await expect(backUp(context, operation, ["a", "b"].map(target), 2)).rejects.toThrow(TypeError);
  expect(events).toContain("b: done");
});

test("cancelled, no other server is begun", async () => {
  const { events, operation, context, cancelled } = world();
  const running = backUp(context, operation, ["a", "b", "c"].map(target), 1);
  cancelled.abort();
  await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
  expect(events).not.toContain("b …");
});
