/**
 * A fleet at OVH in the lab: a VPS that is owned, one that is ordered by the command line, their records, and how towns
 * leave and come back. Each test goes on where the one before it ended. Not proven here: OVH itself; its emulator follows
 * what is known of it.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveDomain } from "../../outside/dns.ts";
import { get } from "../../outside/http.ts";
import { type Convergence, readOutput } from "../../outside/pulumi.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { serverPaths } from "../../core/naming.ts";
import { forgetCertificates } from "../../lab/acme.ts";
import { orderTown } from "../../lab/demo-towns.ts";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { up } from "../../lab/lab.ts";
import { LOOPBACK, OPERATOR } from "../../lab/layout.ts";
import {
  becomeOperator,
  configureStack,
  convergeMaster,
  convergeStack,
  project,
} from "../../lab/operator.ts";
import { ovhAudit, ovhState } from "../../lab/ovh/admin.ts";
import { serverOf } from "../../lab/ovh/hooks.ts";
import { ensureOwnedVps } from "../../lab/ovh/owned.ts";
import { execInServer, listServers, removeServer } from "../../lab/server.ts";
import { makeSuite } from "../../lab/suite/release/make.ts";
import { domainOf } from "../../lab/town.ts";

const stack = "flotte";
const owned = { name: "flotte-detenue", label: "Mairie détenue" };
const ordered = { name: "flotte-achetee", label: `Mairie d'Achat "neuve"`, way: "ordered" } as const;
const suite = join(OPERATOR, `suite-${stack}`);
const shown: string[] = [];

const declaredServers = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await (await stackFile(stack)).read()).clients.map(({ name, serviceName }) => [name, serviceName ?? ""]),
  );
const clientOf = async (name: string) =>
  (await (await stackFile(stack)).read()).clients.find((each) => each.name === name);

let servers: Record<string, string>;
let secretsBefore: Record<string, string>;

/** Runs the command line as its user does. */
async function fleet(...words: string[]) {
  const main = join(import.meta.dirname, "../../cli/main.ts");
  const result = await execa(process.execPath, [main, ...words, "--stack", stack], {
    reject: false,
    all: true,
    stdin: "ignore",
  });
  return { exitCode: result.exitCode, said: String(result.all) };
}

function converge(): Promise<Convergence> {
  return convergeStack(stack, (line) => shown.push(line));
}

async function onServer(name: string, ...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await execInServer(serverOf(servers[name] ?? ""), words);
  if (exitCode !== 0) throw new Error(`${words.join(" ")} on ${name}: ${exitCode} ${stderr}`);
  return stdout;
}

const secretsOf = async (name: string) => {
  const lines = (await onServer(name, "cat", serverPaths.env)).split("\n");
  return lines
    .filter((line) => /^(JWT_SECRET_KEY|DB_PASSWORD)=/.test(line))
    .sort()
    .join("\n");
};
const containersOf = (name: string) =>
  onServer(
    name,
    "docker",
    "ps",
    "--no-trunc",
    "--quiet",
    "--filter",
    "label=com.docker.compose.project=deploy",
  );
const resolved = async (name: string) => (await resolveDomain(domainOf(name), [`${LOOPBACK.dns}:53`])).a;
const health = async (name: string) => {
  const { reach = "" } = (await clientOf(name)) ?? {};
  return get({ protocol: "https", host: reach, domain: domainOf(name), path: "/api/health" });
};

beforeAll(async () => {
  await up();
  await becomeOperator();
  await forgetCertificates();
  const { publicKey } = await convergeMaster(() => {});
  await makeSuite("1.0.0", suite);
  const vps = await ensureOwnedVps(owned.name, [publicKey]);
  await configureStack(
    stack,
    fleetConfig(suite, [
      {
        name: owned.name,
        domain: domainOf(owned.name),
        email: `admin@${domainOf(owned.name)}`,
        town: owned.label,
        serviceName: vps.serviceName,
        reach: vps.reach,
        ssh: { user: "ubuntu", port: 22, hostKey: vps.hostKey },
        dns: "managed",
        canary: true,
      },
    ]),
  );
  // A run of before may have bought one of that name today.
  await orderTown(ordered, stack, ["--buy-again"]);
  servers = await declaredServers();
});

afterAll(async () => {
  for (const server of Object.values(servers ?? {})) await removeServer(serverOf(server));
  await rm(join(OPERATOR, "orders", `${ordered.name}.jsonl`), { force: true });
  await rm(join(OPERATOR, "retired", ordered.name), { recursive: true, force: true });
  await rm(suite, { recursive: true, force: true });
});

describe("two towns at OVH", () => {
  test("the order is one, its server's key is the fleet's, and asking again buys nothing", async () => {
    const { checkouts } = await ovhState();
    expect(servers[ordered.name]).toMatch(/^vps-[0-9a-f]{8}\.vps\.ovh\.net$/);
    const again = await fleet("order", ordered.name);
    expect(again).toMatchObject({
      exitCode: 0,
      said: expect.stringContaining(`was ordered before: ${servers[ordered.name]}`),
    });
    expect((await ovhState()).checkouts).toBe(checkouts);
  });

  test("both come online under their names, which resolve only now", async () => {
    await converge();
    for (const name of [owned.name, ordered.name]) {
      expect(await resolved(name)).toHaveLength(1);
      expect(JSON.parse((await health(name)).body)).toMatchObject({ status: "healthy" });
    }
    expect(await resolved(owned.name)).not.toEqual(await resolved(ordered.name));
  });

  test("have different secrets, and none was printed", async () => {
    const [first, second] = [await secretsOf(owned.name), await secretsOf(ordered.name)];
    const values = [...first.split("\n"), ...second.split("\n")].map((line) => line.split("=")[1] ?? "");
    expect(values).toHaveLength(4);
    expect(new Set(values).size).toBe(4);
    for (const value of values) expect(shown.join("\n")).not.toContain(value);
    secretsBefore = { [owned.name]: first, [ordered.name]: second };
  });

  test("again: nothing changes, no command runs, and OVH is asked for an address only", async () => {
    const containers = await containersOf(ordered.name);
    const asked = (await ovhAudit()).length;
    const { changes, seconds } = await converge();
    expect(Object.keys(changes)).toEqual(["same"]);
    expect([...seconds]).toEqual([]);
    expect(await containersOf(ordered.name)).toBe(containers);
    const requests = (await ovhAudit())
      .slice(asked)
      .map(({ method, path }) => `${method} ${path.replace(/vps-[0-9a-f]+.*net/, "S")}`);
    expect([...new Set(requests)].sort()).toEqual([
      "GET /auth/details",
      "GET /auth/time",
      "GET /vps/S",
      "GET /vps/S/datacenter",
      "GET /vps/S/ips",
    ]);
  });
});

describe("a town leaves", () => {
  test("not by deleting its entry, which changes nothing", async () => {
    const file = await stackFile(stack);
    const entry = await clientOf(ordered.name);
    await file.editClients((clients) => clients.remove(ordered.name));
    await expect(converge()).rejects.toThrow(
      /no longer has flotte-achetee.*geoclic-fleet remove.*geoclic-fleet retire/s,
    );
    await file.editClients((clients) => clients.add(entry as NonNullable<typeof entry>));
    expect(Object.keys((await converge()).changes)).toEqual(["same"]);
  });

  test("by `remove`: it is served on, keeps its record, and is touched no more", async () => {
    const containers = await containersOf(ordered.name);
    expect(await fleet("remove", ordered.name, "--yes")).toMatchObject({ exitCode: 0 });
    const { changes } = await converge();
    expect(changes).toMatchObject({ delete: 8 });
    expect(changes).not.toHaveProperty("update");
    expect(await containersOf(ordered.name)).toBe(containers);
    expect(await resolved(ordered.name)).toHaveLength(1);
    expect((await health(ordered.name)).status).toBe(200);
  });

  test("and comes back by `add` with the secrets that it had, without a restart", async () => {
    const containers = await containersOf(ordered.name);
    const passwords = (await readOutput(stack, "adminPasswords")) as Record<string, string>;
    const added = await fleet("add", "--name", ordered.name, "--yes");
    expect(added).toMatchObject({ exitCode: 0 });
    await converge();
    expect(await secretsOf(ordered.name)).toBe(secretsBefore[ordered.name]);
    expect(await containersOf(ordered.name)).toBe(containers);
    expect(((await readOutput(stack, "adminPasswords")) as Record<string, string>)[ordered.name]).toBe(
      passwords[ordered.name],
    );
  });
});

describe("a town ends", () => {
  test("by `retire`: its backup comes home, then its containers, its record, its secrets and its contract go", async () => {
    const server = servers[ordered.name] ?? "";
    const passwords = (await readOutput(stack, "adminPasswords")) as Record<string, string>;
    const said = await typing(["retire", ordered.name, "--end-contract"], [ordered.name, server]);
    expect(said, said).toMatch(/\n\[end 0\]/);
    const folder = join(OPERATOR, "retired", ordered.name);
    const kept = await readdir(folder, { recursive: true });
    expect(
      kept.some((name) => /dump|tar|backup/.test(name)),
      kept.join(),
    ).toBe(true);
    expect(await resolved(ordered.name)).toEqual([]);
    const { clients, retired } = await (await stackFile(stack)).read();
    expect(clients.map(({ name }) => name)).toEqual([owned.name]);
    expect(retired).toMatchObject([{ name: ordered.name }]);
    expect(await readOutput(stack, "adminPasswords")).toEqual({ [owned.name]: passwords[owned.name] });
    const ended = (await ovhState()).vps.find(({ serviceName }) => serviceName === server);
    expect(ended).toMatchObject({ isTerminated: true });
    await expect
      .poll(async () => (await listServers()).map(({ name }) => name), { timeout: 30_000 })
      .not.toContain(serverOf(server));
  });

  test("and its name is not free, while the other town saw nothing of it", async () => {
    const again = await fleet(
      "add",
      "--name",
      ordered.name,
      "--domain",
      domainOf(ordered.name),
      "--ip",
      "10.77.0.99",
      "--yes",
    );
    expect(again.exitCode).not.toBe(0);
    expect(again.said).toContain("CLIENT_RETIRED");
    expect(Object.keys((await converge()).changes)).toEqual(["same"]);
    expect(JSON.parse((await health(owned.name)).body)).toMatchObject({ status: "healthy" });
  });
});

/** Types answers into a terminal, each when it is asked for. */
async function typing(words: readonly string[], answers: string[]): Promise<string> {
  const main = join(import.meta.dirname, "../../cli/main.ts");
  const line = [process.execPath, main, "--lang", "en", ...words, "--stack", stack].join(" ");
  const child = execa("script", ["-qec", `${line}; echo "[end $?]"`, "/dev/null"], {
    reject: false,
    buffer: true,
  });
  child.stdout.on("data", (chunk: Buffer) => {
    if (/\(type [^)]+\)/.test(chunk.toString())) child.stdin.write(`${answers.shift() ?? ""}\n`);
  });
  const { stdout } = await child;
  return stdout.replaceAll("\r", "");
}

test("no file of the operator's that people read holds a secret", async () => {
  const values = Object.values(secretsBefore).flatMap((lines) =>
    lines.split("\n").map((line) => line.split("=")[1] ?? ""),
  );
  const files = (await readdir(project)).map((name) => join(project, name));
  const { stdout } = await execa("grep", ["-lF", ...values.flatMap((value) => ["-e", value]), ...files], {
    reject: false,
  });
  expect(stdout).toBe("");
  expect((await listServers()).map(({ name }) => name)).toContain(serverOf(servers[owned.name] ?? ""));
});
