/** @module Pulumi's engine on a stack, by the Automation API: previews and ups, told by client and step. */

import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  LocalWorkspace,
  type OpMap,
  PulumiCommand,
  type Stack,
  type UpResult,
} from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { z } from "zod";
import { lastLine } from "../core/commands/ssh.ts";
import { isWork, nameOf, watchEvents } from "../core/engine/events.ts";
import type { Engine, EngineRun, ResourceChange, ResourceFailure, UpOptions } from "../core/engine/port.ts";
import { FleetError } from "../core/errors.ts";
import { type Language, languageIn, languageVariable } from "../core/messages/catalogue.ts";
import { type LocalStep, repairedSteps } from "../core/step/table.ts";
import { cancelVariable, repairVariable, stepVariable } from "../core/step/variables.ts";
import { passphraseError } from "./passphrase.ts";
import { clearInterrupted } from "./stack-lock.ts";

export interface EngineOptions {
  readonly stack: string;
  /** Folder of Pulumi.yaml and the stack files. */
  readonly project: string;
  /** Of the causes. @default the environment's */
  readonly language?: Language;
}

export interface Run extends EngineRun {
  /** Resources by operation, e.g. `{same: 12, create: 3}`. */
  readonly counts: Partial<Record<keyof OpMap | string, number>>;
  /** Seconds by resource that was worked on, in the order of their end. */
  readonly seconds: ReadonlyMap<string, number>;
  /** Secrets in clear: never print the whole. Empty when something failed. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

const idleMinutes = 15;

const activation: LocalStep = "activation";

/** Where our own way to start the engine lies. */
const command = resolve(import.meta.dirname, "../assets/engine");

/**
 * Rules that every preview is held to, and so every change by our verbs: each previews before it runs `up`. A violation ends the
 * verb before anything is touched.
 */
const policyPacks = [resolve(import.meta.dirname, "../policy")];

export function openEngine({
  stack,
  project,
  language = languageIn(process.env),
}: EngineOptions): Omit<Engine, "up"> & { up(options: UpOptions): Promise<Run> } {
  return { preview, up, redo, idle, activated };

  async function preview(): Promise<readonly ResourceChange[]> {
    const watch = watchEvents(language, {}, Date.now);
    const workspace = await select();
    try {
      await workspace.preview({
        ...{ policyPacks, color: "never", suppressProgress: true },
        onEvent: watch.onEvent,
      });
    } catch (error) {
      throw failed("preview", watch.failures(), error as Error);
    }
    return watch.changes();
  }

  async function up(options: UpOptions): Promise<Run> {
    const watch = watchEvents(language, options, Date.now);
    await clearInterrupted({ stack, project, onProgress: (line) => options.onLine?.(line) });
    const { cancelFile, isRepair } = options;
    const workspace = await select({
      [languageVariable]: language,
      ...(cancelFile === undefined ? {} : { [cancelVariable]: cancelFile }),
      ...(isRepair ? { [repairVariable]: "1" } : {}),
    });
    let result: UpResult | undefined;
    try {
      result = await workspace.up({
        color: "never",
        continueOnError: true,
        suppressProgress: true,
        onEvent: watch.onEvent,
        ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
      });
    } catch (error) {
      const failures = watch.failures();
      // Without a client of its own it is the program or the engine that failed.
      if (!failures.some(({ client }) => client !== undefined)) throw failed("up", failures, error as Error);
    }
    const outputs = Object.entries(result?.outputs ?? {}).map(([name, { value }]) => [name, value]);
    return {
      changes: watch.changes(),
      done: watch.done(),
      failures: watch.failures(),
      counts: withoutReads({ ...result?.summary.resourceChanges }),
      seconds: watch.seconds,
      outputs: Object.fromEntries(outputs),
    };
  }

  /** They have no `delete`: made again means run again. */
  async function redo(clients: readonly string[]): Promise<void> {
    const { deployment } = Exported.parse(JSON.parse(await pulumi("stack", "export")));
    const urns = (deployment?.resources ?? []).flatMap(({ urn }) => {
      const isOwn = clients.some((client) =>
        repairedSteps.some((step) => nameOf(urn) === `${client}-${step}`),
      );
      return isOwn && isWork(urn) ? [urn] : [];
    });
    if (urns.length > 0) await pulumi("state", "taint", ...urns, "--yes");
  }

  async function pulumi(...words: string[]): Promise<string> {
    const ended = await execa("pulumi", [...words, "--stack", stack, "--non-interactive"], {
      cwd: project,
      reject: false,
      stdin: "ignore",
    });
    if (ended.exitCode === 0) return ended.stdout;
    const verb = words.slice(0, 2).join(" ");
    const cause = lastLine(ended.stderr);
    throw passphraseError(ended.stderr, stack) ?? new FleetError("ENGINE_FAILED", { verb, stack, cause });
  }

  async function activated(): Promise<ReadonlyMap<string, string>> {
    const { deployment } = Exported.parse(JSON.parse(await pulumi("stack", "export")));
    const [variable, client] = [stepVariable("release"), stepVariable("client")];
    return new Map(
      (deployment?.resources ?? []).flatMap(({ urn, inputs }) => {
        const environment = inputs?.environment;
        const isActivation = urn.endsWith(`-${activation}`) && environment?.[client] !== undefined;
        return isActivation ? [[environment[client] ?? "", environment[variable] ?? ""] as const] : [];
      }),
    );
  }

  async function idle(onWait: (holder: string) => void): Promise<void> {
    const end = Date.now() + idleMinutes * 60_000;
    let shown = "";
    for (;;) {
      try {
        return await clearInterrupted({ stack, project, onProgress: onWait });
      } catch (error) {
        const isHeld = error instanceof FleetError && error.code === "STACK_LOCKED";
        if (!isHeld || Date.now() > end) throw error;
        const holder = String(error.values.holder);
        if (holder !== shown) onWait(holder);
        shown = holder;
        await setTimeout(1000);
      }
    }
  }

  async function selected(): Promise<string | undefined> {
    const words = ["stack", "--show-name", "--non-interactive"];
    const ended = await execa("pulumi", words, { cwd: project, reject: false, stdin: "ignore" });
    return ended.exitCode === 0 ? ended.stdout.trim() : undefined;
  }

  async function select(envVars: Record<string, string> = {}): Promise<Stack> {
    const pulumiCommand = await PulumiCommand.get({ root: command });
    const own = await selected();
    const taken = await LocalWorkspace.createOrSelectStack(
      { stackName: stack, workDir: project },
      { pulumiCommand, envVars },
    );
    // Which stack is selected is the operator's choice: a command without --stack means that one.
    if (own !== undefined && own !== stack) await taken.workspace.selectStack(own);
    return taken;
  }

  function failed(verb: string, failures: readonly ResourceFailure[], error: Error): FleetError {
    const cause = failures.map(({ message }) => message).join("\n") || lastLine(error.message);
    const wrong = failures.length === 0 ? passphraseError(error.message, stack) : undefined;
    return wrong ?? new FleetError("ENGINE_FAILED", { verb, stack, cause });
  }
}

const Exported = z.object({
  deployment: z
    .object({
      resources: z
        .array(
          z.object({
            urn: z.string(),
            inputs: z
              .object({ environment: z.record(z.string(), z.string()).optional().catch(undefined) })
              .optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** A stack that is referred to is read each time. */
function withoutReads({ read: _, ...changes }: Partial<OpMap>): Partial<OpMap> {
  return changes;
}
