/** What the engine's events tell, from events as a run sends them. Not proven: that Pulumi sends these (see test/peers). */
import { expect, test } from "vitest";
import { type EngineEvent, watchEvents } from "./events.ts";

const component = "urn:pulumi:prod::geoclic-fleet::geoclic:fleet:ClientServer::ville-a";
const urnOf = (step: string, type = "command:local:Command") =>
  `urn:pulumi:prod::geoclic-fleet::geoclic:fleet:ClientServer$${type}::ville-a-${step}`;
const metadata = (urn: string, op = "update") => ({ urn, op, new: { parent: component } });
const begin = (step: string, op?: string): EngineEvent => ({
  resourcePreEvent: { metadata: metadata(urnOf(step), op) },
});
const end = (step: string): EngineEvent => ({ resOutputsEvent: { metadata: metadata(urnOf(step)) } });
const failed = (step: string): EngineEvent => ({ resOpFailedEvent: { metadata: metadata(urnOf(step)) } });
const error = (step: string | undefined, message: string): EngineEvent => ({
  diagnosticEvent: { ...(step === undefined ? {} : { urn: urnOf(step) }), severity: "error", message },
});

function read(events: readonly EngineEvent[], language: "fr" | "en" = "en") {
  const told: string[] = [];
  let now = 0;
  const watch = watchEvents(
    language,
    {
      onStep: (client, step) => told.push(`${client} ${step}`),
      onStepEnd: (client, step, ok) => told.push(`${client} ${step} ${ok}`),
      onLine: (line, client) => told.push(`${client ?? "-"} | ${line}`),
    },
    () => {
      now += 1000;
      return now;
    },
  );
  for (const event of events) watch.onEvent(event);
  return { ...watch, told };
}

test("steps are told by client as they begin and end, with their seconds", () => {
  const { told, changes, done, seconds } = read([
    begin("delivery"),
    end("delivery"),
    begin("activation"),
    failed("activation"),
  ]);
  expect(told).toEqual([
    "ville-a delivery",
    "ville-a delivery true",
    "ville-a activation",
    "ville-a activation false",
  ]);
  expect(changes()).toHaveLength(2);
  expect(done()).toEqual([{ client: "ville-a", step: "delivery", operation: "update" }]);
  expect(seconds.get("ville-a-delivery")).toBe(1);
});

test.each(["same", "read", "refresh"])("%s is no work", (op) => {
  expect(read([begin("delivery", op)]).changes()).toEqual([]);
});

const server = (code: string) =>
  `Process exited with status 1: running "x":\nerror ${code} [ville-a] services: api is ill. Next: look.`;

test.each(["en", "fr"] as const)("a server's own code survives, in %s", (language) => {
  for (const code of ["UNHEALTHY", "CANCELLED", "DISK_FULL"])
    expect(read([begin("base"), error("base", server(code))], language).failures()).toEqual([
      expect.objectContaining({ client: "ville-a", step: "base", code }),
    ]);
});

test("a step on this machine tells its code in its last line", () => {
  const line = "ville-a · activation (services): l'API ne va pas (x) (UNHEALTHY). À faire : corrigez.";
  const { failures } = read(
    [begin("activation"), error("activation", `exit status 1: running "node":\nnoise\n${line}`)],
    "fr",
  );
  expect(failures()).toEqual([{ client: "ville-a", step: "activation", code: "UNHEALTHY", message: line }]);
});

test("the program's echo of a failed resource counts only where nothing else was said", () => {
  const echo = error(undefined, "Error: resource ville-a-base [command:remote:Command] failed to register");
  expect(read([begin("base"), error("base", server("BUSY")), echo]).failures()).toHaveLength(1);
  expect(read([echo]).failures()).toHaveLength(1);
});

test("warnings are lines of their client", () => {
  const event: EngineEvent = {
    diagnosticEvent: { urn: urnOf("base"), severity: "warning", message: "a\n\nb" },
  };
  expect(read([begin("base"), event]).told.slice(1)).toEqual(["ville-a | a", "ville-a | b"]);
});
