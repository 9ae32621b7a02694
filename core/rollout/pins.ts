/** @module Pins: the stack file always tells which release each client runs. */
import type { ClientConfig, FleetConfig } from "../config/stack.ts";
import type { StackEditor } from "../registry/editor.ts";

type Declared = Pick<FleetConfig, "release" | "clients">;

/** The release that a client is pinned to; `undefined`: the suite's present tree. */
export function pinOf(config: Pick<FleetConfig, "release">, client: ClientConfig): string | undefined {
  return client.release ?? config.release;
}

/**
 * Pins clients, and everybody who would follow the present tree stays at what runs there (`activated`, by client; one that
 * never ran anything has nothing to stay at).
 */
export function pin(
  editor: StackEditor,
  config: Declared,
  releases: ReadonlyMap<string, string>,
  activated: ReadonlyMap<string, string>,
): void {
  const pins = config.clients.flatMap((client) => {
    const wanted =
      releases.get(client.name) ?? (pinOf(config, client) ? undefined : activated.get(client.name));
    const isNew = wanted !== undefined && wanted !== pinOf(config, client);
    return isNew ? [[client.name, wanted] as const] : [];
  });
  editor.clients.setAll("release", new Map(pins));
}

/** Clients' pins as they were declared before; one that left the file meanwhile has none to put back. */
export function unpin(editor: StackEditor, before: Declared, names: readonly string[]): void {
  const former = new Map(before.clients.map(({ name, release }) => [name, release]));
  const there = editor.clients.list().flatMap(({ name }) => (names.includes(name) ? [name] : []));
  editor.clients.setAll("release", new Map(there.map((name) => [name, former.get(name)])));
}

/** Where every client that is converged has one and the same pin, it becomes the stack's, which new clients follow. */
export function gather(editor: StackEditor, config: Declared): void {
  const converged = config.clients.filter(({ detached }) => !detached);
  const [first] = converged;
  const release = first && pinOf(config, first);
  if (release === undefined || converged.some((client) => pinOf(config, client) !== release)) return;
  if (config.release !== release) {
    // One that is detached stays at what it had.
    const kept = config.release === undefined ? [] : config.clients;
    const left = kept.filter(({ detached, release: own }) => detached && own === undefined);
    editor.clients.setAll("release", new Map(left.map(({ name }) => [name, config.release])));
    editor.setValue("release", release);
  }
  const pinned = converged.filter(({ release: own }) => own !== undefined);
  editor.clients.setAll("release", new Map(pinned.map(({ name }) => [name, undefined])));
}
