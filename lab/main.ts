/** @module Command line of the lab: `npm run -s lab -- up | status | down | shell NAME | trust | env`. */
import { Command, Option } from "commander";
import { execa } from "execa";
import { exportLines, labEnvironment } from "./environment.ts";
import { LabError } from "./errors.ts";
import { down, type LabStatus, status, up } from "./lab.ts";
import { containerName, createServer, findServer, removeServer } from "./server.ts";
import { trustedCertificates } from "./trust.ts";

interface CreateOptions {
  readonly key: string;
  readonly number?: number;
  readonly disk?: number;
  readonly system?: "debian-12" | "debian-13";
}

const program = new Command("lab").description("Real servers, DNS, ACME and image registry on this machine.");

program.command("up").description("bring the lab up; quick when it is").action(up);
program.command("down").description("remove all of it but the cache").action(down);
program
  .command("status")
  .description("show the parts and the servers")
  .option("--json", "as JSON")
  .action(async (options: { json?: boolean }) => {
    const state = await status();
    process.stdout.write(options.json === true ? `${JSON.stringify(state, null, 2)}\n` : statusText(state));
  });
program
  .command("create <name>")
  .description("create a server")
  .requiredOption("--key <public key>", "key that may log in, as `ssh-ed25519 AAAA…`")
  .option("--number <number>", "its number", Number)
  .option("--disk <MiB>", "size of its disk", Number)
  .addOption(new Option("--system <name>", "what it runs").choices(["debian-12", "debian-13"]))
  .action(async (name: string, options: CreateOptions) => {
    const server = await createServer({
      name,
      authorizedKeys: [options.key],
      ...(options.number === undefined ? {} : { number: options.number }),
      ...(options.disk === undefined ? {} : { diskMiB: options.disk }),
      ...(options.system === undefined ? {} : { system: options.system }),
    });
    process.stdout.write(`${JSON.stringify(server, null, 2)}\n`);
  });
program.command("remove <name>").description("remove a server").action(removeServer);
program
  .command("shell <name>")
  .description("open a shell on a server")
  .action(async (name: string) => {
    await findServer(name);
    const argv = [
      "exec",
      "--interactive",
      "--tty",
      "--user",
      "ubuntu",
      containerName(name),
      "bash",
      "--login",
    ];
    await execa("docker", argv, { env: labEnvironment(), stdio: "inherit", reject: false });
  });
program
  .command("trust")
  .description("print the authorities to trust in the lab (PEM)")
  .action(async () => {
    process.stdout.write(await trustedCertificates());
  });
program
  .command("env")
  .description("print the environment of an operator in the lab")
  .action(() => {
    process.stdout.write(exportLines(labEnvironment()));
  });

function statusText(state: LabStatus): string {
  if (state.engine === null) return "The lab is down.\n";
  const { host, version, isOwn } = state.engine;
  const lines = [
    `engine    Docker ${version}${isOwn ? ", the lab's own" : ", the machine's"}, ${host}`,
    ...Object.entries(state.services).map(([name, service]) => `service   ${name}: ${service}`),
    ...state.servers.map(
      (server) => `server    ${server.name}: ${server.state}, ${server.ip}, reached at ${server.reach}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`${error.message}\n${error.hint}\n`);
  process.exitCode = 1;
}
