/** @module The predecessor's registry, one line a client: `NAME|DOMAIN|IP|SSH_USER|SSH_PORT|METHOD|DATE`. */

import { parse } from "../config/parse.ts";
import { ClientConfig, type FleetConfig } from "../config/stack.ts";

/** A line that names a client. `reason`: why it is not taken. */
export interface RegistryLine {
  /** Counted from 1. */
  readonly line: number;
  readonly name: string;
  readonly domain: string;
  readonly ip: string;
  readonly user: string;
  readonly port: number;
  readonly verdict: "valid" | "skipped" | "refused";
  readonly reason: Reason | undefined;
}

export interface Reason {
  readonly kind:
    | "declared"
    | "domain"
    | "doubled"
    | "fields"
    | "master"
    | "method"
    | "retired"
    | "taken"
    | "values";
  readonly detail: string;
}

/**
 * Lines in the order of the file; comments and blank lines are none. A master that is in its own registry is skipped:
 * its address is a name, or one of `ownAddresses`.
 */
export function readClientsConf(
  text: string,
  fleet: Pick<FleetConfig, "clients" | "retired">,
  ownAddresses: readonly string[] = [],
): RegistryLine[] {
  const seen: RegistryLine[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    seen.push(readLine(index + 1, trimmed, fleet, ownAddresses, seen));
  }
  return seen;
}

function readLine(
  line: number,
  raw: string,
  { clients, retired }: Pick<FleetConfig, "clients" | "retired">,
  ownAddresses: readonly string[],
  before: readonly RegistryLine[],
): RegistryLine {
  const fields = raw.split("|").map((field) => field.trim());
  const [name = "", domain = "", ip = "", user = "", port = "", method = ""] = fields;
  const read = { line, name, domain, ip, user, port: /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN };
  const told = (verdict: RegistryLine["verdict"], kind?: Reason["kind"], detail = ""): RegistryLine => ({
    ...read,
    verdict,
    reason: kind ? { kind, detail } : undefined,
  });
  if (fields.length !== 7) return told("refused", "fields", String(fields.length));
  if (ip === domain || ownAddresses.includes(ip)) return told("skipped", "master", ip);
  const problems = problemsOf(read);
  if (problems !== undefined) return told("refused", "values", problems);
  if (method !== "rsync") return told("refused", "method", method);
  const double = before.find(
    (each) => each.verdict === "valid" && (each.name === name || each.domain === domain || each.ip === ip),
  );
  if (double) return told("refused", "doubled", String(double.line));
  const on = retired.find((each) => each.name === name)?.on;
  if (on !== undefined) return told("refused", "retired", on);
  const known = clients.find((each) => each.name === name);
  if (known)
    return known.domain === domain ? told("skipped", "declared") : told("refused", "domain", known.domain);
  const other = clients.find((each) => each.domain === domain || each.ip === ip);
  return other ? told("refused", "taken", other.name) : told("valid");
}

/** What the stack file would refuse; what is not in the registry is taken for good here. */
function problemsOf({
  name,
  domain,
  ip,
  user,
  port,
}: Pick<RegistryLine, "name" | "domain" | "ip" | "user" | "port">) {
  const ssh = { user, port, hostKey: `ssh-ed25519 ${"A".repeat(68)}` };
  const parsed = parse(ClientConfig, { name, domain, ip, email: "a@example.org", town: "-", ssh });
  return parsed.ok ? undefined : parsed.problems;
}
