/** @module From a delivered VPS to one that the fleet's key opens: named, rebuilt once with the key, its host key learnt. */
import { isShutOut } from "../../core/commands/ssh.ts";
import { FleetError } from "../../core/errors.ts";
import { Ids, Image, Names, Task, Vps } from "../../core/ovh/answers.ts";
import { type Asked, type OrderProgress, reachOfAddress } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";

export interface ReachedServer {
  readonly reach: string;
  readonly hostKey: string;
  readonly fingerprint: string;
}

/** A delivery's own task blocks a rebuild for some minutes, and is not listed at first. */
const busyMinutes = 15;
const rebuildMinutes = 30;
const sshMinutes = 10;

export async function setUpServer(
  context: OrderContext,
  progress: OrderProgress,
  serviceName: string,
): Promise<ReachedServer> {
  const { asked } = progress;
  const name = asked.client.name;
  await context.ovh.put(`/vps/${serviceName}`, { body: { displayName: name }, idempotent: true });
  const reach = reachOfAddress(asked.reach, await addressOf(context, serviceName));
  const look = looker(context, asked, reach);
  if (!progress.rebuilt) {
    const isDone = progress.rebuilding && (await wasRebuilt(context, look, serviceName));
    if (!isDone) await rebuild(context, asked, serviceName);
    await context.journal.write({ event: "rebuilt" });
  }
  return learnHostKey(context, look, serviceName, reach);
}

async function addressOf(context: OrderContext, serviceName: string): Promise<string> {
  const addresses = await context.ovh.get(`/vps/${serviceName}/ips`, { schema: Names });
  const address = addresses.find((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each));
  if (address === undefined)
    throw new FleetError("ORDER_REBUILD_FAILED", { server: serviceName, cause: "it has no IPv4 address" });
  return address;
}

/**
 * Was the rebuild, whose answer was lost, done? OVH lists its tasks, with a delay, and may drop those that ended; but then
 * the fleet's key opens the server, which was delivered without it.
 */
async function wasRebuilt(context: OrderContext, look: Look, serviceName: string): Promise<boolean> {
  for (let round = 0; round < 6; round += 1) {
    const tasks = await tasksOf(context, serviceName);
    const task = tasks.findLast(
      ({ type, state }) => type === "reinstallVm" && state !== "error" && state !== "cancelled",
    );
    if (task) {
      await follow(context, serviceName, task.id);
      return true;
    }
    const refusal = await look().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refusal === undefined) return true;
    await context.sleep(pauseAfter(refusal, round));
  }
  return false;
}

async function tasksOf(context: OrderContext, serviceName: string) {
  const ids = await context.ovh.get(`/vps/${serviceName}/tasks`, { schema: Ids });
  const tasks = await Promise.all(ids.map((id) => taskOf(context, serviceName, id)));
  return tasks.flatMap((task) => task ?? []);
}

/** A task that has ended may be gone from the list. */
async function taskOf(context: OrderContext, serviceName: string, id: number) {
  return context.ovh.get(`/vps/${serviceName}/tasks/${id}`, { schema: Task }).catch((error: unknown) => {
    if (error instanceof FleetError && error.values.status === 404) return undefined;
    throw error;
  });
}

async function rebuild(context: OrderContext, asked: Asked, serviceName: string): Promise<void> {
  const body = {
    imageId: await imageOf(context, serviceName, asked.os),
    publicSshKey: (await context.publicKey()).trim(),
    doNotSendPassword: true,
  };
  await context.journal.write({ event: "rebuilding", serviceName });
  const end = context.now() + busyMinutes * 60_000;
  for (;;) {
    try {
      const task = await context.ovh.post(`/vps/${serviceName}/rebuild`, { body, schema: Task });
      context.report("order.rebuild", { server: serviceName, os: asked.os });
      return await follow(context, serviceName, task.id);
    } catch (error) {
      if (!isBusy(error) || context.now() >= end) throw error;
      await context.sleep(10_000);
    }
  }
}

/** OVH did nothing, and says why. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof FleetError &&
    error.values.status === 400 &&
    /running tasks/i.test(String(error.values.cause))
  );
}

async function imageOf(context: OrderContext, serviceName: string, os: string): Promise<string> {
  const root = `/vps/${serviceName}/images/available`;
  const names: string[] = [];
  for (const id of await context.ovh.get(root, { schema: Names })) {
    const image = await context.ovh.get(`${root}/${id}`, { schema: Image });
    if (image.name === os) return image.id;
    names.push(image.name);
  }
  throw new FleetError("ORDER_REBUILD_FAILED", {
    server: serviceName,
    cause: `there is no image ${os}, only ${names.join(", ")}`,
  });
}

async function follow(context: OrderContext, serviceName: string, id: number): Promise<void> {
  const end = context.now() + rebuildMinutes * 60_000;
  for (;;) {
    const task = await taskOf(context, serviceName, id);
    const state = task?.state ?? "done";
    if (state === "error" || state === "cancelled")
      throw new FleetError("ORDER_REBUILD_FAILED", {
        server: serviceName,
        cause: `its task ${id} is ${state}`,
      });
    const { state: machine } = await context.ovh.get(`/vps/${serviceName}`, { schema: Vps });
    if (state === "done" && machine === "running") return;
    if (context.now() >= end)
      throw new FleetError("ORDER_REBUILD_FAILED", {
        server: serviceName,
        cause: `its task ${id} is ${state}, the VPS ${machine}, after ${rebuildMinutes} min`,
      });
    await context.sleep(5000);
  }
}

/** One look at whether the fleet's key opens a server. @throws FleetError of the connection */
type Look = () => Promise<{ readonly hostKey: string; readonly fingerprint: string }>;

/** Connections without a log-in count against this address, so the host key is asked for once, and again where it changed. */
function looker(context: OrderContext, asked: Asked, reach: string): Look {
  let shown: Awaited<ReturnType<Look>> | undefined;
  return async () => {
    shown ??= await context.scanHostKey(reach, asked.ssh.port);
    try {
      const { hostKey } = shown;
      await context.logIn({ client: asked.client.name, host: reach, ...asked.ssh, hostKey });
      return shown;
    } catch (error) {
      if (error instanceof FleetError && error.code === "HOST_KEY_CHANGED") shown = undefined;
      throw error;
    }
  };
}

/**
 * Milliseconds until the next look. Debian 13's sshd holds 5 s against an address for a refused log-in and 1 s for a
 * connection without one, and shuts it out above 15 s. Source: sshd_config(5), PerSourcePenalties.
 */
function pauseAfter(refusal: unknown, round: number): number {
  const isOut = refusal instanceof FleetError && isShutOut(String(refusal.values.cause));
  return isOut ? 60_000 : Math.min(5000 * (round + 1), 30_000);
}

/** The key that it shows right after it was set up, if the fleet's key opens what shows it. */
async function learnHostKey(
  context: OrderContext,
  look: Look,
  serviceName: string,
  reach: string,
): Promise<ReachedServer> {
  const end = context.now() + sshMinutes * 60_000;
  for (let round = 0; ; round += 1) {
    try {
      const { hostKey, fingerprint } = await look();
      context.report("order.hostKey", { reach, fingerprint });
      return { reach, hostKey, fingerprint };
    } catch (error) {
      if (context.now() >= end)
        throw new FleetError("ORDER_UNREACHED", {
          server: serviceName,
          reach,
          cause: (error as Error).message,
        });
      await context.sleep(pauseAfter(error, round));
    }
  }
}
