/** @module Declares the commands that edit the registry of clients. */
import type { Session } from "./session.ts";

export function registryCommands(_session: Session): void {}
