/**
 * @module What the program relies on in plugin tls: private keys in every form, judged by OpenSSH and OpenSSL. Does not
 * prove that the keys are unpredictable, nor anything of certificates.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tls from "@pulumi/tls";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, isSecret } from "./engine.ts";

const kinds = {
  ed25519: { inputs: { algorithm: "ED25519" }, type: "ed25519" },
  rsa: { inputs: { algorithm: "RSA", rsaBits: 2048 }, type: "rsa" },
  ecdsa: { inputs: { algorithm: "ECDSA", ecdsaCurve: "P256" }, type: "ec" },
} as const;
type Kind = keyof typeof kinds;
const names = Object.keys(kinds) as Kind[];

let engine: Engine;
let made: Record<Kind, Record<string, string>>;

function program(): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, forms(new tls.PrivateKey(name, kinds[name].inputs))]));
}

function forms(key: tls.PrivateKey): Record<string, unknown> {
  return {
    openssh: key.privateKeyOpenssh,
    pem: key.privateKeyPem,
    pkcs8: key.privateKeyPemPkcs8,
    publicOpenssh: key.publicKeyOpenssh,
    publicPem: key.publicKeyPem,
    md5: key.publicKeyFingerprintMd5,
    sha256: key.publicKeyFingerprintSha256,
  };
}

async function read(): Promise<typeof made> {
  const values = await Promise.all(names.map(async (name) => [name, (await engine.output(name)).value]));
  return Object.fromEntries(values) as typeof made;
}

beforeAll(async () => {
  engine = await Engine.start();
  await engine.up(program);
  made = await read();
});
afterAll(async () => {
  await engine?.end();
});

const bits = { ed25519: "256", rsa: "2048", ecdsa: "256" } as const;

test.each(names)("%s: OpenSSH reads the private key and finds the same public one", async (name) => {
  const key = made[name];
  const path = join(engine.folder, name);
  await writeFile(path, key.openssh ?? "", { mode: 0o600 });
  const { stdout } = await execa("ssh-keygen", ["-y", "-f", path]);
  expect(key.publicOpenssh).toBe(`${stdout.trim()}\n`);
  await writeFile(`${path}.pub`, key.publicOpenssh ?? "");
  const sha256 = await execa("ssh-keygen", ["-l", "-f", `${path}.pub`]);
  expect(sha256.stdout.split(" ").slice(0, 2)).toEqual([bits[name], key.sha256]);
  const md5 = await execa("ssh-keygen", ["-l", "-E", "md5", "-f", `${path}.pub`]);
  expect(md5.stdout.split(" ")[1]).toBe(`MD5:${key.md5}`);
});

test.each(names)("%s: both PEM forms are the same key, whose public half is publicKeyPem", (name) => {
  const { pkcs8 = "", pem = "", publicPem = "" } = made[name];
  expect(pkcs8).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  const key = createPrivateKey(pkcs8);
  expect(key.asymmetricKeyType).toBe(kinds[name].type);
  expect(createPrivateKey(pem).equals(key)).toBe(true);
  expect(createPublicKey(key).export({ type: "spki", format: "pem" })).toBe(publicPem);
});

test("private forms are secret in the state, public ones are not", async () => {
  for (const name of names) {
    const { outputs } = await engine.resource(name);
    const secret = Object.keys(outputs).filter((key) => isSecret(outputs[key]));
    expect(secret.sort()).toEqual(["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
    expect(outputs.publicKeyOpenssh).toBe(made[name].publicOpenssh);
  }
  expect(await engine.kept()).not.toContain("PRIVATE KEY");
});

test("keys stay, and another algorithm makes another key", async () => {
  expect((await engine.up(program)).changes).toEqual({ same: 4 });
  expect(await engine.refresh()).toEqual({ same: 4 });
  expect(await read()).toEqual(made);
  const changed = () => ({ ...program(), other: 1 });
  expect((await engine.up(changed)).changes).toEqual({ same: 4 });
  const other = () => {
    new tls.PrivateKey("ed25519", { algorithm: "ECDSA", ecdsaCurve: "P256" });
    return {};
  };
  expect((await engine.up(other)).changes).toEqual({ same: 1, replace: 1, delete: 2 });
});
