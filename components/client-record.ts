/** @module A client's A record, and its AAAA record where one is declared, in a zone at OVH: looked up first, then made. */

import { ZoneRecord } from "@ovhcloud/pulumi-ovh/domain/zoneRecord.js";
import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClientConfig } from "../core/config/stack.ts";
import { childName } from "../core/naming.ts";
import { localStep } from "./local-step.ts";

export interface ClientRecordArgs {
  readonly client: Pick<ClientConfig, "name" | "domain" | "ipv6">;
  readonly zone: string;
  readonly ip: pulumi.Input<string>;
  readonly protect: boolean;
  readonly after: readonly pulumi.Resource[];
}

export class ClientRecord extends pulumi.ComponentResource {
  /** OVH's id of the A record. */
  readonly recordId: pulumi.Output<string>;
  /** Of the AAAA record. */
  readonly recordIpv6Id: pulumi.Output<string> | undefined;

  constructor(name: string, args: ClientRecordArgs, opts?: pulumi.ComponentResourceOptions) {
    super("geoclic:fleet:ClientRecord", childName(name, "dns"), {}, opts);
    const { client, zone, ip } = args;
    // OVH takes a second address or a CNAME beside the first without a word: somebody has to look before.
    const looked: local.Command = localStep(
      name,
      "record",
      {
        client: client.name,
        domain: client.domain,
        zone,
        ip,
        ...(client.ipv6 === undefined ? {} : { ipv6: client.ipv6 }),
      },
      { parent: this, dependsOn: [...args.after] },
      { former: true },
    );
    const record = (fieldtype: "A" | "AAAA", target: pulumi.Input<string>) =>
      new ZoneRecord(
        childName(name, fieldtype.toLowerCase()),
        { zone, subdomain: client.domain.slice(0, -zone.length - 1), fieldtype, target, ttl: 300 },
        { parent: this, dependsOn: [looked], protect: args.protect },
      );
    this.recordId = record("A", ip).id;
    this.recordIpv6Id = client.ipv6 === undefined ? undefined : record("AAAA", client.ipv6).id;
    this.registerOutputs({ recordId: this.recordId });
  }
}
