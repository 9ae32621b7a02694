/** The steps of a client against a world in memory. Not proven here: ssh, rsync, Docker and servers (see test/peers, test/lab). */
import { describe, expect, test } from "vitest";
import { FleetError } from "../core/errors.ts";
import type { HttpAnswer } from "../core/health.ts";
import type { Release } from "../core/release/release.ts";
import { fakeContext } from "../test/helpers/fake-context.ts";
import { activateRelease } from "./activate-release.ts";
import { deliverRelease } from "./deliver-release.ts";
import { issueCertificate } from "./issue-certificate.ts";
import { prepareServer } from "./prepare-server.ts";
import { readStatus } from "../verbs/read-status.ts";

const target = { client: "ville", host: "10.0.0.1", port: 22, sshUser: "ubuntu", hostKey: "ssh-ed25519 A" };
const image = (name: string) => ({
  image: `geoclic/${name}:aaaaaaaaaaaa`,
  origin: "built",
  stateful: false,
  ingress: false,
  drainSeconds: 30,
});
const release = {
  id: "bbbbbbbbbbbb",
  services: { api: image("api"), admin: image("admin") },
  adapter: { health: { path: "/api/health", field: "status", equals: "healthy" }, routes: ["/"] },
} as unknown as Release;

const cut = () => new FleetError("SSH_UNREACHABLE", { host: "h", port: 22, cause: "cut" });
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: FleetError) => `${error.code} ${error.place.client} ${error.place.step}`,
  );

describe("server", () => {
  const facts = (scripts: string, id = "debian", free = 9000, whole = "FACT_WHOLE=yes\n") =>
    `ID=${id}\nVERSION_ID="13"\nFACT_MACHINE=x86_64\nFACT_FREE=${free}\nFACT_SCRIPTS=${scripts}\n${whole}`;
  const input = { ...target, scripts: "cccccccccccc" };

  test("brings the scripts where others are", async () => {
    const context = fakeContext({
      answer: (line) => (line.includes("os-release") ? facts("dddddddddddd") : ""),
    });
    await prepareServer(context, input);
    expect(context.sent).toHaveLength(2);
    expect(context.sent[1]).toContain("/opt/geoclic/server.d/cccccccccccc");
  });

  test("sends nothing where they are there, but restricts the fleet's keys", async () => {
    const context = fakeContext({ answer: () => facts("cccccccccccc"), keys: ["ssh-ed25519 AAAA"] });
    await prepareServer(context, input);
    expect(context.sent.map((line) => line.split(" ")[0])).toEqual(["sh", "sh"]);
    expect(context.sent[1]).toMatch(/ \.ssh\/authorized_keys$/);
  });

  test("brings them anew where their name is there and their content is not", async () => {
    const context = fakeContext({ answer: () => facts("cccccccccccc", "debian", 9000, "") });
    await prepareServer(context, input);
    expect(context.sent.at(-1)).toContain("/opt/geoclic/server.d/cccccccccccc");
  });

  test("brings them anew while drift is put right", async () => {
    const context = fakeContext({ answer: () => facts("cccccccccccc"), isRepair: true });
    await prepareServer(context, input);
    expect(context.sent.at(-1)).toContain("/opt/geoclic/server.d/cccccccccccc");
  });

  test.each([
    ["another system", facts("", "alpine"), "OS_UNSUPPORTED ville server"],
    ["no room", facts("", "debian", 100), "DISK_FULL ville server"],
  ])("fails on %s and sends nothing", async (_, answer, expected) => {
    const context = fakeContext({ answer: () => answer });
    expect(await outcome(prepareServer(context, input))).toBe(expected);
    expect(context.sent).toHaveLength(1);
  });
});

describe("delivery", () => {
  const input = { ...target, release: release.id, build: "operator" as const };
  const keep = "sudo -n touch --no-create /opt/geoclic/releases/bbbbbbbbbbbb";
  const list = "sudo -n docker image ls --format '{{.Repository}}:{{.Tag}}'";

  test("sends tree and images, and closes the way to the registry", async () => {
    const context = fakeContext({
      release,
      answer: (line) => (line.startsWith("ls") ? "aaaaaaaaaaaa\nrubbish\n" : ""),
    });
    await deliverRelease(context, input);
    expect(context.sent).toEqual([
      keep,
      "ls -1 /opt/geoclic/releases",
      "rsync bbbbbbbbbbbb linked to aaaaaaaaaaaa",
      "sudo -n sh -c 'set -e; sync -f /opt/geoclic/releases/bbbbbbbbbbbb.partial; mv -T /opt/geoclic/releases/bbbbbbbbbbbb.partial /opt/geoclic/releases/bbbbbbbbbbbb; sync -f /opt/geoclic/releases'",
      list,
      "forward 5000",
      "sudo -n docker pull --quiet 127.0.0.1:40000/geoclic/api@sha256:api",
      "sudo -n docker pull --quiet 127.0.0.1:40000/geoclic/admin@sha256:admin",
      "sudo -n docker tag 127.0.0.1:40000/geoclic/api@sha256:api geoclic/api:aaaaaaaaaaaa",
      "sudo -n docker tag 127.0.0.1:40000/geoclic/admin@sha256:admin geoclic/admin:aaaaaaaaaaaa",
      "sudo -n docker image rm --no-prune 127.0.0.1:40000/geoclic/api@sha256:api",
      "sudo -n docker image rm --no-prune 127.0.0.1:40000/geoclic/admin@sha256:admin",
      "forward closed",
      "endpoint closed",
    ]);
  });

  test("sends nothing when all is there", async () => {
    const context = fakeContext({
      release,
      answer: (line) =>
        line === list ? "geoclic/api:aaaaaaaaaaaa\ngeoclic/admin:aaaaaaaaaaaa\n" : "bbbbbbbbbbbb\n",
    });
    await deliverRelease(context, input);
    expect(context.sent).toEqual([keep, "ls -1 /opt/geoclic/releases", list]);
    expect(context.built).toEqual([]);
  });

  test("sends the tree anew while drift is put right, and puts it in the place of the one that is there", async () => {
    const context = fakeContext({
      release,
      isRepair: true,
      answer: (line) =>
        line === list
          ? "geoclic/api:aaaaaaaaaaaa\ngeoclic/admin:aaaaaaaaaaaa\n"
          : "bbbbbbbbbbbb\naaaaaaaaaaaa\n",
    });
    await deliverRelease(context, input);
    const folder = "/opt/geoclic/releases/bbbbbbbbbbbb";
    expect(context.sent).toEqual([
      keep,
      "ls -1 /opt/geoclic/releases",
      "rsync bbbbbbbbbbbb linked to bbbbbbbbbbbb",
      `sudo -n sh -c 'set -e; sync -f ${folder}.partial; rm -rf ${folder}.changed; mv -T ${folder} ${folder}.changed; mv -T ${folder}.partial ${folder}; sync -f /opt/geoclic/releases; rm -rf ${folder}.changed'`,
      list,
    ]);
  });

  test("goes on after a cut, for what is still missing", async () => {
    const context = fakeContext({
      release,
      answer: (line, time) => {
        if (line === list) return time === 1 ? "" : "geoclic/api:aaaaaaaaaaaa\n";
        return line.includes("pull --quiet") && line.includes("admin") && time === 1 ? cut() : "";
      },
    });
    await deliverRelease(context, input);
    expect(context.sent.filter((line) => line.includes("pull") && line.includes("api"))).toHaveLength(1);
    expect(context.sent.filter((line) => line.includes("pull") && line.includes("admin"))).toHaveLength(2);
    expect(context.sent.filter((line) => line === "endpoint closed")).toHaveLength(2);
  });

  test("fails after three cuts, and leaves nothing open", async () => {
    const context = fakeContext({ release, answer: (line) => (line.startsWith("forward") ? cut() : "") });
    expect(await outcome(deliverRelease(context, input))).toContain("SSH_UNREACHABLE");
    expect(context.sent.filter((line) => line === "endpoint closed")).toHaveLength(3);
  });

  test("fails on a release that the store lacks, before the server is touched", async () => {
    const context = fakeContext();
    expect(await outcome(deliverRelease(context, input))).toBe("RELEASE_UNKNOWN ville delivery");
    expect(context.sent).toEqual([]);
  });

  test("lets the server build where the fleet is configured so", async () => {
    const context = fakeContext({ release, answer: () => "bbbbbbbbbbbb\n" });
    await deliverRelease(context, { ...input, build: "client" });
    expect(context.sent.at(-1)).toBe(
      "sudo -n /opt/geoclic/server/build --client ville --release bbbbbbbbbbbb",
    );
    expect(context.built).toEqual([]);
  });
});

describe("certificate", () => {
  const input = {
    ...target,
    domain: "ville.fr",
    ip: "10.0.0.1",
    email: "a@ville.fr",
    acmeServer: "https://acme/dir",
    dnsServers: [],
  };
  const server =
    (valid: boolean, issue: string | Error = "") =>
    (line: string) => {
      if (line.includes("certificate status")) return JSON.stringify({ valid });
      if (line.includes("certificate prepare"))
        return JSON.stringify({ token: "t", path: "/.well-known/acme-challenge/x" });
      return issue;
    };
  const token = () => ({ status: 200, body: "t\n" });
  const issued = (sent: readonly string[]) => sent.filter((line) => line.includes("certificate issue"));

  test("checks, asks and notes it", async () => {
    const context = fakeContext({ answer: server(false), get: token });
    await issueCertificate(context, input);
    expect(context.sent.map((line) => line.split(" ")[3])).toEqual(["status", "prepare", "issue"]);
    expect(context.ledger).toMatchObject([{ domain: "ville.fr", outcome: "issued" }]);
  });

  test("spends nothing when there is one", async () => {
    const context = fakeContext({ answer: server(true), a: [] });
    await issueCertificate(context, input);
    expect(context.ledger).toEqual([]);
  });

  const failures = Array.from({ length: 4 }, () => ({
    domain: "ville.fr",
    server: "https://acme/dir",
    time: Date.UTC(2026, 10, 23) - 1000,
    outcome: "failed" as const,
  }));
  test.each([
    ["DNS is elsewhere", { a: ["10.0.0.9"], get: token }, "DNS_ELSEWHERE"],
    ["DNS is missing", { a: [], get: token }, "DNS_MISSING"],
    ["port 80 is closed", { get: () => new Error("ECONNREFUSED") }, "PORT80_CLOSED"],
    ["somebody else is on port 80", { get: () => ({ status: 200, body: "hello" }) }, "PORT80_CLOSED"],
    ["the budget is spent", { get: token, ledger: failures }, "ACME_BUDGET"],
  ])("asks nothing when %s", async (_, options, code) => {
    const context = fakeContext({ answer: server(false), ...options });
    expect(await outcome(issueCertificate(context, input))).toBe(`${code} ville certificate`);
    expect(issued(context.sent)).toEqual([]);
  });

  const at = (answers: Readonly<Record<string, HttpAnswer>>) => ({
    get: ({ host }: { host: string }) => answers[host] ?? new Error("connect ENETUNREACH"),
  });
  test.each([
    ["an IPv6 address that answers as the server", ["2001:db8::1"], { "2001:db8::1": token() }, undefined],
    [
      "one where somebody else answers",
      ["2001:db8::1"],
      { "2001:db8::1": { status: 200, body: "hello" } },
      "DNS_ELSEWHERE",
    ],
    ["one that cannot be reached", ["2001:db8::1"], {}, "DNS_ELSEWHERE"],
    [
      "two, and one is another's",
      ["2001:db8::1", "2001:db8::2"],
      { "2001:db8::1": token() },
      "DNS_ELSEWHERE",
    ],
    ["the declared one, which need not be reached from here", ["2001:db8::9"], {}, undefined],
  ] as const)("%s", async (_, aaaa, answers, code) => {
    const context = fakeContext({
      answer: server(false),
      aaaa,
      ...at({ [target.host]: token(), ...answers }),
    });
    const issuing = issueCertificate(context, { ...input, ipv6: "2001:db8::9" });
    if (code) expect(await outcome(issuing)).toBe(`${code} ville certificate`);
    else await issuing;
    expect(issued(context.sent)).toHaveLength(code ? 0 : 1);
  });

  test("notes a failure too", async () => {
    const context = fakeContext({ answer: server(false, new FleetError("ACME_FAILED")), get: token });
    expect(await outcome(issueCertificate(context, input))).toBe("ACME_FAILED ville certificate");
    expect(context.ledger).toMatchObject([{ outcome: "failed" }]);
  });
});

describe("activation", () => {
  const input = { ...target, domain: "ville.fr", release: release.id };
  const town =
    (shown: string, status = "healthy") =>
    ({ path }: { path: string }) => ({
      status: 200,
      body: path === "/api/health" ? JSON.stringify({ status }) : JSON.stringify({ release: shown }),
    });

  test("starts, follows and proves", async () => {
    const context = fakeContext({ release, get: town(release.id) });
    await activateRelease(context, input);
    expect(context.sent.map((line) => line.split(" ")[3])).toEqual(["start", "follow"]);
    expect(context.reported.at(-1)).toBe("https://ville.fr is healthy and runs bbbbbbbbbbbb");
  });

  test("follows again when the line is cut", async () => {
    const context = fakeContext({
      release,
      get: town(release.id),
      answer: (line, time) => (line.includes("follow") && time < 3 ? cut() : ""),
    });
    await activateRelease(context, input);
    expect(context.sent.filter((line) => line.includes("follow"))).toHaveLength(3);
    expect(context.sent.filter((line) => line.includes("start"))).toHaveLength(1);
  });

  test.each([
    ["a degraded town", town(release.id, "degraded"), "HEALTH_FAILED"],
    ["another release", town("cccccccccccc"), "RELEASE_NOT_RUNNING"],
    ["no TLS", () => new Error("self-signed certificate"), "HEALTH_FAILED"],
  ])("fails on %s", async (_, get, code) => {
    const context = fakeContext({ release, get });
    expect(await outcome(activateRelease(context, input))).toBe(`${code} ville activation`);
  });
});

test("status: a dead server hides nobody", async () => {
  const client = (name: string) => ({
    target: { client: name, host: name, port: 22, user: "u", hostKey: "k" },
    domain: `${name}.fr`,
    ip: "10.0.0.1",
    release,
  });
  const context = fakeContext({
    answer: (line) => (line.includes("dead") ? cut() : JSON.stringify({ release: release.id })),
    get: ({ host, path }) => {
      if (host === "dead") return new Error("no answer within 8 s");
      return {
        status: 200,
        body: path === "/api/health" ? '{"status":"healthy"}' : `{"release":"${release.id}"}`,
      };
    },
  });
  const rows = await readStatus(context, [client("dead"), client("alive")]);
  expect(rows.map(({ name, health }) => [name, health])).toEqual([
    ["dead", "unreachable"],
    ["alive", "healthy"],
  ]);
  expect(rows[0]).toMatchObject({
    cause: "no answer within 8 s",
    sshError: expect.stringContaining("SSH_UNREACHABLE"),
  });
  expect(rows[1]).toMatchObject({ release: release.id, facts: { release: release.id } });
});
