/** @module The door of the lab's OVH for tests and the demo. */
import type { Audited } from "./emulator.ts";
import { ADMIN_PORT, HOST } from "./place.ts";
import type { State, Vps } from "./state.ts";
import type { NewVps } from "./vps.ts";

export const ovhState = () => ask("GET", "/state") as Promise<State>;
export const ovhAudit = () => ask("GET", "/audit") as Promise<Audited[]>;
/** A VPS that is owned already; see `ensureOwnedVps`. */
export const addOvhVps = (vps: NewVps) => ask("POST", "/vps", vps) as Promise<Vps>;

async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`http://${HOST}:${ADMIN_PORT}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const value: unknown = await answer.json();
  if (!answer.ok) throw new Error(String(value));
  return value;
}
