/** The master stack: one key, kept. Not proven by mocks: that the plugin makes the private half secret by itself. */
import { beforeAll, expect, test } from "vitest";
import { type Declared, known, recordResources, watchOptions } from "../test/helpers/pulumi-mocks.ts";
import type { MasterOutputs } from "./master.ts";

let declared: Declared[];
let outputs: MasterOutputs;
const { watch, options } = watchOptions();

beforeAll(async () => {
  const recorded = await recordResources();
  const { masterStack } = await import("./master.ts");
  const { FleetKey } = await import("../components/fleet-key.ts");
  outputs = masterStack({ role: "master", protect: true, keys: [1] });
  new FleetKey("open", { protect: false }, { transformations: [watch] });
  new FleetKey("kept", { protect: true }, { transformations: [watch] });
  await recorded.settle();
  declared = recorded.declared.filter(({ name }) => name.startsWith("fleet-key"));
});

test("is exactly these resources", () => {
  expect(declared).toEqual([
    { type: "geoclic:fleet:FleetKey", name: "fleet-key", inputs: expect.anything() },
    { type: "tls:index/privateKey:PrivateKey", name: "fleet-key-ssh", inputs: { algorithm: "ED25519" } },
  ]);
});

test("shows the public key as one line of authorized_keys, and no output holds a secret", async () => {
  expect(await known(outputs.publicKey)).toEqual({
    value: "ssh-ed25519 PUBLIC geoclic-fleet",
    secret: false,
  });
  expect(Object.keys(outputs)).toEqual(["publicKey", "keys"]);
  const { output } = await import("@pulumi/pulumi");
  const whole = await known(output(outputs));
  expect(whole.secret).toBe(false);
  expect(JSON.stringify(whole.value)).not.toContain("PRIVATE");
});

test.each([
  ["kept", true],
  ["open", false],
])("the key of %s is protected: %s", (name, expected) => {
  expect(options.get(`${name}-ssh`)?.protect).toBe(expected);
});
