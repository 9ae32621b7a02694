/** @module `drift`: what differs on the servers from what is declared. */
import type { Console } from "../console.ts";

export interface DriftOptions {
  readonly client?: readonly string[];
  readonly fix?: boolean;
  readonly json?: boolean;
  readonly stack?: string;
}

export async function drift(_console: Console, _options: DriftOptions): Promise<void> {}
