/** @module Waves: the canaries first, then groups that grow; and how many failures a rollout bears. */
import { FleetError } from "../errors.ts";
import type { PhraseKey } from "../messages/catalogue.ts";

/** A number of clients, or a share of them all. */
export type Share = { readonly count: number } | { readonly percent: number };

export interface WaveClient {
  readonly name: string;
  readonly canary: boolean;
}

/** Sizes after the canaries when none are asked for: a few, a quarter, the rest. */
export const defaultWaves = "2 25% 100%";

/** `text`: blanks or commas between `3` and `25%`. @throws FleetError `OPTION_INVALID` */
export function parseWaves(text: string): Share[] {
  const sizes = text.split(/[\s,]+/).filter(Boolean);
  if (sizes.length === 0 || sizes.length > 20) throw invalid("--waves", text, "phrase.waves");
  return sizes.map((size) => {
    const share = parseShare("--waves", size);
    if (("count" in share ? share.count : share.percent) === 0)
      throw invalid("--waves", text, "phrase.wavesAboveZero");
    return share;
  });
}

/** @throws FleetError `OPTION_INVALID` */
export function parseShare(option: string, text: string): Share {
  const [, digits = "", sign] = /^(\d{1,4})(%?)$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits === "" || (sign === "%" && value > 100)) throw invalid(option, text, "phrase.share");
  return sign === "%" ? { percent: value } : { count: value };
}

/** Names by wave. Canaries are a wave of their own; the last size is repeated until every client has its place. */
export function planWaves(clients: readonly WaveClient[], sizes: readonly Share[]): string[][] {
  const canaries = clients.filter(({ canary }) => canary).map(({ name }) => name);
  const others = clients.filter(({ canary }) => !canary).map(({ name }) => name);
  const waves = canaries.length > 0 ? [canaries] : [];
  for (let at = 0, wave = 0; at < others.length; wave += 1) {
    const size = sizes[Math.min(wave, sizes.length - 1)] ?? { percent: 100 };
    const count = Math.max(1, "count" in size ? size.count : Math.ceil((others.length * size.percent) / 100));
    waves.push(others.slice(at, at + count));
    at += count;
  }
  return waves;
}

/** Failures that are borne among so many clients. A percentage is rounded down. */
export function allowedFailures(share: Share, clients: number): number {
  return "count" in share ? share.count : Math.floor((clients * share.percent) / 100);
}

function invalid(option: string, got: string, expected: PhraseKey): FleetError {
  return new FleetError("OPTION_INVALID", { option, got: JSON.stringify(got.slice(0, 60)), expected });
}
