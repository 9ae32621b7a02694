/**
 * What each step sends, word by word, and how each failure ends it: code, place, nothing more sent, nothing left open.
 * Not proven here: ssh, rsync, Docker and servers (see test/peers, test/lab).
 */
import { describe, expect, test } from "vitest";
import { type ErrorCode, FleetError } from "../core/errors.ts";
import type { StepContext } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import { type FakeContext, type FakeOptions, fakeContext } from "../test/helpers/fake-context.ts";
import { activateRelease } from "./activate-release.ts";
import { deliverRelease } from "./deliver-release.ts";
import { issueCertificate } from "./issue-certificate.ts";
import { prepareServer } from "./prepare-server.ts";
import { readStatus } from "../verbs/read-status.ts";

const target = { client: "ville", host: "10.0.0.1", port: 22, sshUser: "ubuntu", hostKey: "ssh-ed25519 A" };
const service = (name: string) => ({ image: `geoclic/${name}:aaaaaaaaaaaa`, origin: "built" });
const release = {
  id: "bbbbbbbbbbbb",
  services: { api: service("api"), admin: service("admin") },
  adapter: { health: { path: "/api/health", field: "status", equals: "healthy" }, routes: ["/", "/admin/"] },
} as unknown as Release;

const prepare = { ...target, scripts: "cccccccccccc" };
const deliver = { ...target, release: release.id, build: "operator" as const };
const activate = { ...target, release: release.id, domain: "ville.fr" };
const certify = {
  ...target,
  domain: "ville.fr",
  ip: "10.0.0.1",
  email: "a@ville.fr",
  acmeServer: "https://acme/dir",
  dnsServers: ["1.1.1.1:53", "9.9.9.9:53"],
};

const steps: readonly [string, (context: StepContext) => Promise<void>][] = [
  ["server", (context) => prepareServer(context, prepare)],
  ["delivery", (context) => deliverRelease(context, deliver)],
  ["certificate", (context) => issueCertificate(context, certify)],
  ["activation", (context) => activateRelease(context, activate)],
];

/** As the adapter throws: with client and step. */
const thrown = (code: ErrorCode, step: string) => new FleetError(code, {}, { client: "ville", step });

async function failure(work: Promise<unknown>): Promise<FleetError> {
  const error = await work.then(
    () => new Error("it succeeded, expected a failure"),
    (cause: unknown) => cause,
  );
  if (error instanceof FleetError) return error;
  throw error;
}

describe.each(steps)("%s", (step, run) => {
  test.each([
    "HOST_KEY_CHANGED",
    "SSH_REFUSED",
    "SUDO_MISSING",
  ] as const)("fails on %s at its first word, and sends nothing more", async (code) => {
    const context = fakeContext({ release, answer: () => thrown(code, step) });
    expect(await failure(run(context))).toMatchObject({ code, place: { client: "ville", step } });
    expect(context.sent).toHaveLength(1);
    expect(context.built).toEqual([]);
    expect(context.ledger).toEqual([]);
  });

  test("fails without an agent, and names client and step", async () => {
    const context = fakeContext({ release });
    const openSsh = () => Promise.reject(new FleetError("AGENT_MISSING", {}, { client: "ville" }));
    expect(await failure(run({ ...context, openSsh }))).toMatchObject({
      code: "AGENT_MISSING",
      place: { client: "ville", step },
    });
    expect(context.sent).toEqual([]);
  });
});

describe("server", () => {
  const facts = 'ID=debian\nVERSION_ID="13"\nFACT_MACHINE=x86_64\nFACT_FREE=9000\nFACT_SCRIPTS=\n';

  test("asks, restricts, installs: in this order, and tells", async () => {
    const context = fakeContext({
      answer: (line) => (line.includes("os-release") ? facts : ""),
      keys: ["ssh-ed25519 KEY"],
    });
    await prepareServer(context, prepare);
    expect(context.sent.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      expect.stringMatching(/^sh -c 'LC_ALL=C$/),
      "sh -c 'set",
      "sudo -n sh",
    ]);
    expect(context.sent[1]).toMatch(/ \.ssh\/authorized_keys$/);
    expect(context.reported).toEqual(["an unknown system, 9000 MiB free", "scripts cccccccccccc installed"]);
  });

  test("fails when the scripts do not arrive, and does not say that they did", async () => {
    const context = fakeContext({
      answer: (line) => (line.includes("os-release") ? facts : thrown("SSH_FAILED", "server")),
    });
    expect((await failure(prepareServer(context, prepare))).code).toBe("SSH_FAILED");
    expect(context.reported.join()).not.toContain("installed");
  });
});

describe("delivery", () => {
  const list = "sudo -n docker image ls --format '{{.Repository}}:{{.Tag}}'";
  const pulls = (context: FakeContext) => context.sent.filter((line) => line.includes("docker pull"));
  const closed = (context: FakeContext) =>
    ["forward closed", "endpoint closed"].map((line) => context.sent.filter((each) => each === line).length);
  const pullFails = (code: ErrorCode) => (line: string) =>
    line.includes("docker pull") ? new FleetError(code, { cause: "manifest unknown" }) : "";

  test("fails when a pull is refused, three times, with the image and Docker's own words", async () => {
    const context = fakeContext({ release, answer: pullFails("SSH_FAILED") });
    const error = await failure(deliverRelease(context, deliver));
    expect(error).toMatchObject({ code: "IMAGE_PULL_FAILED", values: { cause: "manifest unknown" } });
    expect(error.values.image).toMatch(/^geoclic\/(api|admin):aaaaaaaaaaaa$/);
    expect(pulls(context)).toHaveLength(6);
    expect(closed(context)).toEqual([3, 3]);
    expect(context.sent.filter((line) => line.includes("docker tag"))).toEqual([]);
  });

  test("fails at once on what will not pass by itself, and leaves nothing open", async () => {
    const context = fakeContext({ release, answer: pullFails("SUDO_MISSING") });
    expect((await failure(deliverRelease(context, deliver))).code).toBe("SUDO_MISSING");
    expect(closed(context)).toEqual([1, 1]);
  });

  test("fails when an image cannot be built, before any way to the server is opened", async () => {
    const context = fakeContext({ release });
    const images = {
      ...context.images,
      provide: () => Promise.reject(new FleetError("IMAGE_BUILD_FAILED", { service: "api", cause: "x" })),
    };
    expect(await failure(deliverRelease({ ...context, images }, deliver))).toMatchObject({
      code: "IMAGE_BUILD_FAILED",
      place: { client: "ville", step: "delivery" },
    });
    expect(context.sent.at(-1)).toBe(list);
  });

  test("after a cut of rsync fails, and its release is not made whole", async () => {
    const context = fakeContext({
      release,
      answer: (line) => (line.startsWith("rsync") ? thrown("SSH_UNREACHABLE", "delivery") : ""),
    });
    expect((await failure(deliverRelease(context, deliver))).code).toBe("SSH_UNREACHABLE");
    expect(context.sent.at(-1)).toBe("rsync bbbbbbbbbbbb linked to nothing");
  });

  test("run again after a cut sends no tree, and only the image that lacks", async () => {
    const context = fakeContext({
      release,
      answer: (line) => {
        if (line.startsWith("ls")) return "bbbbbbbbbbbb\n";
        return line === list ? "geoclic/api:aaaaaaaaaaaa\n" : "";
      },
    });
    await deliverRelease(context, deliver);
    expect(context.built).toEqual(["admin"]);
    expect(context.sent.join("\n")).not.toContain("rsync");
    expect(pulls(context)).toEqual([
      "sudo -n docker pull --quiet 127.0.0.1:40000/geoclic/admin@sha256:admin",
    ]);
  });

  test("links to the running release first", async () => {
    const names = ["111111111111", "222222222222", "333333333333"];
    const context = fakeContext({
      release,
      answer: (line) => {
        if (line.startsWith("ls")) return `${names.join("\n")}\n`;
        return line.startsWith("readlink") ? "releases/222222222222\n" : "";
      },
    });
    await deliverRelease(context, deliver);
    expect(context.sent.slice(1, 4)).toEqual([
      "ls -1 /opt/geoclic/releases",
      "readlink /opt/geoclic/current",
      "rsync bbbbbbbbbbbb linked to 222222222222,111111111111,333333333333",
    ]);
  });

  test("goes on when the step of a run that was killed has completed the tree meanwhile", async () => {
    const context = fakeContext({
      release,
      answer: (line, time) => {
        if (line.startsWith("ls")) return time === 1 ? "" : "bbbbbbbbbbbb\n";
        return line.includes("mv -T") ? thrown("SSH_FAILED", "delivery") : "";
      },
    });
    await deliverRelease(context, deliver);
    expect(context.reported[0]).toBe("tree of bbbbbbbbbbbb was completed by another run");
  });

  test("pulls at most three at once, and all of them", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const large = { ...release, services: Object.fromEntries(names.map((name) => [name, service(name)])) };
    const context = fakeContext({ release: large as unknown as Release });
    await deliverRelease(context, deliver);
    const first = context.sent.findIndex((line) => line.includes("docker pull"));
    expect(context.sent.slice(first, first + 4).filter((line) => line.includes("docker pull"))).toHaveLength(
      3,
    );
    expect(pulls(context)).toHaveLength(5);
  });

  test("fails when the server cannot build, with what it told", async () => {
    const context = fakeContext({
      release,
      answer: (line) => (line.includes("server/build") ? thrown("IMAGE_BUILD_FAILED", "delivery") : ""),
    });
    const error = await failure(deliverRelease(context, { ...deliver, build: "client" }));
    expect(error.code).toBe("IMAGE_BUILD_FAILED");
    expect(context.built).toEqual([]);
  });
});

describe("certificate", () => {
  const answers = (issue: string | Error) => (line: string) => {
    if (line.includes("certificate status")) return '{"valid":false}';
    if (line.includes("certificate prepare"))
      return 'noise\n{"token":"t","path":"/.well-known/acme-challenge/x"}\n';
    return issue;
  };
  const token = () => ({ status: 200, body: "t" });

  test("is asked for in exactly these words", async () => {
    const seen: unknown[] = [];
    const context = fakeContext({
      answer: answers(""),
      get: (request) => {
        seen.push(request);
        return token();
      },
    });
    await issueCertificate(context, certify);
    expect(context.sent).toEqual([
      "sudo -n /opt/geoclic/server/certificate status --json --client ville --domain ville.fr --server https://acme/dir",
      "sudo -n /opt/geoclic/server/certificate prepare --client ville --domain ville.fr",
      "sudo -n /opt/geoclic/server/certificate issue --client ville --domain ville.fr --email a@ville.fr --server https://acme/dir",
    ]);
    expect(seen).toEqual([
      { protocol: "http", host: "10.0.0.1", domain: "ville.fr", path: "/.well-known/acme-challenge/x" },
    ]);
    expect(context.ledger).toEqual([
      { domain: "ville.fr", server: "https://acme/dir", time: Date.UTC(2026, 10, 23), outcome: "issued" },
    ]);
  });

  test.each<[string, FakeOptions, string]>([
    [
      "an IPv6 address elsewhere",
      {
        aaaa: ["2001:db8::1"],
        get: ({ host }) => (host === "10.0.0.1" ? token() : { status: 200, body: "t2" }),
      },
      "DNS_ELSEWHERE",
    ],
    ["a second IPv4 address", { a: ["10.0.0.1", "10.0.0.2"] }, "DNS_ELSEWHERE"],
    ["DNS servers that say nothing", { a: new Error("queryA ETIMEOUT ville.fr") }, "DNS_SILENT"],
    ["another answer on port 80", { get: () => ({ status: 200, body: "t2" }) }, "PORT80_CLOSED"],
    ["the right answer with another status", { get: () => ({ status: 404, body: "t" }) }, "PORT80_CLOSED"],
  ])("is not asked for with %s", async (_, options, code) => {
    const context = fakeContext({ answer: answers(""), get: token, ...options });
    const error = await failure(issueCertificate(context, certify));
    expect(error).toMatchObject({ code, place: { client: "ville", step: "certificate" } });
    expect(context.sent.join("\n")).not.toContain("certificate issue");
    expect(context.ledger).toEqual([]);
  });

  test("says whom it asked, and what they said", async () => {
    const context = fakeContext({ answer: answers(""), a: new Error("queryA ETIMEOUT ville.fr") });
    expect((await failure(issueCertificate(context, certify))).message).toContain(
      "nobody told the address of ville.fr (asked 1.1.1.1:53, 9.9.9.9:53): queryA ETIMEOUT ville.fr (DNS_SILENT)",
    );
  });

  test.each([
    ["status", "no JSON", "bash: certificate: Permission denied"],
    ["status", "JSON of another form", '{"valid":"yes"}'],
    ["prepare", "no JSON", "listening"],
    ["prepare", "JSON of another form", '{"token":7,"path":"/x"}'],
    ["prepare", "nothing", ""],
  ])("fails when `certificate %s` answers %s, and names what came", async (verb, _, text) => {
    const context = fakeContext({
      answer: (line) => (line.includes(`certificate ${verb}`) ? text : answers("")(line)),
      get: token,
    });
    const error = await failure(issueCertificate(context, certify));
    expect(error).toMatchObject({
      code: "ANSWER_UNREADABLE",
      place: { client: "ville", step: "certificate" },
    });
    expect(error.message).toContain(`the server's \`certificate ${verb}\` answered`);
    expect(context.sent.join("\n")).not.toContain("certificate issue");
    expect(context.ledger).toEqual([]);
  });

  test("tells the authority's failure, not that of the ledger which could not note it", async () => {
    const context = fakeContext({ answer: answers(thrown("ACME_FAILED", "certificate")), get: token });
    const acmeLedger = { ...context.acmeLedger, fail: () => Promise.reject(new Error("disk full")) };
    expect((await failure(issueCertificate({ ...context, acmeLedger }, certify))).code).toBe("ACME_FAILED");
    expect(context.reported).toEqual(["the ledger still counts it as issued: disk full"]);
  });

  test("after four failures is not asked for within the hour, and is afterwards", async () => {
    const context = fakeContext({ answer: answers(thrown("ACME_FAILED", "certificate")), get: token });
    for (let i = 0; i < 4; i += 1) {
      expect((await failure(issueCertificate(context, certify))).code).toBe("ACME_FAILED");
      await context.sleep(1000);
    }
    expect(await failure(issueCertificate(context, certify))).toMatchObject({
      code: "ACME_BUDGET",
      values: { limit: "4 failures per name and hour", used: 4, until: "2026-11-23T01:00:00.000Z" },
    });
    expect(context.ledger.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed", "failed"]);
    await context.sleep(3_600_000);
    expect((await failure(issueCertificate(context, certify))).code).toBe("ACME_FAILED");
  });

  test("that is there is only put right, whatever DNS says", async () => {
    const context = fakeContext({
      answer: (line) => (line.includes("status") ? '{"valid":true,"notAfter":"2027-01-01"}' : ""),
      a: new Error("asked"),
    });
    await issueCertificate(context, certify);
    expect(context.sent.map((line) => line.split(" ")[3])).toEqual(["status", "issue"]);
    expect(context.ledger).toEqual([]);
  });
});

describe("activation", () => {
  const town =
    (of: Partial<Record<string, { status: number; body: string } | Error>> = {}) =>
    ({ path }: { path: string }) => {
      const own = of[path];
      if (own) return own;
      const body = path === "/api/health" ? '{"status":"healthy"}' : JSON.stringify({ release: release.id });
      return { status: 200, body };
    };

  test("is exactly these words, and these questions from outside over TLS", async () => {
    const seen: string[] = [];
    const context = fakeContext({
      release,
      get: (request) => {
        seen.push(`${request.protocol} ${request.host} ${request.domain}${request.path}`);
        return town()(request);
      },
    });
    await activateRelease(context, activate);
    const words = "--client ville --release bbbbbbbbbbbb --domain ville.fr";
    expect(context.sent).toEqual([
      `sudo -n /opt/geoclic/server/activate start ${words}`,
      `sudo -n /opt/geoclic/server/activate follow ${words}`,
    ]);
    expect(seen).toEqual([
      "https 10.0.0.1 ville.fr/api/health",
      "https 10.0.0.1 ville.fr/.well-known/geoclic-fleet/release",
      "https 10.0.0.1 ville.fr/",
      "https 10.0.0.1 ville.fr/admin/",
    ]);
  });

  test("fails after five cuts of the line", async () => {
    const context = fakeContext({
      release,
      answer: (line) => (line.includes("follow") ? thrown("SSH_UNREACHABLE", "activation") : ""),
    });
    expect((await failure(activateRelease(context, activate))).code).toBe("SSH_UNREACHABLE");
    expect(context.sent.filter((line) => line.includes("follow"))).toHaveLength(5);
    expect(context.sent.filter((line) => line.includes("start"))).toHaveLength(1);
  });

  test("fails with the executor's own failure, without following again or asking from outside", async () => {
    let asked = 0;
    const context = fakeContext({
      release,
      answer: (line) => (line.includes("follow") ? thrown("UNHEALTHY", "activation (gate)") : ""),
      get: () => {
        asked += 1;
        return { status: 200, body: "" };
      },
    });
    expect(await failure(activateRelease(context, activate))).toMatchObject({
      code: "UNHEALTHY",
      place: { client: "ville", step: "activation (gate)" },
    });
    expect(context.sent).toHaveLength(2);
    expect(asked).toBe(0);
  });

  test("waits for a town that needs a moment, and says nothing before", async () => {
    let asked = 0;
    const context = fakeContext({
      release,
      get: (request) => {
        asked += 1;
        return asked < 20 ? new Error("ECONNREFUSED") : town()(request);
      },
    });
    await activateRelease(context, activate);
    expect(context.reported).toEqual(["https://ville.fr is healthy and runs bbbbbbbbbbbb"]);
  });

  test.each<[string, ReturnType<typeof town>, string, string]>([
    [
      "a town without health",
      town({ "/api/health": { status: 200, body: '{"status":"degraded"}' } }),
      "HEALTH_FAILED",
      'https://ville.fr/api/health is not healthy: HTTP 200, status is "degraded", expected "healthy"',
    ],
    [
      "a town that shows no release",
      town({ "/.well-known/geoclic-fleet/release": { status: 404, body: "" } }),
      "RELEASE_NOT_RUNNING",
      "shows release HTTP 404, expected bbbbbbbbbbbb",
    ],
    [
      "an application that does not answer",
      town({ "/admin/": { status: 502, body: "" } }),
      "HEALTH_FAILED",
      "https://ville.fr/admin/ is not healthy: HTTP 502",
    ],
    [
      "a certificate that is not trusted",
      town({ "/api/health": new Error("self-signed certificate") }),
      "HEALTH_FAILED",
      "self-signed certificate",
    ],
  ])("fails on %s after a minute, and never tells success", async (_, get, code, message) => {
    const context = fakeContext({ release, get });
    const began = context.now();
    const error = await failure(activateRelease(context, activate));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(context.now() - began).toBe(60_000);
    expect(context.reported).toEqual([]);
  });

  test("fails on a release that the store lacks, before the server is touched", async () => {
    const context = fakeContext();
    expect(await failure(activateRelease(context, activate))).toMatchObject({
      code: "RELEASE_UNKNOWN",
      place: { client: "ville", step: "activation" },
    });
    expect(context.sent).toEqual([]);
  });

  test("keeps a defect of the tool a defect, not a failure of the town", async () => {
    const context = fakeContext({ release, answer: () => new TypeError("defect") });
    await expect(activateRelease(context, activate)).rejects.toThrow(TypeError);
  });
});

describe("status", () => {
  const client = {
    target: { client: "ville", host: "10.0.0.1", port: 22, user: "ubuntu", hostKey: "k" },
    domain: "ville.fr",
    ip: "10.0.0.1",
    release,
  };
  const get = () => ({ status: 200, body: '{"status":"healthy","release":"bbbbbbbbbbbb"}' });

  test("asks one question of the server, which changes nothing", async () => {
    const context = fakeContext({ answer: () => "{}", get });
    const [row] = await readStatus(context, [client]);
    expect(context.sent).toEqual([
      "sudo -n timeout --kill-after=5 10 /opt/geoclic/server/facts --client ville --json",
    ]);
    expect(row).toMatchObject({ health: "healthy", release: "bbbbbbbbbbbb", desiredRelease: "bbbbbbbbbbbb" });
    expect(row).not.toHaveProperty("cause");
    expect(row).not.toHaveProperty("sshError");
  });

  test.each([
    ["text that is no JSON", "command not found"],
    ["facts of another form", '{"containers":[{}]}'],
  ])("tells of %s instead of failing", async (_, answer) => {
    const [row] = await readStatus(fakeContext({ answer: () => answer, get }), [client]);
    expect(row).toMatchObject({ health: "healthy", sshError: expect.stringMatching(/./) });
    expect(row).not.toHaveProperty("facts");
  });

  test("of no client is empty", async () => {
    expect(await readStatus(fakeContext(), [])).toEqual([]);
  });
});
