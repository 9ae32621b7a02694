/** @module Pulumi's flat configuration as one object. */

/**
 * Values of a project's namespace: structured ones come as JSON text, plain ones as they are. A word of digits stays a
 * word: a release's id may be one.
 */
export function readStackValues(
  all: Readonly<Record<string, string>>,
  project: string,
): Record<string, unknown> {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), value(text)]),
  );
}

/** Text that only looks like JSON stays text, which the schema then names. */
function value(text: string): unknown {
  try {
    return /^[[{]|^(true|false)$/.test(text) ? (JSON.parse(text) as unknown) : text;
  } catch {
    return text;
  }
}
