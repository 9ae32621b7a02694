/** @module Our agent as the master stack has it: two keys while they are rotated, else one. */
import { addKey, fleetKeys, removeKey } from "./agent.ts";
import { heldKeys, privateKeys } from "./master-stack.ts";

/**
 * Adds what the master stack holds and the agent lacks, and takes out what it holds no more.
 * @param hours after which the agent forgets the keys; those that it has already are given this time anew
 */
export async function loadFleetKeys(socket: string, stack: string, hours?: number): Promise<void> {
  const held = (await heldKeys(stack)).map(({ publicKey }) => publicKey.split(" ").slice(0, 2).join(" "));
  const loaded = () => fleetKeys({ ...process.env, SSH_AUTH_SOCK: socket });
  const before = await loaded();
  if (hours !== undefined || held.some((key) => !before.includes(key)))
    for (const key of await privateKeys(stack)) await addKey(socket, key, hours);
  for (const key of before.filter((each) => !held.includes(each))) await removeKey(socket, key);
}
