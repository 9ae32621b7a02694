/** @module VPSes: read, rebuilt, restarted, ended by a mailed token. */
import { createHash, randomBytes } from "node:crypto";
import { ApiError, badRequest, notFound, type Route } from "./api.ts";
import { plans, systems } from "./catalog.ts";
import type { Task, Vps } from "./state.ts";
import { isBusy, type World } from "./world.ts";

/** Places of one datacenter, by its code in orders. */
const places: Readonly<Record<string, readonly [name: string, longName: string, country: string]>> = {
  GRA: ["os-gra7", "Gravelines", "fr"],
  SBG: ["os-sbg5", "Strasbourg", "fr"],
  DE: ["os-de1", "Frankfurt", "de"],
  UK: ["os-uk1", "London", "gb"],
};

export interface NewVps {
  readonly serviceName: string;
  readonly model: string;
  readonly datacenter: string;
  readonly os: string;
  readonly ips: string[];
  /** @default the service name */
  readonly displayName?: string;
  /** Delivered long ago: no task runs. @default false */
  readonly isOld?: boolean;
}

export function newVps(
  world: World,
  { serviceName, model, datacenter, os, ips, displayName, isOld }: NewVps,
): Vps {
  const vps: Vps = {
    serviceName,
    model,
    datacenter,
    serviceId: world.newId(),
    created: world.now(),
    displayName: displayName ?? serviceName,
    ips,
    state: "running",
    netbootMode: "local",
    image: os,
    tasks: [],
    terminationToken: null,
    isTerminated: false,
    deleteAtExpiration: false,
  };
  if (!isOld) begin(world, vps, "deliverVm", world.clock.deliverTask, world.clock.taskHidden);
  return vps;
}

function begin(world: World, vps: Vps, type: Task["type"], duration: number, hidden = 0): Task {
  const created = world.now();
  const task = {
    id: world.newId(),
    type,
    created,
    until: created + duration,
    listedFrom: created + hidden,
    failed: false,
  };
  vps.tasks.push(task);
  return task;
}

export function vpsRoutes(world: World): Route[] {
  const { state } = world;
  const vpsOf = (part: Readonly<Record<string, string>>): Vps => {
    const vps = state.vps.find(({ serviceName }) => serviceName === part.s);
    if (!vps) throw notFound("This service does not exist");
    if (vps.isTerminated) throw new ApiError(460, { message: "This service is expired" });
    return vps;
  };
  const idle = (part: Readonly<Record<string, string>>): Vps => {
    const vps = vpsOf(part);
    if (isBusy(vps, world.now()))
      throw badRequest("Action not available while there are running tasks on the VPS");
    return vps;
  };
  const route = (method: string, path: string, handle: Route["handle"]): Route => ({
    method,
    pattern: `/vps${path}`,
    isPublic: false,
    handle,
  });
  const power = (action: "reboot" | "start" | "stop", type: Task["type"]) =>
    route("POST", `/{s}/${action}`, async ({ part }) => {
      const vps = idle(part);
      await world.hooks.power(vps.serviceName, action);
      vps.state = action === "stop" ? "stopped" : "running";
      return shownTask(world, begin(world, vps, type, world.clock.reboot));
    });

  return [
    route("GET", "", () =>
      state.vps.filter(({ isTerminated }) => !isTerminated).map(({ serviceName }) => serviceName),
    ),
    route("GET", "/{s}", ({ part }) => shownVps(world, vpsOf(part))),
    route("PUT", "/{s}", ({ part, body }) => {
      const vps = vpsOf(part);
      if (typeof body.displayName === "string") vps.displayName = body.displayName;
      if (body.netbootMode === "local" || body.netbootMode === "rescue") {
        if (body.netbootMode !== vps.netbootMode) begin(world, vps, "setNetboot", world.clock.reboot);
        vps.netbootMode = body.netbootMode;
        vps.state = body.netbootMode === "rescue" ? "rescued" : "running";
      }
      return null;
    }),
    route("GET", "/{s}/datacenter", ({ part }) => {
      const [name, longName, country] = places[vpsOf(part).datacenter] ?? ["os-gra7", "Gravelines", "fr"];
      return { name, longName, country };
    }),
    route("GET", "/{s}/ips", ({ part }) => vpsOf(part).ips),
    route("GET", "/{s}/ips/{ip}", ({ part }) => {
      const vps = vpsOf(part);
      if (!vps.ips.includes(part.ip ?? ""))
        throw notFound(`The requested object (ipAddress = ${part.ip}) does not exist`);
      const version = part.ip?.includes(":") ? "v6" : "v4";
      const rest = { gateway: null, macAddress: null, reverse: vps.serviceName, geolocation: "fr" };
      return { ipAddress: part.ip, version, type: "primary", ...rest };
    }),
    route("GET", "/{s}/images/available", ({ part }) => {
      const vps = vpsOf(part);
      return systems.map((name) => imageId(vps, name));
    }),
    route("GET", "/{s}/images/available/{id}", ({ part }) => {
      const vps = vpsOf(part);
      const name = systems.find((each) => imageId(vps, each) === part.id);
      if (!name) throw notFound(`The requested object (id = ${part.id}) does not exist`);
      return { id: part.id, name };
    }),
    route("GET", "/{s}/images/current", ({ part }) => {
      const vps = vpsOf(part);
      return { id: imageId(vps, vps.image), name: vps.image };
    }),
    route("POST", "/{s}/rebuild", async ({ part, body }) => {
      const vps = idle(part);
      const os = systems.find((name) => imageId(vps, name) === body.imageId);
      if (!os) throw badRequest(`Invalid image ${String(body.imageId)}`);
      const named = state.sshKeys.find(({ keyName }) => keyName === body.sshKey)?.key;
      const key = typeof body.publicSshKey === "string" ? body.publicSshKey : (named ?? null);
      await world.hooks.rebuild({ serviceName: vps.serviceName, os, publicSshKey: key });
      vps.image = os;
      return shownTask(world, begin(world, vps, "reinstallVm", world.clock.rebuild));
    }),
    power("reboot", "rebootVm"),
    power("start", "startVm"),
    power("stop", "stopVm"),
    route("GET", "/{s}/tasks", ({ part, query }) =>
      vpsOf(part)
        .tasks.filter(
          (task) =>
            world.now() >= task.listedFrom &&
            (query.get("state") ?? stateOf(world, task)) === stateOf(world, task) &&
            (query.get("type") ?? task.type) === task.type,
        )
        .map(({ id }) => id),
    ),
    route("GET", "/{s}/tasks/{id}", ({ part }) => {
      const task = vpsOf(part).tasks.find(({ id }) => String(id) === part.id);
      if (!task || world.now() < task.listedFrom)
        throw notFound(`The requested object (id = ${part.id}) does not exist`);
      return shownTask(world, task);
    }),
    route("GET", "/{s}/serviceInfos", ({ part }) => shownService(vpsOf(part))),
    route("PUT", "/{s}/serviceInfos", ({ part, body }) => {
      const renew = (body.renew ?? {}) as { deleteAtExpiration?: boolean };
      vpsOf(part).deleteAtExpiration = renew.deleteAtExpiration === true;
      return null;
    }),
    route("POST", "/{s}/terminate", ({ part }) => {
      const vps = vpsOf(part);
      vps.terminationToken = randomBytes(9).toString("hex");
      const link = `https://www.ovh.com/manager/#/billing/confirmTerminate?id=${vps.serviceId}&token=${vps.terminationToken}`;
      state.mails.push({
        id: world.newId(),
        date: new Date(world.now()).toISOString(),
        visibleFrom: world.now() + world.clock.mail,
        subject: "Demande de résiliation",
        body: `Bonjour,\nvous avez demandé la résiliation du service ${vps.serviceName}.\n${link}\nL'équipe OVH`,
      });
      return "Termination request sent: a mail with a confirmation token is on its way";
    }),
    route("POST", "/{s}/confirmTermination", async ({ part, body }) => {
      const vps = vpsOf(part);
      if (vps.terminationToken === null || body.token !== vps.terminationToken)
        throw badRequest("Invalid token");
      await world.hooks.terminate(vps.serviceName);
      vps.isTerminated = true;
      vps.state = "stopped";
      return "Termination confirmed";
    }),
  ];
}

/** Ids of images differ from VPS to VPS. */
function imageId({ serviceName }: Vps, name: string): string {
  const hex = createHash("sha256").update(`${serviceName} ${name}`).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

function stateOf(world: World, task: Task): "doing" | "done" | "error" {
  if (world.now() < task.until) return "doing";
  return task.failed ? "error" : "done";
}

function shownTask(world: World, task: Task) {
  const state = stateOf(world, task);
  const begun = world.now() === task.created ? "todo" : state;
  const progress = state === "doing" ? 0 : 100;
  return { id: task.id, type: task.type, state: begun, progress, date: new Date(task.created).toISOString() };
}

function shownVps(world: World, vps: Vps) {
  const plan = plans.find(({ planCode }) => planCode === vps.model);
  const rebuilds = vps.tasks.some(({ type, until }) => type === "reinstallVm" && until > world.now());
  const id = `1f4f9c1e-0000-4000-8000-${String(vps.serviceId).padStart(12, "0")}`;
  return {
    name: vps.serviceName,
    displayName: vps.displayName,
    cluster: "",
    zone: `Region OpenStack: ${places[vps.datacenter]?.[0] ?? "os-gra7"}`,
    zoneType: "region",
    state: rebuilds ? "installing" : vps.state,
    netbootMode: vps.netbootMode,
    keymap: null,
    offerType: "ssd",
    slaMonitoring: false,
    vcore: plan?.vcore ?? 4,
    memoryLimit: plan?.memory ?? 8192,
    monitoringIpBlocks: ["92.222.184.0/24"],
    model: {
      ...{ name: vps.model, offer: plan?.label ?? "VPS-1", version: plan?.version ?? "2025v1" },
      ...{ vcore: plan?.vcore ?? 4, memory: plan?.memory ?? 8192, disk: plan?.disk ?? 75 },
      ...{ maximumAdditionnalIp: 16, datacenter: [], availableOptions: ["automatedBackup", "snapshot"] },
    },
    iam: { id, urn: `urn:v1:eu:resource:vps:${vps.serviceName}`, displayName: vps.displayName, tags: {} },
  };
}

function shownService(vps: Vps) {
  const day = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, 10);
  const { deleteAtExpiration } = vps;
  return {
    domain: vps.serviceName,
    serviceId: vps.serviceId,
    status: "ok",
    creation: day(vps.created),
    expiration: day(vps.created + 31 * 86_400_000),
    engagedUpTo: null,
    renewalType: "automaticV2012",
    renew: {
      automatic: !deleteAtExpiration,
      deleteAtExpiration,
      forced: false,
      manualPayment: false,
      period: 1,
    },
    possibleRenewPeriod: [1],
    canDeleteAtExpiration: true,
    ...{ contactAdmin: "ab12345-ovh", contactBilling: "ab12345-ovh", contactTech: "ab12345-ovh" },
  };
}
