/** @module Servers as people reach them one by one: sessions, commands that are followed, a connection that is tried. */
import { scanHostKey } from "../outside/host-key.ts";
import { openSsh } from "../outside/ssh.ts";
import { type SshTest, testSsh } from "../verbs/test-ssh.ts";

export { openSsh } from "../outside/ssh.ts";
export { followCommand, openSession } from "../outside/ssh-session.ts";

export type { SshTest };

/** Tries each step of a connection. `seconds`: for each of them. */
export function tryServer(target: Parameters<typeof testSsh>[1], seconds: number): Promise<SshTest> {
  return testSsh({ scanHostKey, openSsh }, target, seconds);
}
