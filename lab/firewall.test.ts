/** Proves which rules are taken back; not that the kernel takes them. */
import { expect, test } from "vitest";
import { withoutDocker } from "./firewall.ts";

const CURRENT = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [1:60]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A INPUT -s 192.0.2.1/32 -j DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -o geoclic-lab0 -j DOCKER
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
-A DOCKER -d 10.77.0.58/32 ! -i geoclic-lab0 -o geoclic-lab0 -p tcp -j ACCEPT
COMMIT`;

test("takes Docker's chains and policy away where there were none before", () =>
  expect(withoutDocker(CURRENT, "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT")).toBe(`*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [1:60]
-A INPUT -s 192.0.2.1/32 -j DROP
-A FORWARD -i docker0 -o docker0 -j ACCEPT
COMMIT`));

test("keeps the chains and the policy of an engine that was there before", () =>
  expect(withoutDocker(CURRENT, "*filter\n:FORWARD DROP [0:0]\n:DOCKER - [0:0]\nCOMMIT")).toBe(`*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [1:60]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A INPUT -s 192.0.2.1/32 -j DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT`));
