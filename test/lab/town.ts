/** @module One town of the lab for a test: its own stack, suite and server. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { serverPaths } from "../../core/naming.ts";
import type { Convergence } from "../../outside/pulumi.ts";
import { forgetCertificates } from "../../lab/acme.ts";
import { OPERATOR } from "../../lab/layout.ts";
import { fleetConfig } from "../../lab/fleet-config.ts";
import { becomeOperator, configureStack, convergeMaster, convergeStack } from "../../lab/operator.ts";
import { up } from "../../lab/lab.ts";
import { execInServer, type LabServer, removeServer, type ServerArgs } from "../../lab/server.ts";
import { makeSuite, type SuiteEdits, type SuiteRelease } from "../../lab/suite/release/make.ts";
import { clientEntry, domainOf, ensureServer } from "../../lab/town.ts";

export interface TestTown {
  readonly name: string;
  readonly domain: string;
  server: LabServer;
  /** Adapter's file; the fleet's own without it. */
  adapter?: string;
  /** Every line that `pulumi up` showed so far. */
  readonly shown: string[];
  /** `pulumi up`; `client` overrides fields of the client's entry. */
  up(client?: Readonly<Record<string, unknown>>): Promise<Convergence>;
  /** `pulumi up` that must fail. @returns its message */
  fails(client?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Replaces the suite by a release's tree. */
  suite(release: SuiteRelease, edits?: SuiteEdits): Promise<void>;
  /** A command as root on the server, which must succeed. */
  exec(...words: string[]): Promise<string>;
}

/** Brings the lab up and a fresh server with it, of Debian 13 with the packages of the base step, as by default in tests. */
export async function testTown(
  name: string,
  label: string,
  diskMiB: number,
  kind: Pick<ServerArgs, "isPrepared" | "system"> = {},
): Promise<TestTown> {
  await up();
  await becomeOperator();
  const { publicKey } = await convergeMaster(() => {});
  await removeServer(name);
  await forgetCertificates();
  const suitePath = join(OPERATOR, `suite-${name}`);
  const shown: string[] = [];
  const town: TestTown = {
    name,
    domain: domainOf(name),
    server: await ensureServer({
      name,
      authorizedKeys: [publicKey],
      diskMiB,
      ...kind,
    }),
    shown,
    async up(client = {}) {
      const entry = { ...clientEntry(town.server, label), ...client };
      const config = fleetConfig(suitePath, [entry]);
      const suite = { path: suitePath, ...(town.adapter === undefined ? {} : { adapter: town.adapter }) };
      await configureStack(name, { ...config, suite });
      return convergeStack(name, (line) => shown.push(line));
    },
    async fails(client = {}) {
      const end = await town.up(client).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (end === undefined) throw new Error("pulumi up succeeded, expected a failure");
      shown.push(end);
      return end;
    },
    async suite(release, edits = {}) {
      await rm(suitePath, { recursive: true, force: true });
      await makeSuite(release, suitePath, edits);
    },
    async exec(...words) {
      const { exitCode, stdout, stderr } = await execInServer(name, words);
      if (exitCode !== 0) throw new Error(`${words.join(" ")} on ${name}: ${exitCode} ${stderr} ${stdout}`);
      return stdout;
    },
  };
  return town;
}

/** Container id by service of the running suite; a project of somebody else may be called alike. */
export async function containers(town: TestTown): Promise<Record<string, string>> {
  const label = (name: string) => `{{.Label "com.docker.compose.${name}"}}`;
  const format = `${label("project.working_dir")} ${label("service")} {{.ID}}`;
  const filter = ["--filter", "label=com.docker.compose.project=deploy"];
  const list = await town.exec("docker", "ps", "--no-trunc", ...filter, "--format", format);
  const lines = list.split("\n").filter((line) => line.startsWith(`${serverPaths.root}/`));
  return Object.fromEntries(lines.map((line) => line.split(" ").slice(1) as [string, string]).sort());
}

/** Secret values of the server's environment file, by variable. */
export async function secrets(town: TestTown): Promise<Record<string, string>> {
  const text = await town.exec("cat", serverPaths.env);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
  return { JWT_SECRET_KEY: value("JWT_SECRET_KEY"), DB_PASSWORD: value("DB_PASSWORD") };
}
