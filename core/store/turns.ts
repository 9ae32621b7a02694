/** @module Turns in the store: one holder of a thing at a time, in the order of arrival. */
import type { Holder } from "./holder.ts";

export interface InLine {
  /** Goes up from one to the next of all turns, so that it also tells an old holder from a new one. */
  readonly ticket: number;
  readonly what: string;
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly holder: Holder;
}

export interface Turn {
  readonly ticket: number;
  /** Fails where others have taken it for dead while it stood still. @throws FleetError `TURN_LOST` */
  held(): Promise<void>;
  /** The next in line begins. */
  release(): Promise<void>;
}

export interface TurnOptions {
  readonly what: string;
  readonly actor: string;
  /** Without it, a turn that is not free is refused. @default true */
  readonly wait?: boolean;
  /** Leaves the line. */
  readonly signal?: AbortSignal;
  /** Told when the first in line is another one, and when the own place changes; `place` 1 is the next. */
  readonly onWait?: (first: InLine, place: number) => void;
  /** Told of each that was removed because its process had died. */
  readonly onDead?: (dead: InLine) => void;
}

export interface Turns {
  /** @throws FleetError `TURN_TAKEN` when it would have to wait and must not, `CANCELLED` by the signal */
  enter(key: string, options: TurnOptions): Promise<Turn>;
  /** The holder first, then those that wait. */
  line(key: string): Promise<InLine[]>;
  /** Takes one that waits out of the line, whoever's it is; its `enter` fails with `CANCELLED`. @returns whether it waited */
  withdraw(key: string, ticket: number): Promise<boolean>;
}
