/** @module Declares the commands that deal with OVH orders. */
import type { Session } from "./session.ts";

export function orderCommands(_session: Session): void {}
