/** Proves that the base step's pins are replaced on a server of the lab; not that the origins answer. */
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { ASSETS } from "./layout.ts";

test("the pins of the base step are the lab's where Python has the lab's hook, and nowhere else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-pins-"));
  try {
    await copyFile(join(ASSETS, "origins/lab_pins.py"), join(folder, "lab_pins.py"));
    await writeFile(join(folder, "lab_pins.json"), '{"dockerKey": "KEY", "resticSha256": "SUM"}');
    const server = join(import.meta.dirname, "../assets/server");
    const shown = async (hook: string) => {
      const script = `${hook}; from geoclic_server import base; print(base._DOCKER_KEY, base._RESTIC_SHA256)`;
      const env = { PYTHONPATH: `${folder}:${server}` };
      return (await execa("python3", ["-B", "-c", script], { env })).stdout;
    };
    expect(await shown("import lab_pins")).toBe("KEY SUM");
    expect(await shown("pass")).toMatch(/^[0-9A-F]{40} [0-9a-f]{64}$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
