/** Pins put back and gathered while somebody else edits the file. Not proven: whole rollouts (see verbs/update/update.test.ts). */
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { editStackText } from "../registry/editor.ts";
import { gather, unpin } from "./pins.ts";

const [one, two] = ["1".repeat(12), "2".repeat(12)];
const file = (pins: Readonly<Record<string, string | undefined>>) =>
  stringify({
    config: {
      "geoclic-fleet:role": "fleet",
      "geoclic-fleet:suite": { path: "/s" },
      "geoclic-fleet:clients": Object.entries(pins).map(([name, release], index) => ({
        ...{
          name,
          domain: `${name}.geoclic.fr`,
          email: `a@${name}.fr`,
          town: name,
          ip: `10.0.0.${index + 1}`,
        },
        ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
        ...(release === undefined ? {} : { release }),
      })),
    },
  });
const read = (text: string) => editStackText(text, "f", () => {}).config;
const pinsOf = (text: string) =>
  Object.fromEntries(read(text).clients.map(({ name, release }) => [name, release]));

test("a client that left the file meanwhile keeps no other from its former pin", () => {
  const before = read(file({ a: one, b: undefined, c: one }));
  const now = file({ a: two, b: two });
  const { text } = editStackText(now, "f", (editor) => unpin(editor, before, ["a", "b", "c"]));
  expect(pinsOf(text)).toEqual({ a: one, b: undefined });
});

test("a client without a pin of its own that left meanwhile keeps no other from being gathered", () => {
  const declared = { ...read(file({ a: one, b: undefined })), release: one };
  const { text, config } = editStackText(file({ a: one }), "f", (editor) => gather(editor, declared));
  expect(pinsOf(text)).toEqual({ a: undefined });
  expect(config.clients).toHaveLength(1);
});
