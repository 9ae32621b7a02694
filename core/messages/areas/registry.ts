/** @module Messages of the registry of clients: add, remove, retire, import. */
import { area } from "./area.ts";

export const registry = area({ errors: {}, texts: {} }, { errors: {}, texts: {} });
