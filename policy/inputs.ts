/** @module A resource's inputs as the engine hands them to a policy: secrets marked or not, some values not known yet. */
import { Secret, UnknownValueError } from "@pulumi/policy";
import { notKnown } from "./rules.ts";

type Properties = Readonly<Record<string, unknown>>;

/** Copies values; asking for one that is not known yet is an error of the SDK, here it is `notKnown`. */
export function plainInputs(props: Properties): Record<string, unknown> {
  return Object.fromEntries(Object.keys(props).map((key) => [key, read(() => plain(props[key]))]));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value.keys(), (index) => read(() => plain(value[index])));
  return typeof value === "object" && value !== null ? plainInputs(value as Properties) : value;
}

function read(value: () => unknown): unknown {
  try {
    return value();
  } catch (error) {
    if (error instanceof UnknownValueError) return notKnown;
    throw error;
  }
}

/**
 * Paths of what is marked secret. The SDK shows it to remediations only, and there behind views that take the mark off.
 * @throws Error when the views are not as this version of the SDK has them: nothing would ever be found
 */
export function secretPaths(props: Properties): string[] {
  const marked = behindViews(props);
  if (marked === props)
    throw new Error("@pulumi/policy shows secrets in another way than policy/inputs.ts knows");
  return below(marked, []);
}

function below(value: unknown, path: readonly string[]): string[] {
  if (value instanceof Secret) return [path.join(".")];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => below(child, [...path, key]));
}

function behindViews(value: unknown): unknown {
  let behind = value as Properties;
  while (behind.__isSpecialProxy === true) behind = behind.__getSpecialProxyTarget as Properties;
  return behind;
}
