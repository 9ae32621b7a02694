/** @module What the registry's verbs need of the outside world: types only. */
import type { FleetConfig } from "../config/stack.ts";
import type { ClientsEditor, StackEditor } from "./editor.ts";
import type { RetirementEvent, RetirementLine } from "./retirement.ts";

/** A stack's file, in which the clients are declared. */
export interface StackFile {
  readonly stack: string;
  readonly path: string;
  /** The fleet that is declared now. @throws FleetError `CONFIG_INVALID`, `STACK_NOT_FLEET` */
  read(): Promise<FleetConfig>;
  /**
   * Fails where an edit would be refused because of git, before a verb has done anything. The upstream is asked here, or at
   * the first edit; later edits need nobody.
   */
  checkEditable(): Promise<void>;
  /** The fleet that an edit would declare; nothing is written. @throws FleetError as `edit` does */
  tryOut(edit: (editor: StackEditor) => void): Promise<FleetConfig>;
  /**
   * Either everything that the edit says is written, or nothing. `message`: the commit's.
   * @returns the fleet that is declared after it
   * @throws FleetError `CONFIG_INVALID`, of git, or what the edit throws
   */
  edit(edit: (editor: StackEditor) => void, message?: string): Promise<FleetConfig>;
  /** The same, for the clients alone. */
  editClients(edit: (clients: ClientsEditor) => void, message?: string): Promise<void>;
  /** How far its commits are apart from the upstream's; `undefined` where there is none. Never fails for the network. */
  standing(): Promise<Standing | undefined>;
}

/** Commits on either side. */
export interface Standing {
  readonly upstream: string;
  readonly ahead: number;
  readonly behind: number;
  /** Why the upstream could not be asked: `behind` is what was known before. */
  readonly cause?: string;
}

export interface HostKey {
  /** `type base64`, as `ssh.hostKey` wants it. */
  readonly hostKey: string;
  /** `SHA256:…`, as `ssh-keygen -l` and OVH's console print it. */
  readonly fingerprint: string;
}

/** Asks a server for its host keys and gives the best one. @throws FleetError `SSH_UNREACHABLE`, `TOOL_MISSING` */
export type ScanHostKey = (host: string, port: number) => Promise<HostKey>;

/** Kept for ever, beside the town's last backup. */
export interface RetirementJournal {
  /** The operator's folder of this client. */
  readonly folder: string;
  read(): Promise<RetirementLine[]>;
  /** On the disk when it returns. */
  write(event: RetirementEvent): Promise<void>;
}
