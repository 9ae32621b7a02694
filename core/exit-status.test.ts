/** Exit statuses by code. Not proven: that the process ends so (see test/lab/rollout.test.ts). */
import { expect, test } from "vitest";
import { type ErrorCode, FleetError } from "./errors.ts";
import { exitStatusOf } from "./exit-status.ts";

test.each<[ErrorCode, number]>([
  ["CONFIG_INVALID", 2],
  ["CLIENTS_NOT_FOUND", 2],
  ["OPTION_INVALID", 2],
  ["CLIENTS_FAILED", 3],
  ["THRESHOLD_PASSED", 3],
  ["CANARY_UNPROVEN", 3],
  ["OPERATION_LOCKED", 4],
  ["STACK_LOCKED", 4],
  ["SSH_UNREACHABLE", 5],
  ["CLIENTS_OFFLINE", 5],
  ["CANCELLED", 6],
  ["RELEASE_CHECK_FAILED", 1],
  ["ENGINE_FAILED", 1],
])("%s ends with %i", (code, status) => {
  expect(exitStatusOf(new FleetError(code))).toBe(status);
});
