/** The end of a contract against the emulated OVH, by our signed client: mail, token, lost answers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openOvh } from "../../outside/ovh/client.ts";
import { FleetError } from "../../core/errors.ts";
import { type RetirementEvent, type RetirementLine, retirementOf } from "../../core/registry/retirement.ts";
import { labCredentials } from "../../lab/ovh/credentials.ts";
import { type Emulator, startEmulator } from "../../lab/ovh/emulator.ts";
import { noHooks } from "../../lab/ovh/world.ts";
import { endContract, terminationRights } from "../../verbs/retire/end-contract.ts";

const serviceName = "vps-0a1b2c3d.vps.ovh.net";
let emulator: Emulator;
let state: string;
let clock: number;
let ended: string[];
let lines: RetirementLine[];

beforeEach(async () => {
  clock = Date.now();
  ended = [];
  lines = [];
  state = await mkdtemp(join(tmpdir(), "geoclic-ovh-"));
  const hooks = { ...noHooks(), terminate: async (service: string) => void ended.push(service) };
  emulator = await startEmulator({ hooks, now: () => clock });
  emulator.addVps({
    serviceName,
    model: "vps-2025-model1",
    datacenter: "GRA",
    os: "Debian 13",
    ips: ["10.0.0.1"],
  });
  const target = { client: "ville", host: "10.0.0.1", port: 22, user: "ubuntu", hostKey: "k" };
  await write({ event: "started", stack: "prod", domain: "ville.fr", serviceName, target });
});
afterEach(async () => {
  await emulator.close();
  await rm(state, { recursive: true, force: true });
});

async function write(event: RetirementEvent): Promise<void> {
  lines.push({ time: new Date().toISOString(), ...event });
}

async function end(token?: string): Promise<void> {
  const env = {
    OVH_ENDPOINT: emulator.url,
    OVH_APPLICATION_KEY: labCredentials.applicationKey,
    OVH_APPLICATION_SECRET: labCredentials.applicationSecret,
    OVH_CONSUMER_KEY: labCredentials.consumerKey,
    GEOCLIC_OVH_BUDGET: "6000",
  };
  const wait = async (milliseconds: number) => {
    clock += milliseconds;
  };
  const ovh = await openOvh({ env, state, wait, patience: 5000 });
  await ovh.checkRights(terminationRights);
  const retirement = retirementOf(lines);
  if (!retirement) throw new Error("it was started");
  const journal = { folder: state, read: async () => lines, write };
  const context = { journal, confirmEnd: async () => true, now: () => clock, sleep: wait, tell: () => {} };
  await endContract(context, ovh, retirement, token);
}
const events = () => lines.map(({ event }) => event);

test("the token of the mail ends it, once", async () => {
  await end();
  expect(ended).toEqual([serviceName]);
  expect(events()).toEqual(["started", "terminationAsked", "terminated"]);
  await end();
  expect(ended).toEqual([serviceName]);
});

test.each([
  ["terminate", "dropAfterEffect"],
  ["confirmTermination", "dropAfterEffect"],
] as const)("a lost answer of %s does not end it twice, nor pass for an end that is none", async (route, kind) => {
  emulator.faults.add({ method: "POST", path: `/vps/*/${route}`, fault: { kind }, times: 1 });
  await end().catch((error: unknown) => {
    if (!(error instanceof FleetError)) throw error;
  });
  await end();
  expect(ended).toEqual([serviceName]);
  expect(events().at(-1)).toBe("terminated");
});

test("a token that is void is asked for anew after a cut", async () => {
  await write({ event: "terminationAsked", after: 0 });
  const body = `${serviceName} https://www.ovh.com/manager/#/billing/confirmTerminate?id=1&token=void`;
  emulator.state.mails.push({ id: 1, date: "", visibleFrom: 0, subject: "Demande de résiliation", body });
  await end();
  expect(ended).toEqual([serviceName]);
});

test("a wrong token that was typed is refused, with OVH's words", async () => {
  await expect(end("abc")).rejects.toMatchObject({ code: "OVH_REFUSED", values: { status: 400 } });
  expect(ended).toEqual([]);
});
