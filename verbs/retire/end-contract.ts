/** @module The end of a VPS's contract: OVH mails a token, which confirms it. */
import { z } from "zod";
import { FleetError } from "../../core/errors.ts";
import { Ids, Vps } from "../../core/ovh/answers.ts";
import type { Ovh } from "../../core/ovh/port.ts";
import type { Retirement } from "../../core/registry/retirement.ts";
import type { RetireContext } from "./retire-client.ts";

export const terminationRights = [
  { method: "GET", path: "/me/notification/email/history*" },
  { method: "GET", path: "/vps/*" },
  { method: "POST", path: "/vps/*/terminate" },
  { method: "POST", path: "/vps/*/confirmTermination" },
] as const;

const Mail = z.object({ body: z.string().nullish() });
const mails = "/me/notification/email/history";
const minutes = 30;

/**
 * Asks for the second confirmation, then for the token. Doing it twice ends one contract: another request makes another
 * token, and a contract that has ended is known as ended.
 * @throws FleetError `NOT_CONFIRMED`, `TERMINATION_UNMAILED`, of OVH
 */
export async function endContract(
  context: Pick<RetireContext, "confirmEnd" | "journal" | "now" | "sleep" | "tell">,
  ovh: Ovh,
  { started, terminationAsked }: Retirement,
  token: string | undefined,
): Promise<void> {
  const serviceName = started.serviceName ?? "";
  const root = `/vps/${encodeURIComponent(serviceName)}`;
  let isAsked = terminationAsked !== undefined;
  if (!(await hasEnded())) {
    if (!(await context.confirmEnd(serviceName))) throw new FleetError("NOT_CONFIRMED");
    const known = token ?? (terminationAsked && (await mailedToken(terminationAsked.after)));
    if (known === undefined || !(await confirmWith(known))) await confirmWith(await newToken(), true);
  }
  await context.journal.write({ event: "terminated" });
  context.tell("retire.terminated", { serviceName });

  async function newToken(): Promise<string> {
    const after = Math.max(0, ...(await ovh.get(mails, { schema: Ids })));
    await context.journal.write({ event: "terminationAsked", after });
    isAsked = true;
    await ovh.post(`${root}/terminate`, { idempotent: true });
    context.tell("retire.mail", { serviceName, minutes });
    const end = context.now() + minutes * 60_000;
    for (;;) {
      const found = await mailedToken(after);
      if (found !== undefined) return found;
      if (context.now() >= end) throw new FleetError("TERMINATION_UNMAILED", { serviceName, minutes });
      await context.sleep(10_000);
    }
  }

  /** The newest one counts: a former one is void. */
  async function mailedToken(after: number): Promise<string | undefined> {
    const ids = (await ovh.get(mails, { schema: Ids })).filter((id) => id > after).sort((a, b) => b - a);
    for (const id of ids) {
      const { body } = await ovh.get(`${mails}/${id}`, { schema: Mail });
      if (!body?.includes(serviceName)) continue;
      const found = /\/billing\/confirmTerminate\?id=[0-9A-Za-z]+&(?:amp;)?token=([0-9A-Za-z]+)/.exec(
        body,
      )?.[1];
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** False where the token is not good (any more). */
  async function confirmWith(given: string, isNew = false): Promise<boolean> {
    try {
      await ovh.post(`${root}/confirmTermination`, { body: { token: given } });
      return true;
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      // An answer may be lost after its effect.
      if (await hasEnded()) return true;
      if (!isNew && error.values.status === 400 && token === undefined) return false;
      throw error;
    }
  }

  async function hasEnded(): Promise<boolean> {
    try {
      await ovh.get(root, { schema: Vps });
      return false;
    } catch (error) {
      const status = error instanceof FleetError ? Number(error.values.status) : 0;
      // An account that never had the service says 404 too: that is no end of it.
      if (status === 460 || (status === 404 && isAsked)) return true;
      throw error;
    }
  }
}
