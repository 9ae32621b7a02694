/** @module VPSes: read, rebuilt, restarted, ended by a mailed token. */
import { randomBytes } from "node:crypto";
import {
  type Call,
  badRequest,
  expired,
  type Handler,
  type Route,
  route,
  textOf,
  unknownObject,
  unknownService,
  uuidOf,
} from "./api.ts";
import { plans, systems } from "./catalog.ts";
import type { Vps } from "./state.ts";
import {
  advanceTasks,
  beginTask,
  hasWork,
  listTasks,
  requireIdle,
  shownState,
  shownTask,
  taskOf,
} from "./tasks.ts";
import type { World } from "./world.ts";

/** Places of one datacenter, by its code in orders. */
const places: Readonly<Record<string, readonly [name: string, longName: string, country: string]>> = {
  GRA: ["os-gra7", "Gravelines", "fr"],
  SBG: ["os-sbg5", "Strasbourg", "fr"],
  DE: ["os-de1", "Frankfurt", "de"],
  UK: ["os-uk1", "London", "gb"],
};

export interface NewVps {
  /** E.g. `vps-0a1b2c3d.vps.ovh.net`. */
  readonly serviceName: string;
  readonly model: string;
  readonly datacenter: string;
  readonly os: string;
  readonly ips: readonly string[];
  /** @default the service name */
  readonly displayName?: string;
}

const serviceNames = /^vps-?[a-z0-9]{4,20}\.vps\.ovh\.(net|ca|us)$/;

/** @throws Error for what OVH would never name a VPS */
export function newVps(world: World, { serviceName, model, datacenter, os, ips, displayName }: NewVps): Vps {
  if (!serviceNames.test(serviceName))
    throw new Error(`Name of a VPS: got '${serviceName}', expected one such as vps-0a1b2c3d.vps.ovh.net.`);
  return {
    ...{ serviceName, model, datacenter, serviceId: world.newId(), created: world.now() },
    displayName: displayName ?? serviceName,
    ips: [...ips],
    ...{ state: "running", netbootMode: "local", keymap: null, slaMonitoring: false, image: os, tasks: [] },
    ...{ terminationToken: null, isTerminated: false, isRemoved: false, deleteAtExpiration: false },
  };
}

/** Does what is due: tasks, and machines of contracts that have ended. */
export function advanceVps(world: World): void {
  for (const vps of world.state.vps) {
    if (!vps.isTerminated) advanceTasks(world, vps);
    else if (!vps.isRemoved && !hasWork(world, vps))
      world.jobs.start(`end ${vps.serviceName}`, async () => {
        await world.hooks.terminate(vps.serviceName);
        vps.isRemoved = true;
      });
  }
}

type OfVps = (vps: Vps, call: Call) => unknown;

export function vpsRoutes(world: World): Route[] {
  const { state } = world;
  const of =
    (handle: OfVps): Handler =>
    (call) =>
      handle(vpsOf(world, call.part.s), call);
  const power = (action: "reboot" | "start" | "stop") =>
    route(
      "POST",
      `/vps/{s}/${action}`,
      of((vps, { fault }) => {
        requireIdle(vps);
        return shownTask(world, beginTask(world, vps, { kind: "power", action }, fault));
      }),
    );

  return [
    route("GET", "/vps", () =>
      state.vps.filter(({ isTerminated }) => !isTerminated).map(({ serviceName }) => serviceName),
    ),
    route("GET", "/vps/{s}", of(shownVps)),
    route(
      "PUT",
      "/vps/{s}",
      of((vps, call) => change(world, vps, call)),
    ),
    route(
      "GET",
      "/vps/{s}/datacenter",
      of(({ datacenter }) => {
        const [name, longName, country] = places[datacenter] ?? ["os-gra7", "Gravelines", "fr"];
        return { name, longName, country };
      }),
    ),
    route(
      "GET",
      "/vps/{s}/ips",
      of(({ ips }) => ips),
    ),
    route(
      "GET",
      "/vps/{s}/ips/{ip}",
      of((vps, { part }) => shownIp(vps, part.ip)),
    ),
    route(
      "GET",
      "/vps/{s}/images/available",
      of((vps) => systems.map((name) => imageId(vps, name))),
    ),
    route(
      "GET",
      "/vps/{s}/images/available/{id}",
      of((vps, { part }) => {
        const name = systems.find((each) => imageId(vps, each) === part.id);
        if (!name) throw unknownObject("id", part.id);
        return { id: part.id, name };
      }),
    ),
    route(
      "GET",
      "/vps/{s}/images/current",
      of((vps) => ({ id: imageId(vps, vps.image), name: vps.image })),
    ),
    route(
      "POST",
      "/vps/{s}/rebuild",
      of((vps, call) => rebuild(world, vps, call)),
    ),
    ...[power("reboot"), power("start"), power("stop")],
    route(
      "GET",
      "/vps/{s}/tasks",
      of((vps, { query }) => listTasks(world, vps, query)),
    ),
    route(
      "GET",
      "/vps/{s}/tasks/{id}",
      of((vps, { part }) => shownTask(world, taskOf(world, vps, part.id))),
    ),
    route("GET", "/vps/{s}/serviceInfos", of(shownService)),
    route(
      "PUT",
      "/vps/{s}/serviceInfos",
      of((vps, { body }) => {
        const { deleteAtExpiration } = (body.renew ?? {}) as { deleteAtExpiration?: unknown };
        if (typeof deleteAtExpiration === "boolean") vps.deleteAtExpiration = deleteAtExpiration;
        return null;
      }),
    ),
    route(
      "POST",
      "/vps/{s}/terminate",
      of((vps) => mailToken(world, vps)),
    ),
    route(
      "POST",
      "/vps/{s}/confirmTermination",
      of((vps, { body }) => {
        if (vps.terminationToken === null || body.token !== vps.terminationToken)
          throw badRequest("Invalid token");
        vps.isTerminated = true;
        vps.state = "stopped";
        return "Termination confirmed";
      }),
    ),
  ];
}

function vpsOf({ state, rules }: World, name: string | undefined): Vps {
  const vps = state.vps.find(({ serviceName }) => serviceName === name);
  if (!vps) throw unknownService();
  if (vps.isTerminated) throw rules.terminated === "gone" ? unknownService() : expired();
  return vps;
}

/** A name at once; a netboot mode by a task. Null and what is absent stay. */
function change(world: World, vps: Vps, { body, fault }: Call): null {
  const { displayName, netbootMode, keymap, slaMonitoring } = body;
  if (netbootMode === "local" || netbootMode === "rescue") {
    if (netbootMode !== vps.netbootMode) {
      requireIdle(vps);
      beginTask(world, vps, { kind: "netboot", mode: netbootMode }, fault);
    }
  } else if (netbootMode !== undefined && netbootMode !== null)
    throw badRequest(`Invalid value for netbootMode: ${String(netbootMode)}`);
  if (typeof displayName === "string") vps.displayName = displayName;
  if (typeof keymap === "string") vps.keymap = keymap;
  if (typeof slaMonitoring === "boolean") vps.slaMonitoring = slaMonitoring;
  return null;
}

function rebuild(world: World, vps: Vps, { body, fault }: Call) {
  const os = systems.find((name) => imageId(vps, name) === textOf(body, "imageId"));
  if (!os) throw badRequest(`Invalid image ${String(body.imageId)}`);
  const { publicSshKey, sshKey } = body;
  const named = world.state.sshKeys.find(({ keyName }) => keyName === sshKey)?.key;
  if (typeof sshKey === "string" && named === undefined) throw badRequest(`Unknown SSH key ${sshKey}`);
  if (typeof publicSshKey === "string" && !/^(ssh|ecdsa)-\S+ [A-Za-z0-9+/=]+/.test(publicSshKey))
    throw badRequest("Invalid SSH key");
  requireIdle(vps);
  const key = typeof publicSshKey === "string" ? publicSshKey : (named ?? null);
  return shownTask(world, beginTask(world, vps, { kind: "rebuild", os, publicSshKey: key }, fault));
}

/** Another request makes another token, and the former one void. */
function mailToken({ state, clock, now, newId }: World, vps: Vps): string {
  vps.terminationToken = randomBytes(9).toString("hex");
  const link = `https://www.ovh.com/manager/#/billing/confirmTerminate?id=${vps.serviceId}&token=${vps.terminationToken}`;
  state.mails.push({
    id: newId(),
    date: new Date(now()).toISOString(),
    visibleFrom: now() + clock.mail,
    subject: "Demande de résiliation",
    body: `Bonjour,\nvous avez demandé la résiliation du service ${vps.serviceName}.\n${link}\nL'équipe OVH`,
  });
  return "Termination request sent: a mail with a confirmation token is on its way";
}

/** Ids of images differ from VPS to VPS. */
function imageId({ serviceName }: Vps, name: string): string {
  return uuidOf(`${serviceName} ${name}`);
}

function shownIp(vps: Vps, ip: string | undefined) {
  if (ip === undefined || !vps.ips.includes(ip)) throw unknownObject("ipAddress", ip);
  const isV6 = ip.includes(":");
  return {
    ipAddress: ip,
    version: isV6 ? "v6" : "v4",
    type: "primary",
    gateway: isV6 ? null : ip.replace(/\d+$/, "1"),
    macAddress: null,
    reverse: vps.serviceName,
    geolocation: "fr",
  };
}

function shownVps(vps: Vps) {
  const plan = plans.find(({ planCode }) => planCode === vps.model);
  const urn = `urn:v1:eu:resource:vps:${vps.serviceName}`;
  const [vcore, memory] = [plan?.vcore ?? 4, plan?.memory ?? 8192];
  return {
    name: vps.serviceName,
    displayName: vps.displayName,
    cluster: "",
    zone: `Region OpenStack: ${places[vps.datacenter]?.[0] ?? "os-gra7"}`,
    zoneType: "region",
    state: shownState(vps),
    netbootMode: vps.netbootMode,
    keymap: vps.keymap,
    offerType: "ssd",
    slaMonitoring: vps.slaMonitoring,
    vcore,
    memoryLimit: memory,
    monitoringIpBlocks: ["92.222.184.0/24"],
    model: {
      ...{ name: vps.model, offer: plan?.label ?? "VPS-1", version: plan?.version ?? "2025v1" },
      ...{ vcore, memory, disk: plan?.disk ?? 75, maximumAdditionnalIp: 16, datacenter: [] },
      availableOptions: ["automatedBackup", "snapshot"],
    },
    iam: { id: uuidOf(urn), urn, displayName: vps.displayName, tags: {} },
  };
}

function shownService(vps: Vps) {
  const day = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, 10);
  const { deleteAtExpiration } = vps;
  const contact = "ab12345-ovh";
  return {
    domain: vps.serviceName,
    serviceId: vps.serviceId,
    status: "ok",
    creation: day(vps.created),
    expiration: day(vps.created + 31 * 86_400_000),
    engagedUpTo: null,
    renewalType: "automaticV2012",
    renew: {
      ...{
        automatic: !deleteAtExpiration,
        deleteAtExpiration,
        forced: false,
        manualPayment: false,
        period: 1,
      },
    },
    possibleRenewPeriod: [1],
    canDeleteAtExpiration: true,
    ...{ contactAdmin: contact, contactBilling: contact, contactTech: contact },
  };
}
