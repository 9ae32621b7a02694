/**
 * @module Lints the scripts that servers run, by ruff at the level of the oldest Python that a supported system has
 * (3.10, Ubuntu 22.04). Their types are pyright's matter: pyrightconfig.json.
 */
import { globSync, readFileSync } from "node:fs";
import { PositionEncoding, Workspace } from "@astral-sh/ruff-wasm-nodejs";

const workspace = new Workspace(
  {
    "target-version": "py310",
    lint: {
      // Defects, what is out of date, and every way to a shell.
      select: ["B", "E4", "E7", "E9", "F", "PLE", "S602", "S604", "S605", "SIM", "UP"],
      // Long conditions, loops that return and a `pass` are often the plainest words.
      ignore: ["B905", "SIM102", "SIM105", "SIM108", "SIM110", "SIM114", "SIM115"],
    },
  },
  PositionEncoding.Utf32,
);

let count = 0;
const files = globSync("assets/server/**/*.py");
for (const file of files)
  for (const { code, message, start_location } of workspace.check(readFileSync(file, "utf8"))) {
    console.error(`${file}:${start_location.row}:${start_location.column} ${code ?? "syntax"} ${message}`);
    count += 1;
  }
if (files.length === 0) throw new Error("no script was found");
console.log(`${files.length} scripts linted, ${count} findings`);
process.exitCode = count > 0 ? 1 : 0;
