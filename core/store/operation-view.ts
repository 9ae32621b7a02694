/** @module Operations of the store as views, and their events as those that an operation tells. */
import { OperationEvent, type OperationView, readOperation } from "../operation/journal.ts";
import type { ClientOutcome, NewEvent, StoredEvent, StoredOperation, StoredState } from "./operations.ts";

/** A kind that a later version has added is passed over. */
export function toldEvents(events: readonly StoredEvent[]): OperationEvent[] {
  return events.flatMap(({ kind, time, client, body }) => {
    const parsed = OperationEvent.safeParse({ ...body, kind, time, ...(client ? { client } : {}) });
    return parsed.success ? [parsed.data] : [];
  });
}

export function storedEvent({ kind, time, ...told }: OperationEvent): NewEvent {
  const { client, ...body } = { client: undefined, ...told };
  return { kind, time, body, ...(client === undefined ? {} : { client }) };
}

/** Of one whose events were all read; `undefined` when it was not begun. */
export function fullView(
  operation: StoredOperation,
  events: readonly StoredEvent[],
): OperationView | undefined {
  const view = readOperation(toldEvents(events), isUnderWay(operation.state));
  return view && { ...view, ...shownState(operation.state, view.state) };
}

/** For lists: without the steps of its clients, and without their causes. */
export function listedView(
  operation: StoredOperation,
  outline: readonly StoredEvent[],
  clients: readonly ClientOutcome[],
): OperationView | undefined {
  const { id, verb, stack, actor, request, holder, resumes, started } = operation;
  if (started === undefined) return undefined;
  const begin: OperationEvent = {
    kind: "begin",
    ...{ id, verb, stack, actor, request: { ...request }, time: started },
    pid: holder?.pid ?? 0,
    host: holder?.machine ?? "",
    ...(resumes === undefined ? {} : { resumes }),
  };
  const view = readOperation([begin, ...toldEvents(outline)], isUnderWay(operation.state));
  const found = new Map(clients.map((client) => [client.client, client]));
  return (
    view && {
      ...view,
      ...shownState(operation.state, view.state),
      clients: [
        ...view.clients.map((client) => ({ ...client, ...outcomeOf(found.get(client.client)) })),
        ...clients
          .filter(({ client }) => view.clients.every((planned) => planned.client !== client))
          .map((client) => ({ client: client.client, steps: [], ...outcomeOf(client) })),
      ],
    }
  );
}

function outcomeOf(stored: ClientOutcome | undefined) {
  if (!stored) return {};
  const [outcome] = toldEvents([
    { seq: 0, time: 0, kind: "client", client: stored.client, body: { ...stored } },
  ]);
  return {
    ...(outcome?.kind === "client" ? { outcome: outcome.outcome } : {}),
    ...(stored.release === undefined ? {} : { release: stored.release }),
    ...(stored.began === undefined ? {} : { began: stored.began }),
    ...(stored.ended === undefined ? {} : { ended: stored.ended }),
  };
}

function isUnderWay(state: StoredState): boolean {
  return state === "waiting" || state === "running" || state === "cancelling";
}

/** What is told of the end counts; a process that died told none. */
function shownState(stored: StoredState, told: OperationView["state"]): Pick<OperationView, "state"> {
  return { state: stored === "interrupted" || stored === "abandoned" ? "interrupted" : told };
}
