/** @module Tables of the store, as the newest migration leaves them. JSON is text; moments are milliseconds since 1970. */
import type { Generated } from "kysely";
import type { JournalKind } from "../../core/store/port.ts";
import type { StoredState } from "../../core/store/operations.ts";

export interface HolderTable {
  id: string;
  machine: string;
  boot: string;
  namespace: string;
  pid: number;
  started: string;
  beat: number;
  /** Moment of the last beat, by the store's clock. */
  beaten: number;
}

export interface OperationTable {
  id: string;
  verb: string;
  stack: string;
  actor: string;
  request: string;
  plan_hash: string | null;
  not_before: number | null;
  resumes: string | null;
  state: StoredState;
  created: number;
  started: number | null;
  ended: number | null;
  exit: number | null;
  cause: string | null;
  cancel: string | null;
  holder: string | null;
  last_seq: number;
  bytes: number;
}

export interface EventTable {
  operation: string;
  seq: number;
  time: number;
  kind: string;
  client: string | null;
  body: string;
}

/** What the events say of each client, so that a list need not read them. */
export interface OperationClientTable {
  operation: string;
  client: string;
  began: number | null;
  ended: number | null;
  outcome: string | null;
  release: string | null;
}

export interface TurnTable {
  ticket: Generated<number>;
  key: string;
  holder: string;
  what: string;
  actor: string;
  since: number;
}

export interface CertificateRequestTable {
  id: Generated<number>;
  domain: string;
  server: string;
  time: number;
}

/** A request without a row here counts as a certificate that was given out. */
export interface CertificateFailureTable {
  request: number;
}

export interface PaceTable {
  name: string;
  /** Moments of the requests of the last minute, as JSON. */
  sent: string;
}

export interface ZoneRefreshTable {
  zone: string;
  began: number;
}

export interface JournalLineTable {
  kind: JournalKind;
  client: string;
  line: number;
  time: number;
  event: string;
}

export interface AuditTable {
  seq: Generated<number>;
  time: number;
  actor: string;
  action: string;
  values: string;
}

/** Files of the time before the store whose content is here. */
export interface ImportedTable {
  /** Path in the operator's home. */
  file: string;
  /** SHA-256 of what was taken over. */
  digest: string;
  time: number;
}

export interface Schema {
  holder: HolderTable;
  operation: OperationTable;
  event: EventTable;
  operation_client: OperationClientTable;
  turn: TurnTable;
  certificate_request: CertificateRequestTable;
  certificate_failure: CertificateFailureTable;
  pace: PaceTable;
  zone_refresh: ZoneRefreshTable;
  journal_line: JournalLineTable;
  audit: AuditTable;
  imported: ImportedTable;
}

/** Tables whose rows are neither changed nor removed. */
export const appendOnly = [
  "certificate_request",
  "certificate_failure",
  "journal_line",
  "audit",
] as const satisfies readonly (keyof Schema)[];
