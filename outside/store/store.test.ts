/** The store in a file: what every store promises. Not proven: a power cut (fsync is the kernel's), network file systems. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeConforms } from "../../test/helpers/store/conformance.ts";

storeConforms(async () => {
  const state = await mkdtemp(join(tmpdir(), "geoclic-store-"));
  return { place: { state }, end: () => rm(state, { recursive: true, force: true }) };
});
