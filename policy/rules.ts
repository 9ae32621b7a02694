/** @module The fleet's rules on what a preview declares. Pure: each gives the violations that it finds, in words. */

export interface Resource {
  readonly type: string;
  readonly name: string;
  /** Inputs as they were declared, secrets in clear. */
  readonly props: Readonly<Record<string, unknown>>;
  readonly isProtected: boolean;
}

const remoteCommand = "command:remote:Command";
const localCommand = "command:local:Command";
const secretTypes = ["random:index/randomPassword:RandomPassword", "random:index/randomBytes:RandomBytes"];

const isCommand = ({ type }: Resource) => type === remoteCommand || type === localCommand;

/** Host keys pinned, no key in a connection: who dials must know whom, and a key's change must re-run nothing. */
export function connectionViolations({ type, props }: Resource): string[] {
  if (type !== remoteCommand) return [];
  const connection = (props.connection ?? {}) as Record<string, unknown>;
  const violations: string[] = [];
  if (!/^(ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) \S+$/.test(String(connection.hostKey ?? "")))
    violations.push("connection.hostKey is not pinned: set the client's ssh.hostKey");
  for (const key of ["privateKey", "privateKeyPassword", "password"])
    if (connection[key] !== undefined)
      violations.push(`connection.${key} is set: only the agent holds the fleet's key`);
  return violations;
}

/** A command is run again by its inputs, never replaced, and nothing is done when it goes. */
export function commandViolations(resource: Resource): string[] {
  if (!isCommand(resource)) return [];
  const { create, update, delete: removal, triggers } = resource.props;
  const violations: string[] = [];
  if (update !== create)
    violations.push("update is not create: a change would not be carried out as the first time was");
  if (Array.isArray(triggers) && triggers.length > 0)
    violations.push("triggers replace the command: leave them out");
  if (removal !== undefined)
    violations.push("delete touches the server when an entry goes: that is `retire`'s work");
  return violations;
}

/** What is secret goes by standard input, unlogged; no variable is named like a secret. */
export function secretViolations({ type, props }: Resource): string[] {
  if (type !== remoteCommand && type !== localCommand) return [];
  const shown = Object.keys((props.environment ?? {}) as Record<string, unknown>)
    .filter((name) => secretName.test(name))
    .map((name) => `environment.${name} is shown in previews: hand it by standard input`);
  const isLogged = props.stdin !== undefined && type === remoteCommand && props.logging !== "none";
  return isLogged ? [...shown, "stdin is given while output is logged: set logging to none"] : shown;
}

const secretName = /(^|_)(secret|password|passwd|token|private_?key|api_?key|credential)/i;

/** No command line or variable holds the value of a generated secret. */
export function clearSecretViolations(resources: readonly Resource[]): string[] {
  const values = resources
    .filter(({ type }) => secretTypes.includes(type))
    .flatMap(({ props }) => [props.result, props.hex])
    .filter((value): value is string => typeof value === "string" && value.length >= 8);
  return resources
    .filter(isCommand)
    .filter(({ props }) =>
      texts([props.create, props.update, props.environment]).some((text) =>
        values.some((value) => text.includes(value)),
      ),
    )
    .map(({ name }) => `${name}: a secret of the stack stands in its command or environment`);
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

/** Generated secrets outlive every mistake but `retire`. */
export function protectionViolations({ type, isProtected }: Resource): string[] {
  return secretTypes.includes(type) && !isProtected
    ? ["a secret is not protected: a town would lose its database's password with it"]
    : [];
}

/** Records of the fleet are plain addresses with a time to live that lets a town move. */
export function recordViolations({ type, props }: Resource): string[] {
  if (type !== "ovh:Domain/zoneRecord:ZoneRecord") return [];
  const violations: string[] = [];
  if (props.fieldtype !== "A")
    violations.push(`fieldtype is ${String(props.fieldtype)}: the fleet makes A records only`);
  if (Number(props.ttl) > 3600)
    violations.push(`ttl is ${String(props.ttl)} s: a town that moves would be lost for longer`);
  return violations;
}

/** Nothing is bought by `up`. */
export function purchaseViolations({ type }: Resource): string[] {
  return type === "ovh:Vps/vps:Vps" ? ["a VPS is bought by `geoclic-fleet order`, never by `up`"] : [];
}

/** One name and one server for each client. */
export function doubleViolations(resources: readonly Resource[]): string[] {
  const certificates = resources.filter(
    ({ type, name }) => type === localCommand && name.endsWith("-certificate"),
  );
  const servers = resources.filter(({ type, name }) => type === localCommand && name.endsWith("-server"));
  const records = resources.filter(({ type }) => type === "ovh:Domain/zoneRecord:ZoneRecord");
  const variable = (name: string) => (resource: Resource) =>
    String(((resource.props.environment ?? {}) as Record<string, unknown>)[`GEOCLIC_STEP_${name}`] ?? "");
  return [
    ...doubles("domain", certificates, variable("DOMAIN")),
    ...doubles("server", servers, (each) => `${variable("HOST")(each)}:${variable("PORT")(each)}`),
    ...doubles("record", records, ({ props }) => `${String(props.subdomain ?? "")}.${String(props.zone)}`),
  ];
}

function doubles(
  what: string,
  resources: readonly Resource[],
  keyOf: (resource: Resource) => string,
): string[] {
  const byValue = Map.groupBy(resources, keyOf);
  return [...byValue]
    .filter(([, same]) => same.length > 1)
    .map(([value, same]) => `${same.map(({ name }) => name).join(" and ")} share the ${what} ${value}`);
}
