/** Proves the text of a client wrapper; not that the client runs. */
import { expect, test } from "vitest";
import { loaderScript } from "./engine.ts";

test("runs the tree's program with the tree's loader and libraries", () =>
  expect(loaderScript("/c/it's", "usr/bin/docker")).toBe(`#!/bin/sh
for loader in '/c/it'\\''s/usr/lib'/*-linux-gnu/ld-linux-*.so.*; do
  exec "$loader" --library-path '/c/it'\\''s/usr/lib/x86_64-linux-gnu:/c/it'\\''s/usr/lib/aarch64-linux-gnu' --argv0 "$0" '/c/it'\\''s/usr/bin/docker' "$@"
done
`));
