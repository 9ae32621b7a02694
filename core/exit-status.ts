/** @module How the command line ends, for programs that call it. */
import type { ErrorCode, FleetError } from "./errors.ts";

export const exitStatus = {
  done: 0,
  /** It failed: its last line says why. */
  failed: 1,
  /** Options, names or files that cannot be right; nothing was done. */
  badInput: 2,
  /** Some clients failed, the others are done. */
  someClients: 3,
  /** Another operation holds the stack. */
  locked: 4,
  /** A server, or all that were left, are out of reach. */
  unreachable: 5,
  cancelled: 6,
  /** `preview`, `drift`: there is something that would change. */
  changes: 7,
} as const;
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

const badInput = [
  "CLIENTS_MISSING",
  "CLIENTS_NOT_FOUND",
  "CLIENT_DETACHED",
  "CLIENT_DIFFERS",
  "CLIENT_EXISTS",
  "CLIENT_RETIRED",
  "CLIENT_UNKNOWN",
  "CONFIG_INVALID",
  "EMAIL_UNKNOWN",
  "IMPORT_EMPTY",
  "IMPORT_FILE",
  "MIGRATION_UNKNOWN",
  "NAME_INVALID",
  "OPERATION_ENDED",
  "OPERATION_NOT_CANCELLABLE",
  "OPERATION_OVERTAKEN",
  "OPERATIONS_NONE",
  "OPERATION_STATE",
  "OPERATION_NOT_RESUMABLE",
  "OPERATION_UNKNOWN",
  "OPTION_INVALID",
  "ORDER_INVALID",
  "ORDER_OPTIONS",
  "PASSPHRASE_WRONG",
  "PASSWORD_SHOWN",
  "PASSWORD_WEAK",
  "PROVISION_DIFFERS",
  "QUESTION_UNANSWERED",
  "RELEASE_AMBIGUOUS",
  "RELEASE_NOT_HELD",
  "RELEASE_UNKNOWN",
  "SECRET_IN_CLEAR",
  "SERVICES_UNKNOWN",
  "SERVICE_UNKNOWN",
  "STACK_FILE_MISSING",
  "STACK_MISSING",
  "STACK_NAME_INVALID",
  "STACK_NOT_FLEET",
  "TOKEN_SHOWN",
  "TOWN_UNKNOWN",
  "USAGE_ARGUMENTS_TOO_MANY",
  "USAGE_ARGUMENT_MISSING",
  "USAGE_COMMAND_MISSING",
  "USAGE_COMMAND_UNKNOWN",
  "USAGE_OPTION_REQUIRED",
  "USAGE_OPTION_UNKNOWN",
  "USAGE_VALUE_INVALID",
  "USAGE_VALUE_MISSING",
  "USAGE_WRONG",
] as const satisfies readonly ErrorCode[];

const byCode: Partial<Record<ErrorCode, ExitStatus>> = {
  ...Object.fromEntries(badInput.map((code) => [code, exitStatus.badInput])),
  CLIENTS_FAILED: exitStatus.someClients,
  THRESHOLD_PASSED: exitStatus.someClients,
  CANARY_UNPROVEN: exitStatus.someClients,
  CLIENTS_OFFLINE: exitStatus.unreachable,
  CONNECTION_FAILED: exitStatus.unreachable,
  SSH_TIMEOUT: exitStatus.unreachable,
  SSH_UNREACHABLE: exitStatus.unreachable,
  BUSY: exitStatus.locked,
  LOCK_TAKEN: exitStatus.locked,
  OPERATION_LOCKED: exitStatus.locked,
  STORE_BUSY: exitStatus.locked,
  TURN_TAKEN: exitStatus.locked,
  STACK_LOCKED: exitStatus.locked,
  CANCELLED: exitStatus.cancelled,
};

export function exitStatusOf({ code }: FleetError): ExitStatus {
  return byCode[code] ?? exitStatus.failed;
}
