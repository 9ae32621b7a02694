/** @module A certificate for a client: DNS, port 80 and the budget are checked before anything is asked. */
import { z } from "zod";
import type { AcmeRequest } from "../core/certificate/budget.ts";
import { checkDns, elsewhere } from "../core/certificate/dns.ts";
import { type Command, serverCommand } from "../core/commands/shell.ts";
import { lastLine } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import { readAnswer } from "../core/facts/answer.ts";
import { certificateCheckSeconds, certificateSeconds } from "../core/limits.ts";
import type { Ssh, StepContext } from "../core/ports.ts";
import { type StepInput, sshTarget } from "../core/step/table.ts";
import { publishRecord } from "./publish-record.ts";

const step = "certificate";

const Status = z.object({ valid: z.boolean(), notAfter: z.string().nullish() });
const Challenge = z.object({ token: z.string(), path: z.string().startsWith("/") });

/** @throws FleetError `DNS_…`, of the zone at OVH, `PORT80_CLOSED`, `ACME_BUDGET`, or the server's own */
export async function issueCertificate(context: StepContext, input: StepInput<"certificate">): Promise<void> {
  const place = { client: input.client, step };
  try {
    await publish(context, input);
    const ssh = await context.openSsh(sshTarget(input));
    const before = await status(ssh, input);
    if (before.valid) {
      // The words of issue are idempotent: they put copy, hook and timer right where they are not.
      await ssh.run(step, issue(input), { timeoutSeconds: certificateCheckSeconds, onLine: context.report });
      return;
    }
    const servers = input.dnsServers;
    const question = {
      domain: input.domain,
      ip: input.ip,
      ipv6: input.ipv6,
      servers: servers.join(", ") || "this machine's resolver",
    };
    const answer = await context.resolve(input.domain, servers).catch((error: Error) => {
      const { domain, servers: asked } = question;
      throw new FleetError("DNS_SILENT", { domain, servers: asked, cause: error.message });
    });
    const undeclared = checkDns(question, answer);
    const challenge = await checkPort80(context, ssh, input);
    // Behind IPv6 the same server is one that shows what was left on it just now.
    const shown = await Promise.all(
      undeclared.map((address) => problemAt(context, input, address, challenge)),
    );
    if (shown.some((problem) => problem !== undefined)) throw elsewhere(question, answer);
    await ask(context, ssh, input, await spendBudget(context, input));
  } catch (error) {
    throw error instanceof FleetError ? error.at(place) : error;
  }
}

/** A record that was made in a zone of ours; others are only checked. */
async function publish(context: StepContext, input: StepInput<"certificate">): Promise<void> {
  const { domain, ip, ipv6, zone, record, nameServers = [] } = input;
  if (zone === undefined || record === undefined) return;
  const recordIpv6 = input.recordIpv6 === undefined ? undefined : Number(input.recordIpv6);
  await publishRecord(context, { domain, ip, ipv6, zone, record: Number(record), recordIpv6, nameServers });
}

async function status(ssh: Ssh, input: StepInput<"certificate">): Promise<z.infer<typeof Status>> {
  const words = [
    "status",
    "--json",
    "--client",
    input.client,
    "--domain",
    input.domain,
    "--server",
    input.acmeServer,
  ];
  const { stdout } = await ssh.run(step, serverCommand("certificate", ...words));
  return readAnswer(Status, "certificate status", stdout);
}

async function checkPort80(
  context: StepContext,
  ssh: Ssh,
  input: StepInput<"certificate">,
): Promise<z.infer<typeof Challenge>> {
  const words = ["prepare", "--client", input.client, "--domain", input.domain];
  const { stdout } = await ssh.run(step, serverCommand("certificate", ...words));
  const challenge = readAnswer(Challenge, "certificate prepare", lastLine(stdout));
  const problem = await problemAt(context, input, input.host, challenge);
  if (problem !== undefined)
    throw new FleetError("PORT80_CLOSED", { domain: input.domain, host: input.host, cause: problem });
  return challenge;
}

/** Why an address does not answer as the server; undefined when it does. */
async function problemAt(
  { get }: StepContext,
  { domain }: StepInput<"certificate">,
  host: string,
  { token, path }: z.infer<typeof Challenge>,
): Promise<string | undefined> {
  try {
    const { status, body } = await get({ protocol: "http", host, domain, path });
    if (status === 200 && body.trim() === token) return undefined;
    return `HTTP ${status}, somebody else answers at ${path}`;
  } catch (error) {
    return (error as Error).message;
  }
}

async function spendBudget(context: StepContext, input: StepInput<"certificate">): Promise<AcmeRequest> {
  const request = { domain: input.domain, server: input.acmeServer, time: context.now() };
  const budget = await context.acmeLedger.spend(request);
  if (budget.ok) return request;
  const { limit, used, until } = budget;
  throw new FleetError("ACME_BUDGET", {
    domain: input.domain,
    limit,
    used,
    until: new Date(until).toISOString(),
  });
}

async function ask(
  context: StepContext,
  ssh: Ssh,
  input: StepInput<"certificate">,
  request: AcmeRequest,
): Promise<void> {
  try {
    await ssh.run(step, issue(input), { timeoutSeconds: certificateSeconds, onLine: context.report });
  } catch (error) {
    await context.acmeLedger.fail(request).catch((second: Error) => {
      context.report(`the ledger still counts it as issued: ${second.message}`);
    });
    throw error;
  }
}

function issue(input: StepInput<"certificate">): Command {
  const { client, domain, email, acmeServer } = input;
  const words = ["issue", "--client", client, "--domain", domain, "--email", email, "--server", acmeServer];
  return serverCommand("certificate", ...words);
}
