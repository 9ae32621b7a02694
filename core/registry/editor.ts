/** @module The registry of clients as verbs edit it: entries by name, on the text of a stack file. */
import { type FleetConfig, parseStackConfig, type StackConfig } from "../config/stack.ts";
import { readStackValues } from "../config/values.ts";
import { FleetError } from "../errors.ts";
import { append, deleteIn, type Path, readStackText, setAllIn, setIn } from "./stack-text.ts";

/** A client as it is written: what it leaves out is not filled in. */
export type ClientEntry = { readonly name: string } & Readonly<Record<string, unknown>>;

/** `path`: `dns`, or `ssh.hostKey` for what lies deeper. Wrong values are refused when the edit ends. */
export interface ClientsEditor {
  list(): readonly ClientEntry[];
  find(name: string): ClientEntry | undefined;
  /** @throws FleetError `CLIENT_EXISTS` */
  add(entry: ClientEntry): void;
  /** @throws FleetError `CLIENT_UNKNOWN` */
  set(name: string, path: string, value: unknown): void;
  /** @throws FleetError `CLIENT_UNKNOWN` */
  unset(name: string, path: string): void;
  /** Sets or unsets (`undefined`) one key of many clients, as quickly as of one. @throws FleetError `CLIENT_UNKNOWN` */
  setAll(key: string, values: ReadonlyMap<string, unknown>): void;
  /** @throws FleetError `CLIENT_UNKNOWN` */
  remove(name: string): void;
}

export interface StackEditor {
  readonly clients: ClientsEditor;
  /** A value of the fleet's configuration, e.g. of `retired`, as it is written. */
  value(key: string): unknown;
  setValue(key: string, value: unknown): void;
  /** Sets a secret of a client in the form that `pulumi config set --secret` gave it. */
  setSecret(client: string, variable: string, secured: Secured): void;
  deleteSecrets(client: string): void;
  /** Sets what stands beside the configuration, e.g. `encryptionsalt`. */
  setTop(key: string, value: string): void;
}

/** A value that the stack's passphrase encrypted. */
export interface Secured {
  readonly secure: string;
}

const project = "geoclic-fleet";
const clientsPath: Path = ["config", `${project}:clients`];
const secretsPath: Path = ["config", `${project}:secrets`];

/** The text after an edit, and the fleet that it declares. @throws FleetError `CONFIG_INVALID`; what the edit throws */
export function editStackText(
  text: string,
  file: string,
  edit: (editor: StackEditor) => void,
): { text: string; config: FleetConfig } {
  let made = text;
  edit({
    clients: { list, find, add, set, setAll, unset, remove },
    value,
    setValue: (key, content) => {
      made = setIn(made, file, ["config", `${project}:${key}`], content);
    },
    setSecret: (client, variable, secured) => {
      made = setIn(made, file, [...secretsPath, client, variable], secured);
    },
    deleteSecrets: (client) => {
      made = deleteIn(made, file, [...secretsPath, client]);
    },
    setTop: (key, content) => {
      made = setIn(made, file, [key], content);
    },
  });
  return { text: made, config: parseStackText(made, file) };

  function value(key: string): unknown {
    const { config } = readStackText(made, file);
    return (config as Record<string, unknown> | null | undefined)?.[`${project}:${key}`];
  }

  function list(): readonly ClientEntry[] {
    const entries = value("clients");
    return Array.isArray(entries) ? (entries as ClientEntry[]) : [];
  }

  function find(name: string): ClientEntry | undefined {
    return list().find((entry) => entry?.name === name);
  }

  function add(entry: ClientEntry): void {
    if (find(entry.name)) throw new FleetError("CLIENT_EXISTS", { file }, { client: entry.name });
    made = append(made, file, clientsPath, entry);
  }

  function set(name: string, path: string, content: unknown): void {
    made = setIn(made, file, [...clientsPath, indexOf(name), ...path.split(".")], content);
  }

  function setAll(key: string, values: ReadonlyMap<string, unknown>): void {
    const entries = list();
    const indices = new Map(entries.map((entry, index) => [entry?.name, index]));
    const edits = [...values].flatMap(([name, content]) => {
      const index = indices.get(name) ?? indexOf(name);
      return entries[index]?.[key] === content
        ? []
        : [{ path: [...clientsPath, index, key], value: content }];
    });
    if (edits.length > 0) made = setAllIn(made, file, edits);
  }

  function unset(name: string, path: string): void {
    made = deleteIn(made, file, [...clientsPath, indexOf(name), ...path.split(".")]);
  }

  function remove(name: string): void {
    made = deleteIn(made, file, [...clientsPath, indexOf(name)]);
  }

  function indexOf(name: string): number {
    const entries = list();
    const index = entries.findIndex((entry) => entry?.name === name);
    if (index >= 0) return index;
    const known = entries.map((entry) => entry?.name).join(", ") || "-";
    throw new FleetError("CLIENT_UNKNOWN", { name, file, known });
  }
}

/** The fleet that a stack file declares; encrypted values count as given. @throws FleetError `CONFIG_INVALID`, `STACK_NOT_FLEET` */
export function parseStackText(text: string, file: string): FleetConfig {
  const parsed = parseAnyStack(text, file);
  if (parsed.role === "fleet") return parsed;
  throw new FleetError("STACK_NOT_FLEET", { file, role: parsed.role });
}

/**
 * A stack file's configuration, of either role.
 * @throws FleetError `CONFIG_INVALID`, `STACK_FILE_UNREADABLE`, `SECRET_IN_CLEAR`
 */
export function parseAnyStack(text: string, file: string): StackConfig {
  const { config } = readStackText(text, file);
  const clear = clearPaths((config as Record<string, unknown> | null)?.[`${project}:secrets`], ["secrets"]);
  if (clear.length > 0) throw new FleetError("SECRET_IN_CLEAR", { file, paths: clear.join(", ") });
  const flat = Object.entries((config ?? {}) as Record<string, unknown>).map(([key, content]) => {
    const plain = withoutSecured(content);
    return [key, typeof plain === "string" ? plain : (JSON.stringify(plain) ?? "")] as const;
  });
  return parseStackConfig(readStackValues(Object.fromEntries(flat), project));
}

/** Paths of the values that nobody encrypted. */
function clearPaths(content: unknown, path: readonly string[]): string[] {
  if (content === undefined || content === null || isSecured(content)) return [];
  if (typeof content !== "object") return [path.join(".")];
  return Object.entries(content).flatMap(([key, inner]) => clearPaths(inner, [...path, key]));
}

function isSecured(content: unknown): boolean {
  if (typeof content !== "object" || content === null) return false;
  const [key, ...others] = Object.keys(content);
  return key === "secure" && others.length === 0;
}

function withoutSecured(content: unknown): unknown {
  if (Array.isArray(content)) return content.map(withoutSecured);
  if (typeof content !== "object" || content === null) return content;
  if (isSecured(content)) return "(encrypted)";
  return Object.fromEntries(Object.entries(content).map(([key, inner]) => [key, withoutSecured(inner)]));
}
