/**
 * @module The journal of an operation: one run of a verb, told line by line as it happens, and what the lines add up to.
 * Times are milliseconds since 1970.
 */
import { z } from "zod";

/**
 * Where a client of an operation ended. `offline`: it was left as it is, and is caught up later; `skipped`: nothing was begun
 * with it.
 */
export const Outcome = z.enum(["done", "unchanged", "failed", "offline", "cancelled", "skipped"]);
export type Outcome = z.infer<typeof Outcome>;

const Values = z.record(z.string(), z.unknown());
const time = z.number();

export const OperationEvent = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("begin"),
    id: z.string(),
    verb: z.string(),
    stack: z.string(),
    /** Who asked for it. */
    actor: z.string(),
    /** What was asked for, without secrets: it is enough to ask for it again. */
    request: Values,
    /** Process that runs it. */
    pid: z.int(),
    host: z.string(),
    /** Id of the interrupted operation that this one goes on with. */
    resumes: z.string().optional(),
    /** Somebody answers its questions at a terminal, where Ctrl-C ends it; another process cannot. */
    isAttended: z.boolean().optional(),
    time,
  }),
  /** What it set out to do; a resumed operation goes by it. `targets`: release by client. */
  z.object({
    kind: z.literal("plan"),
    waves: z.array(z.array(z.string())),
    targets: z.record(z.string(), z.string()),
    time,
  }),
  z.object({ kind: z.literal("wave"), number: z.int(), clients: z.array(z.string()), time }),
  z.object({ kind: z.literal("step"), client: z.string(), step: z.string(), time }),
  z.object({ kind: z.literal("step-end"), client: z.string(), step: z.string(), ok: z.boolean(), time }),
  /** A line of output. */
  z.object({ kind: z.literal("line"), client: z.string().optional(), text: z.string(), time }),
  z.object({
    kind: z.literal("client"),
    client: z.string(),
    outcome: Outcome,
    /** Release that runs there now, where it is known. */
    release: z.string().optional(),
    /** Why it failed, and what to do next. */
    cause: z.string().optional(),
    time,
  }),
  z.object({
    kind: z.literal("end"),
    outcome: z.enum(["succeeded", "failed", "cancelled"]),
    cause: z.string().optional(),
    time,
  }),
]);
export type OperationEvent = z.infer<typeof OperationEvent>;

type WithoutTime<Event> = Event extends unknown ? Omit<Event, "time"> : never;
/** An event as the one who runs the operation tells it; the journal adds the time. */
export type Told = WithoutTime<OperationEvent>;

export interface StepView {
  readonly step: string;
  readonly began: number;
  readonly ended?: number;
  readonly ok?: boolean;
}

export interface ClientView {
  readonly client: string;
  readonly outcome?: Outcome;
  readonly release?: string;
  readonly cause?: string;
  readonly began?: number;
  readonly ended?: number;
  readonly steps: readonly StepView[];
}

/** What is told of an operation: `running` while its process lives, `interrupted` when that died before the end. */
export type OperationState = "running" | "interrupted" | "succeeded" | "failed" | "cancelled";

export interface OperationView {
  readonly id: string;
  readonly verb: string;
  readonly stack: string;
  readonly actor: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly pid: number;
  readonly host: string;
  readonly resumes?: string;
  readonly isAttended?: boolean;
  readonly state: OperationState;
  readonly cause?: string;
  readonly began: number;
  readonly ended?: number;
  readonly waves: readonly (readonly string[])[];
  /** Number of the wave that was begun last, from 1; 0 before the first. */
  readonly wave: number;
  readonly targets: Readonly<Record<string, string>>;
  readonly clients: readonly ClientView[];
}

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };
type ClientDraft = Draft<ClientView> & { steps: StepView[] };

/** What the lines add up to; `undefined` without a beginning. `isAlive`: whether the process that writes them lives. */
export function readOperation(
  events: readonly OperationEvent[],
  isAlive: boolean,
): OperationView | undefined {
  const [begin] = events;
  if (begin?.kind !== "begin") return undefined;
  const clients = new Map<string, ClientDraft>();
  const { kind: _, time: began, resumes, isAttended, ...told } = begin;
  const view: Draft<OperationView> = {
    ...told,
    ...(resumes === undefined ? {} : { resumes }),
    ...(isAttended ? { isAttended } : {}),
    state: isAlive ? "running" : "interrupted",
    began,
    waves: [],
    wave: 0,
    targets: {},
    clients: [],
  };
  for (const event of events) add(event);
  return { ...view, clients: [...clients.values()] };

  function client(name: string): ClientDraft {
    const known = clients.get(name);
    if (known) return known;
    const fresh: ClientDraft = { client: name, steps: [] };
    clients.set(name, fresh);
    return fresh;
  }

  function add(event: OperationEvent): void {
    switch (event.kind) {
      case "plan":
        view.waves = event.waves;
        view.targets = event.targets;
        for (const name of event.waves.flat()) client(name);
        break;
      case "wave":
        view.wave = event.number;
        break;
      case "step": {
        const found = client(event.client);
        found.began ??= event.time;
        found.steps.push({ step: event.step, began: event.time });
        break;
      }
      case "step-end": {
        const { steps } = client(event.client);
        const index = steps.findLastIndex(({ step, ended }) => step === event.step && ended === undefined);
        const open = steps[index];
        if (open) steps[index] = { ...open, ended: event.time, ok: event.ok };
        break;
      }
      case "client": {
        const { kind: _kind, time: ended, ...outcome } = event;
        Object.assign(client(event.client), outcome, { ended });
        break;
      }
      case "end":
        view.state = event.outcome;
        view.ended = event.time;
        if (event.cause !== undefined) view.cause = event.cause;
        break;
      case "begin":
      case "line":
    }
  }
}

/** A journal's text as events; a line that a crash cut, and one of a later version's kind, are passed over. */
export function parseJournal(text: string): OperationEvent[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    try {
      const parsed = OperationEvent.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}

/** Seconds that a client took in former operations of a verb: the median of the newest `count`, if there is any. */
export function expectedSeconds(
  operations: readonly OperationView[],
  verb: string,
  count = 20,
): number | undefined {
  const taken = operations
    .filter((operation) => operation.verb === verb)
    .toSorted((a, b) => b.began - a.began)
    .flatMap(({ clients }) => clients)
    .flatMap(({ outcome, began, ended }) =>
      outcome === "done" && began !== undefined && ended !== undefined ? [(ended - began) / 1000] : [],
    )
    .slice(0, count)
    .sort((a, b) => a - b);
  return taken[Math.floor(taken.length / 2)];
}

const secret = /password|secret|token|passphrase|private/i;

/** A request as it may be kept: values whose name says that they are secret are left out, long ones are cut. */
export function withoutSecrets(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(request).flatMap(([name, value]) => {
      if (value === undefined || secret.test(name)) return [];
      return [[name, typeof value === "string" ? value.slice(0, 500) : value]];
    }),
  );
}
