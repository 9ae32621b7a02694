/**
 * `add` and `remove`, by what they contact, ask and write. Not proven here: files and git (outside/stack-file.test.ts),
 * real host keys (outside/host-key.test.ts).
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FleetError } from "../../core/errors.ts";
import type { HostKey } from "../../core/registry/port.ts";
import { memoryStack } from "../../test/helpers/stack-memory.ts";
import { type AddContext, type AddRequest, addClient } from "./add-client.ts";
import { removeClient } from "./remove-client.ts";

const example = readFileSync("Pulumi.prod.yaml", "utf8");
const key = (letter: string): HostKey => ({
  hostKey: `ssh-ed25519 ${letter.repeat(68)}`,
  fingerprint: `SHA256:${letter}`,
});
const nice: AddRequest = {
  name: "nice",
  domain: "nice.geoclic.fr",
  email: "admin@nice.fr",
  town: "Mairie de Nice",
  ip: "10.0.0.9",
};

function world(change: Partial<AddContext> & { scanned?: HostKey | FleetError; text?: string } = {}) {
  const { scanned = key("N"), text = example, ...own } = change;
  const file = memoryStack(text);
  const happened: string[] = [];
  const context: AddContext = {
    file,
    scanHostKey: async (host, port) => {
      happened.push(`scan ${host}:${port}`);
      if (scanned instanceof FleetError) throw scanned;
      return scanned;
    },
    addressOf: async (serviceName) => {
      happened.push(`address of ${serviceName}`);
      return "10.0.0.9";
    },
    confirmHostKey: async ({ fingerprint, former }) => {
      happened.push(`confirm ${fingerprint}${former ? " instead" : ""}`);
      return true;
    },
    openSsh: async (target) => {
      happened.push(`ssh ${target.user}@${target.host}:${target.port}`);
      throw new FleetError("SSH_REFUSED", {}, { client: target.client });
    },
    describe: (error) => error.message,
    tell: (message) => void happened.push(message),
    ...own,
  };
  return { file, happened, context };
}

const clientIn = async (file: ReturnType<typeof memoryStack>, name: string) =>
  (await file.read()).clients.find((client) => client.name === name);

describe("add", () => {
  test("checks, scans, asks, writes and commits, in this order", async () => {
    const { file, happened, context } = world();
    await addClient(context, { ...nice, ipv6: "2001:db8::9" });
    expect(happened).toEqual(["scan 10.0.0.9:22", "confirm SHA256:N", "add.added", "add.next"]);
    expect(await clientIn(file, "nice")).toMatchObject({
      ip: "10.0.0.9",
      ipv6: "2001:db8::9",
      ssh: { user: "ubuntu", hostKey: key("N").hostKey },
    });
    expect(file.commits).toEqual(["Add nice (nice.geoclic.fr)"]);
    expect(file.text().startsWith(example)).toBe(true);
  });

  test("a VPS at OVH without an address is looked up there", async () => {
    const { file, happened, context } = world();
    const { ip: _, ...owned } = nice;
    await addClient(context, {
      ...owned,
      serviceName: "vps-1a2b3c4d.vps.ovh.net",
      dns: "managed",
      sshUser: "debian",
      sshPort: 2222,
    });
    expect(happened.slice(0, 2)).toEqual(["address of vps-1a2b3c4d.vps.ovh.net", "scan 10.0.0.9:2222"]);
    expect(await clientIn(file, "nice")).toMatchObject({
      reach: "10.0.0.9",
      serviceName: "vps-1a2b3c4d.vps.ovh.net",
      dns: "managed",
      ssh: { user: "debian", port: 2222 },
    });
  });

  const hostile = [
    "",
    " ",
    "a;reboot",
    "$(reboot)",
    "`id`",
    "a'b",
    'a"b',
    "-oProxyCommand=x",
    "../x",
    "a\nb: c",
    "a\0b",
    "a: b",
    "# x",
    "a".repeat(9000),
  ];
  const { ip: _, ...withoutAddress } = nice;
  test.each<[keyof AddRequest, readonly unknown[], AddRequest]>([
    ["name", hostile, nice],
    ["domain", hostile, nice],
    ["email", hostile, nice],
    ["ip", hostile, nice],
    ["reach", hostile, nice],
    ["ipv6", [...hostile, "10.0.0.9", "2001:DB8::9", "::1%lo"], nice],
    ["serviceName", hostile, withoutAddress],
    ["sshUser", hostile, nice],
    ["sshPort", [0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY], nice],
    ["hostKey", hostile, nice],
    ["dns", hostile, nice],
    ["town", ["", " ", "a\nb", "a\0b", "a".repeat(9000)], nice],
  ])("refuses every hostile %s before anything is contacted", async (field, values, request) => {
    for (const value of values) {
      const { file, happened, context } = world();
      await expect(addClient(context, { ...request, [field]: value } as AddRequest)).rejects.toMatchObject({
        code: "CONFIG_INVALID",
      });
      expect(happened).toEqual([]);
      expect(file.text()).toBe(example);
    }
  });

  test.each<[string, Partial<AddRequest>, string]>([
    ["name", { name: "chambery" }, "CLIENT_EXISTS"],
    ["domain", { domain: "chambery.geoclic.fr" }, "CONFIG_INVALID"],
    ["address", { ip: "51.210.42.100" }, "CONFIG_INVALID"],
    ["VPS", { serviceName: "vps-0a1b2c3d.vps.ovh.net" }, "CONFIG_INVALID"],
    ["nothing but a name", { domain: undefined, ip: undefined } as never, "CONFIG_INVALID"],
  ])("refuses a double or missing %s", async (_, change, code) => {
    const { file, happened, context } = world();
    await expect(addClient(context, { ...nice, ...change })).rejects.toMatchObject({ code });
    expect(happened).toEqual([]);
    expect(file.commits).toEqual([]);
  });

  test("refuses a retired name, with the way out", async () => {
    const text = `${example}  geoclic-fleet:retired:\n    - {name: nice, on: "2026-01-31"}\n`;
    await expect(addClient(world({ text }).context, nice)).rejects.toMatchObject({
      code: "CLIENT_RETIRED",
      values: { on: "2026-01-31" },
    });
  });

  test("refuses where git does, before anything is contacted", async () => {
    const { file, happened, context } = world();
    file.refuse();
    await expect(addClient(context, nice)).rejects.toMatchObject({ code: "STACK_FILE_DIRTY" });
    expect(happened).toEqual([]);
  });

  describe("the host key", () => {
    test("that is not confirmed is not pinned", async () => {
      const { file, context } = world({ confirmHostKey: async () => false });
      await expect(addClient(context, nice)).rejects.toMatchObject({ code: "HOST_KEY_UNCONFIRMED" });
      expect(file.text()).toBe(example);
    });

    test("that is given and shown is pinned without a question", async () => {
      const { file, happened, context } = world();
      await addClient(context, { ...nice, hostKey: key("N").hostKey });
      expect(happened).toEqual(["scan 10.0.0.9:22", "add.added", "add.next"]);
      expect((await clientIn(file, "nice"))?.ssh.hostKey).toBe(key("N").hostKey);
    });

    test("that is given and not the one shown is refused", async () => {
      const { file, context } = world();
      await expect(addClient(context, { ...nice, hostKey: key("M").hostKey })).rejects.toMatchObject({
        code: "HOST_KEY_DIFFERS",
      });
      expect(file.text()).toBe(example);
    });

    const silent = new FleetError("SSH_UNREACHABLE", { cause: "refused" });
    test("that is given of a server that does not answer yet is pinned, and that is told", async () => {
      const { happened, context } = world({ scanned: silent });
      await addClient(context, { ...nice, hostKey: key("N").hostKey });
      expect(happened).toContain("add.unreached");
    });

    test("of a server that does not answer is not made up", async () => {
      const { file, context } = world({ scanned: silent });
      await expect(addClient(context, nice)).rejects.toBe(silent);
      expect(file.text()).toBe(example);
    });
  });

  test("a failed check is told, and the town is declared all the same", async () => {
    const { file, happened, context } = world();
    await addClient(context, { ...nice, check: true });
    expect(happened).toContain("ssh ubuntu@10.0.0.9:22");
    expect(happened).toContain("add.unchecked");
    expect(file.commits).toHaveLength(1);
  });
});

describe("remove and add again", () => {
  const told: string[] = [];
  const remove = (file: ReturnType<typeof memoryStack>, name: string, answer = true) =>
    removeClient({ file, confirm: async () => answer, tell: (message) => void told.push(message) }, name);

  test("leave the file as it was", async () => {
    const pinned = {
      hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB3example3example3example3example3example3exa",
      fingerprint: "SHA256:3",
    };
    const { file, happened, context } = world({ scanned: pinned });
    await remove(file, "chambery");
    expect(await clientIn(file, "chambery")).toMatchObject({ detached: true, domain: "chambery.geoclic.fr" });
    await addClient(context, { name: "chambery" });
    expect(file.text()).toBe(example);
    expect(happened).toEqual(["scan 51.210.42.102:22", "add.attached", "add.next"]);
    expect(file.commits).toEqual(["Remove chambery (detached)", "Attach chambery (chambery.geoclic.fr)"]);
  });

  test("another key than the pinned one is asked about, with the former one", async () => {
    const { file, happened, context } = world();
    await remove(file, "chambery");
    await addClient(context, { name: "chambery", reach: "10.1.1.1" });
    expect(happened).toContain("confirm SHA256:N instead");
    expect(await clientIn(file, "chambery")).toMatchObject({
      reach: "10.1.1.1",
      detached: false,
      ssh: { hostKey: key("N").hostKey },
    });
  });

  test("another domain is another town", async () => {
    const { file, happened, context } = world();
    await remove(file, "chambery");
    await expect(addClient(context, { ...nice, name: "chambery" })).rejects.toMatchObject({
      code: "CLIENT_DIFFERS",
    });
    expect(happened).toEqual([]);
  });

  test("what is not confirmed, unknown or detached already changes nothing", async () => {
    const { file } = world();
    await expect(remove(file, "chambery", false)).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    await expect(remove(file, "paris")).rejects.toMatchObject({ code: "CLIENT_UNKNOWN" });
    expect(file.text()).toBe(example);
    await remove(file, "chambery");
    await remove(file, "chambery", false);
    expect(file.commits).toHaveLength(1);
    expect(told.at(-1)).toBe("remove.already");
  });
});
