/** Proves how apt sources are read; not that the mirrors answer. */
import { expect, test } from "vitest";
import { aptSources, findMirrors } from "./mirrors.ts";

const MIRROR = "http://mirror.example.org";

test.each([
  [
    "deb822 format",
    [
      `Types: deb\nURIs: ${MIRROR}/debian/\nSuites: bookworm\n\nTypes: deb\nURIs: ${MIRROR}/debian-security\n`,
    ],
    { debian: `${MIRROR}/debian`, security: `${MIRROR}/debian-security` },
  ],
  [
    "one-line format with options",
    [
      `deb [signed-by=/k.gpg] ${MIRROR}/debian bookworm main\ndeb ${MIRROR}/debian-security bookworm-security main`,
    ],
    { debian: `${MIRROR}/debian`, security: `${MIRROR}/debian-security` },
  ],
  [
    "the public archives when only others are there",
    [`# deb ${MIRROR}/debian x main`, "deb https://example.org/node nodistro main"],
    { debian: "http://deb.debian.org/debian", security: "http://deb.debian.org/debian-security" },
  ],
])("finds the mirrors: %s", (_, sources, expected) => expect(findMirrors(sources)).toEqual(expected));

test("writes sources for a suite with its updates and security", () =>
  expect(aptSources("trixie", findMirrors([]))).toBe(`Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`));
