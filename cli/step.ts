/**
 * @module The door by which the program's local commands call a step: `node cli/step.ts NAME`. Every state holds this path
 * as an input of its resources: another one would run each step of every town again.
 */
import "../wiring/run-step.ts";
