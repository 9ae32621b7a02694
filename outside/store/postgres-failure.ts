/** @module PostgreSQL's failures as ours. Codes: postgresql.org/docs/15/errcodes-appendix.html. */
import { FleetError } from "../../core/errors.ts";

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}

/** Serialization failure, deadlock: the transaction was undone. */
export function isPostgresRepeatable(error: unknown): boolean {
  return ["40001", "40P01"].includes(codeOf(error));
}

const unreachable = [
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ETIMEDOUT",
  "EPIPE",
  "EAI_AGAIN",
];

/** What is none of the database's states is a defect, and stays as it is. */
export function postgresFailure(error: unknown, place: string): unknown {
  const code = codeOf(error);
  const cause = causeOf(error);
  if (["55P03", "53300", "40001", "40P01"].includes(code)) return new FleetError("STORE_BUSY", { place });
  if (code === "53100") return new FleetError("STORE_FULL", { place });
  if (["XX001", "XX002"].includes(code)) return new FleetError("STORE_DAMAGED", { place, cause });
  if (unreachable.includes(code) || /^(08|57P)/.test(code) || (code === "" && isLost(cause)))
    return new FleetError("STORE_UNREACHABLE", { place, cause });
  // Wrong password, no such database, no right, read only.
  if (/^28|^3D|^42501|^25006/.test(code)) return new FleetError("STORE_UNUSABLE", { place, cause });
  return error;
}

/** What pg itself says of a connection, without a code. */
function isLost(message: string): boolean {
  return /^(Connection terminated|timeout ex(ceeded|pired)|Client has encountered a connection error)/.test(
    message,
  );
}

function causeOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map((each) => (each as Error).message).join(", ");
  return (error as Error).message;
}
