/** @module A step's world in memory: what was sent, in order, and answers by rule. */
import { type AcmeEvent, acmeBudget } from "../../core/certificate/budget.ts";
import type { Command } from "../../core/commands/shell.ts";
import { toShell } from "../../core/commands/shell.ts";
import type { SshTarget } from "../../core/commands/ssh.ts";
import type { ZoneRecord } from "../../core/dns/record.ts";
import type { HttpAnswer } from "../../core/health.ts";
import type { HttpRequest, StepContext } from "../../core/ports.ts";
import type { Release } from "../../core/release/release.ts";

export interface FakeContext extends StepContext {
  /** Everything that went to the server, as shell lines. */
  readonly sent: string[];
  readonly reported: string[];
  readonly built: string[];
  readonly ledger: AcmeEvent[];
}

export interface FakeOptions {
  /** Answer of a command line; an Error is thrown. Default: empty. */
  readonly answer?: (line: string, time: number) => string | Error;
  readonly get?: (request: HttpRequest) => HttpAnswer | Error;
  readonly release?: Release;
  /** Addresses that DNS servers give, also by server and by what was sent so far. */
  readonly a?:
    | readonly string[]
    | Error
    | ((servers: readonly string[], sent: readonly string[]) => readonly string[] | Error);
  /** Records of a name in a zone at OVH. */
  readonly records?: (subDomain: string) => ZoneRecord[];
  /** When somebody else last published a zone, milliseconds since 1970. */
  readonly refreshed?: number;
  readonly aaaa?: readonly string[];
  readonly ledger?: AcmeEvent[];
  readonly keys?: string[];
  readonly isRepair?: boolean;
}

export function fakeContext(options: FakeOptions = {}): FakeContext {
  const sent: string[] = [];
  const reported: string[] = [];
  const built: string[] = [];
  const ledger = options.ledger ?? [];
  const counts = new Map<string, number>();
  let clock = Date.UTC(2026, 10, 23);
  const run = async (line: string): Promise<string> => {
    sent.push(line);
    const time = (counts.get(line) ?? 0) + 1;
    counts.set(line, time);
    const answer = options.answer?.(line, time) ?? "";
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return {
    sent,
    reported,
    built,
    ledger,
    openSsh: async (target: SshTarget) => ({
      target,
      run: async (_step: string, command: Command) => ({ status: 0, stdout: await run(toShell(command)) }),
      forward: async (_step: string, port: number) => {
        await run(`forward ${port}`);
        return {
          remotePort: 40_000,
          close: async () => {
            sent.push("forward closed");
          },
        };
      },
      sendRelease: async (
        _step: string,
        { release, linkTo }: { release: string; linkTo: readonly string[] },
      ) => {
        await run(`rsync ${release} linked to ${linkTo.join(",") || "nothing"}`);
        return { files: 3, transferred: 2, bytesSent: 10 };
      },
    }),
    releases: {
      folder: "/store",
      path: (id) => `/store/${id}`,
      scriptsPath: (hash) => `/scripts/${hash}`,
      list: async () => [],
      read: async (id) => (options.release?.id === id ? options.release : undefined),
    },
    images: {
      provide: async (_release, service) => {
        built.push(service);
        return { digest: `sha256:${service}`, bytes: 1 };
      },
      expose: async () => ({
        port: 5000,
        bytesSent: () => 42,
        close: async () => void sent.push("endpoint closed"),
      }),
    },
    acmeLedger: {
      spend: async (request) => {
        const budget = acmeBudget(ledger, request.domain, request.server, request.time);
        if (budget.ok) ledger.push({ ...request, outcome: "issued" });
        return budget;
      },
      fail: async (request) => {
        const asked = ledger.findIndex(
          ({ domain, time }) => domain === request.domain && time === request.time,
        );
        ledger.splice(asked, 1, { ...request, outcome: "failed" });
      },
    },
    resolve: async (_domain, servers) => {
      const a = (typeof options.a === "function" ? options.a(servers, sent) : options.a) ?? ["10.0.0.1"];
      if (a instanceof Error) throw a;
      return { a, aaaa: options.aaaa ?? [] };
    },
    openZone: async (zone) => ({
      records: async (subDomain) => options.records?.(subDomain) ?? [],
      remove: async (id) => void sent.push(`remove record ${id} of ${zone}`),
      refresh: async () => void (await run(`refresh ${zone}`)),
    }),
    nameServersOf: async () => ["10.0.0.53:53"],
    refreshZone: async (_zone, since, refresh) => {
      if ((options.refreshed ?? Number.NEGATIVE_INFINITY) >= since) return false;
      await refresh();
      return true;
    },
    get: async (request) => {
      const answer = options.get?.(request) ?? { status: 404, body: "" };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    fleetKeys: async () => options.keys ?? [],
    archive: async () => new Uint8Array([1]),
    now: () => clock,
    sleep: async (milliseconds) => {
      clock += milliseconds;
    },
    report: (line) => void reported.push(line),
    onCancelled: () => () => {},
    isRepair: options.isRepair ?? false,
  };
}
