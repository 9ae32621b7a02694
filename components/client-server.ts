/** @module One client: its secrets, its DNS record, its server's base, its certificate, its running release and its schedules. */
import * as pulumi from "@pulumi/pulumi";
import { type ClientConfig, type FleetConfig, targetOf, zoneOf } from "../core/config/stack.ts";
import { type Release, serviceKeys } from "../core/release/release.ts";
import { shortHash } from "../core/release/tree.ts";
import { plainEnvironment, renderEnvironment } from "../core/render/environment.ts";
import { ClientRecord } from "./client-record.ts";
import { ClientSecrets } from "./client-secrets.ts";
import { localStep } from "./local-step.ts";
import { serverStep } from "./server-step.ts";

export interface ClientServerArgs {
  readonly client: ClientConfig;
  readonly release: Release;
  readonly fleet: Pick<
    FleetConfig,
    "acme" | "build" | "dnsServers" | "nameServers" | "protect" | "schedules" | "secrets" | "zones"
  >;
  /** Address of the server, for its DNS record. */
  readonly ip: pulumi.Input<string>;
  /** Nothing of this client begins before these are done. */
  readonly after?: readonly pulumi.Resource[];
}

export class ClientServer extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  /** First password of the town's administrator. */
  readonly adminPassword: pulumi.Output<string>;
  /** Done when the release runs and is proven; a detached client has none. */
  readonly activated: pulumi.Resource | undefined;

  constructor(name: string, args: ClientServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("geoclic:fleet:ClientServer", name, {}, opts);
    const parent = this;
    const { client, release, fleet } = args;
    const target = targetOf(client);
    const { user: sshUser, ...reachedAs } = target;
    const reached = { ...reachedAs, sshUser };
    const plain = plainEnvironment(release.adapter, client);

    const secrets = new ClientSecrets(
      name,
      {
        generated: release.adapter.env.generated,
        brought: fleet.secrets[client.name] ?? {},
        protect: fleet.protect,
      },
      { parent },
    );
    const zone = client.dns === "managed" ? zoneOf(client.domain, fleet.zones) : undefined;
    const record =
      zone === undefined
        ? undefined
        : new ClientRecord(
            name,
            { client, zone, ip: args.ip, protect: fleet.protect, after: args.after ?? [] },
            { parent },
          );
    this.url = pulumi.output(`https://${client.domain}`);
    this.adminPassword = secrets.adminPassword;
    if (client.detached) {
      this.registerOutputs({ url: this.url, adminPassword: this.adminPassword });
      return;
    }

    const server = prepare();
    const base = installBase();
    const environment = writeEnvironment();
    const certificate = issueCertificate();
    const delivery = deliver();
    const activation = activate();
    initialise();
    schedule();

    this.activated = activation;
    this.registerOutputs({ url: this.url, adminPassword: this.adminPassword });

    function prepare() {
      const input = { ...reached, scripts: release.scripts };
      return localStep(name, "server", input, { parent, dependsOn: [...(args.after ?? [])] });
    }

    function installBase() {
      return onServer("base", "base", ["--ssh-port", String(target.port)], [server]);
    }

    function writeEnvironment() {
      const stdin = secrets.environment.apply((values) => renderEnvironment(plain, values));
      return onServer("environment", "write-env", [], [base], stdin);
    }

    function issueCertificate() {
      const input = {
        ...reached,
        domain: client.domain,
        ip: args.ip,
        ...(client.ipv6 === undefined ? {} : { ipv6: client.ipv6 }),
        email: client.email,
        acmeServer: fleet.acme.server,
        dnsServers: fleet.dnsServers,
        ...(record?.recordIpv6Id ? { recordIpv6: record.recordIpv6Id } : {}),
        ...(record && zone ? { zone, record: record.recordId, nameServers: fleet.nameServers } : {}),
      };
      return localStep(name, "certificate", input, { parent, dependsOn: [base] });
    }

    function deliver() {
      const input = { ...reached, release: release.id, build: fleet.build };
      return localStep(name, "delivery", input, { parent, dependsOn: [base] });
    }

    function activate() {
      const input = {
        ...reached,
        domain: client.domain,
        release: release.id,
        environment: shortHash(JSON.stringify(plain)),
        service: serviceKeys(release),
      };
      return localStep(name, "activation", input, {
        parent,
        dependsOn: [environment, certificate, delivery],
        customTimeouts: { create: "60m", update: "60m" },
      });
    }

    function initialise() {
      const stdin = secrets.adminPassword.apply((password) =>
        JSON.stringify({
          admin: { email: client.email, password, firstName: "Super", lastName: "Admin" },
          town: { name: client.town },
        }),
      );
      return onServer("init", "init", [], [activation], stdin);
    }

    function schedule() {
      const { backup, monitorMinutes } = fleet.schedules;
      const options = [
        "--backup",
        backup,
        "--monitor-minutes",
        String(monitorMinutes),
        "--domain",
        client.domain,
      ];
      return onServer("schedules", "schedules", options, [activation]);
    }

    function onServer(
      role: string,
      command: string,
      options: readonly string[],
      dependsOn: pulumi.Resource[],
      stdin?: pulumi.Input<string>,
    ) {
      return serverStep(
        name,
        role,
        { target, command, options, scripts: release.scripts, ...(stdin === undefined ? {} : { stdin }) },
        { parent, dependsOn },
      );
    }
  }
}
