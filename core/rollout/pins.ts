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
  for (const client of config.clients) {
    const wanted =
      releases.get(client.name) ?? (pinOf(config, client) ? undefined : activated.get(client.name));
    if (wanted !== undefined && wanted !== pinOf(config, client))
      editor.clients.set(client.name, "release", wanted);
  }
}

/** A client's pin as it was declared before. */
export function unpin(editor: StackEditor, before: Declared, name: string): void {
  const former = before.clients.find((client) => client.name === name)?.release;
  const now = editor.clients.find(name)?.release;
  if (former !== undefined && former !== now) editor.clients.set(name, "release", former);
  if (former === undefined && now !== undefined) editor.clients.unset(name, "release");
}

/** Where every client that is converged has one and the same pin, it becomes the stack's, which new clients follow. */
export function gather(editor: StackEditor, config: Declared): void {
  const converged = config.clients.filter(({ detached }) => !detached);
  const [first] = converged;
  const release = first && pinOf(config, first);
  if (release === undefined || converged.some((client) => pinOf(config, client) !== release)) return;
  if (config.release !== release) {
    // One that is detached stays at what it had.
    for (const { name, detached, release: own } of config.clients)
      if (detached && own === undefined && config.release !== undefined)
        editor.clients.set(name, "release", config.release);
    editor.setValue("release", release);
  }
  for (const { name, release: own } of converged)
    if (own !== undefined) editor.clients.unset(name, "release");
}
