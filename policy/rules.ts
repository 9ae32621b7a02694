/** @module The fleet's rules on what a preview declares. Pure: each gives the violations that it finds, in words. */

export interface Resource {
  readonly type: string;
  readonly name: string;
  /** As they were declared, secrets in clear; what is not known yet is `notKnown`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of the inputs that are marked secret, e.g. `stdin` or `environment.A`. */
  readonly secretInputs: readonly string[];
  /** What the resource has become, secrets in clear: only a whole stack's resources have some. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Names of outputs that are kept secret. */
  readonly secretOutputs: readonly string[];
  readonly isProtected: boolean;
}

/** Stands for a value that a preview cannot know. */
export const notKnown = Symbol("not known yet");

const remoteCommand = "command:remote:Command";
const localCommand = "command:local:Command";
const zoneRecord = "ovh:Domain/zoneRecord:ZoneRecord";
const secretTypes = ["random:index/randomPassword:RandomPassword", "random:index/randomBytes:RandomBytes"];

const isCommand = ({ type }: Resource) => type === remoteCommand || type === localCommand;

/** Host keys pinned, no key in a connection: who dials must know whom, and a key's change must re-run nothing. */
export function connectionViolations({ type, inputs }: Resource): string[] {
  if (!type.startsWith("command:remote:")) return [];
  const connection = object(inputs.connection);
  const violations: string[] = [];
  if (!/^(ssh-ed25519|ecdsa-sha2-nistp\d+) \S+$/.test(String(connection.hostKey ?? "")))
    violations.push("connection.hostKey is not pinned: set the client's ssh.hostKey");
  for (const key of ["privateKey", "privateKeyPassword", "password"])
    if (connection[key] !== undefined)
      violations.push(`connection.${key} is set: only the agent holds the fleet's key`);
  return violations;
}

/** A command is run again by its inputs, never replaced, and nothing is done when it goes. */
export function commandViolations(resource: Resource): string[] {
  if (!isCommand(resource)) return [];
  const { create, update, delete: removal, triggers } = resource.inputs;
  const violations: string[] = [];
  if (update !== create)
    violations.push("update is not create: a change would not be carried out as the first time was");
  if (triggers !== undefined && !(Array.isArray(triggers) && triggers.length === 0))
    violations.push("triggers replace the command: leave them out");
  if (removal !== undefined)
    violations.push("delete touches the server when an entry goes: that is `retire`'s work");
  return violations;
}

/** What is secret goes by a standard input that is secret, and what the command says then is neither shown nor kept in clear. */
export function standardInputViolations({ type, inputs, secretInputs, secretOutputs }: Resource): string[] {
  if ((type !== remoteCommand && type !== localCommand) || inputs.stdin === undefined) return [];
  const violations: string[] = [];
  // The engine marks nothing that is not known yet.
  if (inputs.stdin !== notKnown && !secretInputs.includes("stdin"))
    violations.push("stdin is kept in clear: wrap it in pulumi.secret");
  if (inputs.logging !== "none")
    violations.push("stdin is given while output is logged: set logging to none");
  const open = ["stdout", "stderr"].filter((output) => !secretOutputs.includes(output));
  if (open.length > 0)
    violations.push(`${open.join(" and ")} kept in clear beside stdin: add them to additionalSecretOutputs`);
  return violations;
}

/** Variables of a command are shown by previews: none is named like a secret, be it marked or not. */
export function variableViolations(resource: Resource): string[] {
  if (!isCommand(resource)) return [];
  return Object.keys(object(resource.inputs.environment))
    .filter(isSecretName)
    .map((name) => `environment.${name} is shown in previews: hand it by standard input`);
}

/** An input that is named like a secret is marked as one. */
export function clearInputViolations({ inputs, secretInputs }: Resource): string[] {
  return leaves(inputs)
    .filter(({ path, value }) => value !== notKnown && isSecretName(path.at(-1) ?? ""))
    .filter(({ path }) => !isBelow(path, secretInputs))
    .map(({ path }) => `${path.join(".")} is kept in clear: wrap it in pulumi.secret`);
}

/** The value of a generated secret is nowhere but in secret inputs, and never in a command or its variables. */
export function generatedSecretViolations(resources: readonly Resource[]): string[] {
  const values = resources
    .filter(({ type }) => secretTypes.includes(type))
    .flatMap(({ outputs }) => [outputs?.result, outputs?.hex])
    .filter((value): value is string => typeof value === "string" && value.length >= 8);
  return resources.flatMap((resource) => {
    const shown = new Set(isCommand(resource) ? ["create", "update", "delete", "environment"] : []);
    return leaves(resource.inputs)
      .filter(({ path }) => shown.has(path[0] ?? "") || !isBelow(path, resource.secretInputs))
      .filter(({ value }) => typeof value === "string" && values.some((secret) => value.includes(secret)))
      .map(({ path }) => `${resource.name}: ${path.join(".")} holds a generated secret in clear`);
  });
}

/** Generated secrets outlive every mistake but `retire`. */
export function protectionViolations({ type, isProtected }: Resource): string[] {
  return secretTypes.includes(type) && !isProtected
    ? ["a secret is not protected: a town would lose its database's password with it"]
    : [];
}

/** Records of the fleet are plain addresses with a time to live that lets a town move. */
export function recordViolations({ type, inputs }: Resource): string[] {
  if (type !== zoneRecord) return [];
  const violations: string[] = [];
  if (inputs.fieldtype !== "A" && inputs.fieldtype !== "AAAA")
    violations.push(`fieldtype is ${String(inputs.fieldtype)}: the fleet makes A and AAAA records only`);
  const { ttl } = inputs;
  if (!(typeof ttl === "number" && ttl >= 60 && ttl <= 3600))
    violations.push(`ttl is ${String(ttl)}, expected 60 to 3600 s: a town that moves would be lost for long`);
  return violations;
}

/** Nothing is bought by `up`. */
export function purchaseViolations({ type }: Resource): string[] {
  return type === "ovh:Vps/vps:Vps" ? ["a VPS is bought by `geoclic-fleet order`, never by `up`"] : [];
}

/** One domain, one server and one record for each client. */
export function doubleViolations(resources: readonly Resource[]): string[] {
  const steps = (step: string) =>
    resources.filter(({ type, name }) => type === localCommand && name.endsWith(`-${step}`));
  const records = resources.filter(({ type }) => type === zoneRecord);
  const variables = ({ inputs }: Resource, ...names: string[]) =>
    key(...names.map((name) => object(inputs.environment)[`GEOCLIC_STEP_${name}`]));
  return [
    ...doubles("domain", steps("certificate"), (step) => variables(step, "DOMAIN")),
    ...doubles("address", steps("certificate"), (step) => variables(step, "IP")),
    ...doubles("server", steps("server"), (step) => variables(step, "HOST", "PORT")),
    ...doubles("record", records, ({ inputs }) => key(inputs.fieldtype, inputs.subdomain, inputs.zone)),
  ];
}

/** What is not known yet is the same as nothing. */
function key(...parts: readonly unknown[]): string | undefined {
  return parts.every((part) => typeof part === "string") ? parts.join(" ") : undefined;
}

function doubles(
  what: string,
  resources: readonly Resource[],
  keyOf: (resource: Resource) => string | undefined,
): string[] {
  const byKey = Map.groupBy(resources, keyOf);
  return [...byKey]
    .filter(([value, same]) => value !== undefined && same.length > 1)
    .map(([value, same]) => {
      // Resources come in any order: two runs of the same program tell the same.
      const names = same.map(({ name }) => name).sort();
      return `${names.join(" and ")} share the ${what} ${value}`;
    });
}

const secretWords =
  /^(secret|password|passwd|passphrase|token|credential|(private|secret|api|access|consumer)key)s?$/;

/** `DB_PASSWORD`, `adminPassword`, `apiKey`, `JWT_SECRET_KEY`; not `HOST_KEY`, which is public. */
export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z\d]+/);
  return words.some(
    (word, index) => secretWords.test(word) || secretWords.test(word + (words[index + 1] ?? "")),
  );
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

function leaves(value: unknown, path: readonly string[] = []): Leaf[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}

function isBelow(path: readonly string[], roots: readonly string[]): boolean {
  return path.some((_, index) => roots.includes(path.slice(0, index + 1).join(".")));
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
