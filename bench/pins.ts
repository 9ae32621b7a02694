/** @module Every town of a stack file pinned, and the pins gathered again: one edit each, whatever the number of towns. */
import { stringify } from "yaml";
import { editStackText } from "../core/registry/editor.ts";
import { gather, pin } from "../core/rollout/pins.ts";

export interface PinFigures {
  readonly towns: number;
  readonly pinSeconds: number;
  readonly gatherSeconds: number;
}

const release = "aaaaaaaaaaaa";

export function benchPins(towns: number): PinFigures {
  const file = "Pulumi.prod.yaml";
  const text = stackText(towns);
  const { config } = editStackText(text, file, () => {});
  const targets = new Map(config.clients.map(({ name }) => [name, release]));
  const [pinned, pinSeconds] = timed(() =>
    editStackText(text, file, (editor) => pin(editor, config, targets, new Map())),
  );
  const [gathered, gatherSeconds] = timed(() =>
    editStackText(pinned.text, file, (editor) => gather(editor, pinned.config)),
  );
  const counts = [pinned, gathered].map(({ text: made }) => made.split(release).length - 1);
  if (counts[0] !== towns || counts[1] !== 1) throw new Error(`${counts} pins, expected ${towns} and 1`);
  return { towns, pinSeconds, gatherSeconds };
}

function timed<T>(work: () => T): [T, number] {
  const began = performance.now();
  return [work(), (performance.now() - began) / 1000];
}

function stackText(towns: number): string {
  const clients = Array.from({ length: towns }, (_, index) => ({
    name: `ville-${index}`,
    domain: `ville-${index}.geoclic.fr`,
    email: `admin@ville-${index}.fr`,
    town: `Mairie ${index}`,
    ip: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    ssh: { user: "ubuntu", hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}` },
  }));
  const values = { role: "fleet", suite: { path: "/suite" }, clients };
  const config = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [`geoclic-fleet:${key}`, value]),
  );
  return `# The fleet of the benchmark.\n${stringify({ config })}`;
}
