/**
 * @module An environment file (`.env`) as Compose reads it. Pure.
 *
 * Follows compose-go's `dotenv` and `template`, which Compose uses, with their oddities: the same files were read by both
 * (versions 2.0.2, in Compose 2.26, and 2.16.2). What the variables of the reading process add is unknown here: they count as unset.
 */

/** Compose does not read the file either. Its words hold no value. */
export class EnvironmentUnreadable extends Error {}

type Lookup = (name: string) => string | undefined;

const white = "\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
/** Without the end of a line. */
const blank = "\\t\\v\\f\\r \\x85\\xa0";
const patterns = {
  whiteBefore: new RegExp(`^[${white}]+`),
  whiteBehind: new RegExp(`[${white}]+$`),
  blankBefore: new RegExp(`^[${blank}]+`),
  export: /^export[\t\n\f\r ]+/,
  key: new RegExp(`^[\\p{L}\\p{N}_.\\-[\\]${blank}]*`, "u"),
  escape: /\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})/g,
  variable:
    /\$(?:(?<escaped>\$)|(?<named>[_a-zA-Z][_a-zA-Z0-9]*)|\{(?:(?<braced>[_a-zA-Z][_a-zA-Z0-9]*(?::?[-+?][^\n]*)?)\}|))/g,
};
const escaped: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "\\": "\\",
};
const rules = [":?", "?", ":-", "-", ":+", "+"];

/**
 * Values by variable.
 * @throws EnvironmentUnreadable with the line's number
 */
export function readEnvironmentFile(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const whole = text.replace(/^\uFEFF/, "");
  for (let rest = toStatement(whole); rest !== ""; rest = toStatement(rest)) {
    const line = whole.slice(0, whole.length - rest.length).split("\n").length;
    try {
      const key = readKey(rest);
      rest = key.rest;
      if (key.isInherited) continue;
      const value = readValue(rest, (name) => values.get(name));
      values.set(key.name, value.text);
      rest = value.rest;
    } catch (error) {
      if (error instanceof EnvironmentUnreadable)
        throw new EnvironmentUnreadable(`line ${line}: ${error.message}`);
      throw error;
    }
  }
  values.delete("");
  return values;
}

function toStatement(text: string): string {
  let rest = text.replace(patterns.whiteBefore, "");
  while (rest.startsWith("#")) {
    const end = rest.indexOf("\n");
    rest = end < 0 ? "" : rest.slice(end).replace(patterns.whiteBefore, "");
  }
  return rest;
}

/** `isInherited`: it has no sign; its value is the reading process's. */
function readKey(text: string): { name: string; rest: string; isInherited: boolean } {
  const rest = patterns.export.test(text)
    ? text.slice("export".length).replace(patterns.blankBefore, "")
    : text;
  if (rest === "") throw new EnvironmentUnreadable("a variable has no name");
  const length = patterns.key.exec(rest)?.[0].length ?? 0;
  const sign = rest.slice(length, length + 1);
  if (sign !== "" && !"=:\n".includes(sign))
    throw new EnvironmentUnreadable("a variable's name has a character that is not allowed");
  // At the end of the file, Compose takes a name for a value without one.
  const name = sign === "" ? "" : rest.slice(0, length).replace(patterns.whiteBehind, "");
  if (name.includes(" ")) throw new EnvironmentUnreadable("a variable's name has a blank");
  const value = sign === "" ? rest : rest.slice(length + 1);
  return { name, rest: value.replace(patterns.blankBefore, ""), isInherited: sign === "\n" };
}

function readValue(rest: string, lookup: Lookup): { text: string; rest: string } {
  const quote = rest.slice(0, 1);
  if (quote !== "'" && quote !== '"') {
    const end = rest.indexOf("\n");
    const [value = ""] = (end < 0 ? rest : rest.slice(0, end)).split(" #");
    return {
      text: substitute(value.replace(patterns.whiteBehind, ""), lookup),
      rest: end < 0 ? "" : rest.slice(end + 1),
    };
  }
  let value = "";
  let isEscaped = false;
  for (let index = 1; index < rest.length; index++) {
    const char = rest.charAt(index);
    if (char === quote && !isEscaped)
      return {
        text: quote === '"' ? substitute(value.replace(patterns.escape, unescaped), lookup) : value,
        rest: rest.slice(index + 1),
      };
    if (char === "\\" && !isEscaped) {
      isEscaped = true;
      continue;
    }
    if (isEscaped && char !== quote) value += "\\";
    isEscaped = false;
    value += char;
  }
  throw new EnvironmentUnreadable("a quoted value has no end");
}

function unescaped(found: string): string {
  const code = found.slice(1);
  if (code === "$") return "$$";
  if (code.startsWith("0")) {
    const octal = code.slice(1);
    return /^[0-3][0-7]{2}$/.test(octal) ? String.fromCharCode(Number.parseInt(octal, 8)) : `\\${octal}`;
  }
  return escaped[code] ?? found;
}

/** Replaces `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:+x}`, `${A+x}`, `${A:?x}`, `${A?x}` and `$$`. */
function substitute(text: string, lookup: Lookup): string {
  return text.replace(patterns.variable, (found) => replacement(found, lookup));
}

function replacement(found: string, lookup: Lookup): string {
  if (found === "$$") return "$";
  const end = closing(found);
  const rest = end < 0 ? "" : found.slice(end + 1);
  const { groups } =
    new RegExp(`^${patterns.variable.source}`).exec(end < 0 ? found : found.slice(0, end + 1)) ?? {};
  const name = groups?.named ?? groups?.braced;
  if (!name) throw new EnvironmentUnreadable("`$` stands before what is no name");
  // The rule is looked for in the whole, as Compose does.
  const [rule] = rules
    .filter((each) => found.includes(each))
    .sort((a, b) => found.indexOf(a) - found.indexOf(b));
  if (groups?.braced === undefined || rule === undefined || !name.includes(rule)) return lookup(name) ?? "";
  const variable = name.slice(0, name.indexOf(rule));
  const word = name.slice(name.indexOf(rule) + rule.length);
  const value = lookup(variable);
  const isGiven = value !== undefined && (value !== "" || !rule.startsWith(":"));
  if (rule.endsWith("?") && !isGiven)
    throw new EnvironmentUnreadable(`variable ${variable} has no value where one is required`);
  const usesWord = rule.endsWith("+") ? isGiven : !isGiven;
  return (usesWord ? substitute(word, lookup) : (value ?? "")) + substitute(rest, lookup);
}

/** Where the first brace that is opened is closed. */
function closing(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "}" && --depth === 0) return index;
    if (text[index] === "{") {
      depth++;
      index++;
    }
  }
  return -1;
}
