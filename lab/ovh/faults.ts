/** @module Faults that tests make on purpose, by method and path. */

export type FaultKind =
  /** An answer with that status instead of the effect. */
  | {
      readonly kind: "status";
      readonly status: 400 | 403 | 408 | 429 | 500 | 502 | 503;
      readonly message?: string;
    }
  /** The connection is cut, before or after the effect. */
  | { readonly kind: "dropBefore" }
  | { readonly kind: "dropAfterEffect" }
  /** No answer at all. */
  | { readonly kind: "hang" }
  /** A record is made and its id comes as 0. */
  | { readonly kind: "idZero" };

export interface Fault {
  readonly method: string;
  /** Of the path below the base; a star stands for one part, as in `/vps/*`. */
  readonly path: string;
  readonly fault: FaultKind;
  /** How often; for ever by default. */
  times?: number;
  /** How many matching requests go through before. @default 0 */
  after?: number;
}

export class Faults {
  readonly #rules: Fault[] = [];

  add(fault: Fault): void {
    this.#rules.push({ ...fault });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** The fault of a request, counted down. */
  take(method: string, path: string): FaultKind | undefined {
    for (const rule of this.#rules) {
      if (rule.times === 0 || (rule.method !== "*" && rule.method !== method) || !covers(rule.path, path))
        continue;
      if ((rule.after ?? 0) > 0) {
        rule.after = (rule.after ?? 0) - 1;
        continue;
      }
      if (rule.times !== undefined) rule.times -= 1;
      return rule.fault;
    }
    return undefined;
  }
}

function covers(pattern: string, path: string): boolean {
  const escaped = pattern.split("*").map((text) => text.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[^/]*")}$`).test(path);
}
