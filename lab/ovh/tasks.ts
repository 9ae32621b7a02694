/** @module Tasks of a VPS: they take time, do something in the lab, and block each other. */
import { badRequest, type Call, unknownObject } from "./api.ts";
import type { Task, Vps, Work } from "./state.ts";
import type { World } from "./world.ts";

const types: Readonly<Record<Work["kind"], (work: Work) => Task["type"]>> = {
  none: () => "deliverVm",
  rebuild: () => "reinstallVm",
  netboot: () => "setNetboot",
  power: (work) => {
    const action = work.kind === "power" ? work.action : "reboot";
    return ({ reboot: "rebootVm", start: "startVm", stop: "stopVm" } as const)[action];
  },
};

/** @throws ApiError while a task runs, listed or not */
export function requireIdle(vps: Vps): void {
  if (vps.tasks.some(({ isFinished }) => !isFinished))
    throw badRequest("Action not available while there are running tasks on the VPS");
}

/** Begins a task. Its work goes on after the answer. */
export function beginTask(world: World, vps: Vps, work: Work, fault?: Call["fault"]): Task {
  const { clock } = world;
  const created = world.now();
  const usual = {
    none: clock.deliverTask,
    rebuild: clock.rebuild,
    power: clock.reboot,
    netboot: clock.reboot,
  };
  const extra = fault?.kind === "slowTask" ? fault.milliseconds : 0;
  const task: Task = {
    id: world.newId(),
    type: types[work.kind](work),
    created,
    begins: created + clock.begin,
    until: created + usual[work.kind] + extra,
    listedFrom: created + (work.kind === "none" ? clock.taskHidden : 0),
    work,
    result: fault?.kind === "taskFails" ? "failed" : work.kind === "none" ? "done" : "pending",
    isFinished: false,
  };
  vps.tasks.push(task);
  return task;
}

/** Does the work of tasks, and ends those whose time and work are over. */
export function advanceTasks(world: World, vps: Vps): void {
  for (const task of vps.tasks) {
    if (task.isFinished) continue;
    if (task.result === "pending") {
      world.jobs.start(jobOf(task), async () => {
        await perform(world, vps, task.work).then(
          () => {
            task.result = "done";
          },
          (error: unknown) => {
            world.report(`${task.type} of ${vps.serviceName}`, error);
            task.result = "failed";
          },
        );
      });
      continue;
    }
    if (world.now() < task.until) continue;
    task.isFinished = true;
    if (task.result === "done") apply(vps, task.work);
  }
}

/** A task whose work goes on in the lab. */
export function hasWork({ jobs }: World, vps: Vps): boolean {
  return vps.tasks.some((task) => jobs.isRunning(jobOf(task)));
}

function jobOf({ id }: Task): string {
  return `task ${id}`;
}

async function perform({ hooks }: World, { serviceName, ips }: Vps, work: Work): Promise<void> {
  const { kind } = work;
  if (kind === "rebuild")
    await hooks.rebuild({ serviceName, ips, os: work.os, publicSshKey: work.publicSshKey });
  if (kind === "power") await hooks.power(serviceName, work.action);
  if (kind === "netboot") await hooks.power(serviceName, "reboot");
}

function apply(vps: Vps, work: Work): void {
  if (work.kind === "rebuild") {
    vps.image = work.os;
    vps.state = "running";
  }
  if (work.kind === "power") vps.state = work.action === "stop" ? "stopped" : "running";
  if (work.kind === "netboot") {
    vps.netbootMode = work.mode;
    vps.state = work.mode === "rescue" ? "rescued" : "running";
  }
}

/** The state of a VPS as the API shows it, which a running task changes. */
export function shownState(vps: Vps): string {
  const task = vps.tasks.find(({ isFinished, type }) => !isFinished && type !== "deliverVm");
  if (task?.type === "reinstallVm") return "installing";
  if (task?.type === "stopVm") return "stopping";
  if (task?.type === "rebootVm" || task?.type === "setNetboot") return "rebooting";
  return vps.state;
}

/** A task that the list shows already. @throws ApiError */
export function taskOf(world: World, vps: Vps, id: string | undefined): Task {
  const task = vps.tasks.find((each) => String(each.id) === id);
  if (!task || !isListed(world, task)) throw unknownObject("id", id);
  return task;
}

function isListed({ now, rules }: World, { listedFrom, isFinished }: Task): boolean {
  return now() >= listedFrom && !(rules.forgetsTasks && isFinished);
}

export function listTasks(world: World, vps: Vps, query: URLSearchParams): number[] {
  return vps.tasks
    .filter(
      (task) =>
        isListed(world, task) &&
        (query.get("state") ?? stateOf(world, task)) === stateOf(world, task) &&
        (query.get("type") ?? task.type) === task.type,
    )
    .map(({ id }) => id);
}

export function shownTask(world: World, task: Task) {
  const state = stateOf(world, task);
  const progress = { todo: 0, doing: 50, done: 100, error: 50 }[state];
  return { id: task.id, type: task.type, state, progress, date: new Date(task.created).toISOString() };
}

function stateOf(world: World, task: Task): "todo" | "doing" | "done" | "error" {
  if (task.isFinished) return task.result === "failed" ? "error" : "done";
  return world.now() < task.begins ? "todo" : "doing";
}
