/** @module What every store promises, whichever database it is in. */
import { budgetsConform } from "./budgets.ts";
import { journalsConform } from "./journals.ts";
import { operationsConform } from "./operations.ts";
import type { NewGround } from "./stores.ts";
import { turnsConform } from "./turns.ts";

export function storeConforms(newGround: NewGround): void {
  operationsConform(newGround);
  turnsConform(newGround);
  journalsConform(newGround);
  budgetsConform(newGround);
}
