/** @module What the engine's events tell: which client and step is worked on, what was done, what failed and why. */
import { engineFailure } from "../commands/engine.ts";
import { readDescribed } from "../errors.ts";
import type { Language } from "../messages/catalogue.ts";
import type { EngineListener, ResourceChange, ResourceFailure } from "./port.ts";

interface StepMetadata {
  readonly urn: string;
  /** As the engine names it: same, create, update … */
  readonly op: string;
  readonly new?: { readonly parent?: string };
  readonly old?: { readonly parent?: string };
}

/** The part of an event of Pulumi's Automation API that is read. */
export interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly diagnosticEvent?: { readonly urn?: string; readonly severity: string; readonly message: string };
}

const component = /[$:]geoclic:fleet:ClientServer::/;

/** Of the program's own error that only says that a resource failed, which that one's error has told; it dies of it now and then. */
const echo =
  /^\s*(?:.* failed with an unhandled exception:\s+)?(?:<ref \*\d+> )?(?:Error: )?resource .* failed/;

/** Reads the engine's events as they come. `now`: milliseconds since 1970. */
export function watchEvents(language: Language, listener: EngineListener, now: () => number) {
  const parents = new Map<string, string>();
  const began = new Map<string, number>();
  const seconds = new Map<string, number>();
  const worked = new Map<string, ResourceChange>();
  const done = new Map<string, ResourceChange>();
  const failures: ResourceFailure[] = [];
  const echoes: ResourceFailure[] = [];
  return {
    seconds,
    changes: () => [...worked.values()],
    done: () => [...done.values()],
    // An echo of nothing is the only word that there is.
    failures: () => (failures.length > 0 ? failures : echoes),
    onEvent,
  };

  function onEvent({
    resourcePreEvent,
    resOutputsEvent,
    resOpFailedEvent,
    diagnosticEvent,
  }: EngineEvent): void {
    if (resourcePreEvent) onBegin(resourcePreEvent.metadata);
    if (resOutputsEvent) {
      const { urn, op } = resOutputsEvent.metadata;
      if (isWork(urn)) done.set(urn, changeOf(urn, op));
      onEnd(urn, true);
    }
    if (resOpFailedEvent) onEnd(resOpFailedEvent.metadata.urn, false);
    if (diagnosticEvent) {
      const { urn, severity, message } = diagnosticEvent;
      // Debug lines come as `debug`, which the type does not name.
      if (severity === "error") {
        const isEcho = !(urn && isWork(urn)) && echo.test(message);
        (isEcho ? echoes : failures).push(failure(urn, message));
      }
      if (severity === "warning" || severity === "info")
        for (const line of message.split("\n").filter((text) => text.trim() !== ""))
          listener.onLine?.(line, urn ? clientOf(urn) : undefined);
    }
  }

  function onBegin(metadata: StepMetadata): void {
    const { urn, op } = metadata;
    parents.set(urn, metadata.new?.parent ?? metadata.old?.parent ?? "");
    if (op === "same" || op === "read" || op === "refresh" || !isWork(urn)) return;
    began.set(urn, now());
    const change = changeOf(urn, op);
    worked.set(urn, change);
    if (change.client !== undefined) listener.onStep?.(change.client, change.step);
  }

  function changeOf(urn: string, operation: string): ResourceChange {
    const client = clientOf(urn);
    return { ...(client === undefined ? {} : { client }), step: stepOf(urn, client), operation };
  }

  function onEnd(urn: string, ok: boolean): void {
    const start = began.get(urn);
    if (start === undefined) return;
    seconds.set(nameOf(urn), (now() - start) / 1000);
    const client = clientOf(urn);
    if (client !== undefined) listener.onStepEnd?.(client, stepOf(urn, client), ok);
  }

  function failure(urn: string | undefined, message: string): ResourceFailure {
    const client = urn === undefined ? undefined : clientOf(urn);
    const line = engineFailure(urn && isWork(urn) ? nameOf(urn) : undefined, message, language);
    const code = readDescribed(line);
    return {
      ...(client === undefined ? {} : { client }),
      step: urn === undefined ? "" : stepOf(urn, client),
      ...(code === undefined ? {} : { code }),
      message: line,
    };
  }

  /** By its component, however deep a resource lies below it. */
  function clientOf(urn: string): string | undefined {
    for (let at: string | undefined = urn; at; at = parents.get(at))
      if (component.test(at)) return nameOf(at);
    return undefined;
  }
}

function stepOf(urn: string, client: string | undefined): string {
  const name = nameOf(urn);
  return client !== undefined && name.startsWith(`${client}-`) ? name.slice(client.length + 1) : name;
}

export function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

/** Components, providers and the stack itself do no work. */
export function isWork(urn: string): boolean {
  const type = urn.split("::").at(-2)?.split("$").at(-1) ?? "";
  return !/^(pulumi|geoclic):/.test(type);
}
