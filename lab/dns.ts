/** @module The DNS server of the lab: authoritative for `geoclic.test`, the hubs' and the origins' names, forwards the rest. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { LabError } from "./errors.ts";
import { ACME_NAME, ADDRESS, HUB_HOSTS, HUBS, LAB, LOOPBACK, ORIGIN_HOSTS, ZONE } from "./layout.ts";
import { ensureService } from "./network.ts";

/** One file per name, in hosts(5) format; dnsmasq follows changes by itself. */
const RECORDS = join(LAB, "dns");

/** Starts the server. Answers on 10.77.0.53 inside and on 127.0.10.53:53 outside, UDP and TCP. */
export async function ensureDns(): Promise<void> {
  await mkdir(RECORDS, { recursive: true });
  await writeRecord("hubs", recordLine(HUB_HOSTS.join(" "), [ADDRESS.front]));
  await writeRecord("origins", recordLine(ORIGIN_HOSTS.join(" "), [ADDRESS.front]));
  await writeRecord(ACME_NAME, recordLine(ACME_NAME, [ADDRESS.front]));
  await ensureService({
    name: "dns",
    ip: ADDRESS.dns,
    options: [
      ...["--cap-add", "NET_ADMIN", "--volume", `${RECORDS}:/records:ro`, "--dns", await upstream()],
      ...["--publish", `${LOOPBACK.dns}:53:53/udp`, "--publish", `${LOOPBACK.dns}:53:53/tcp`],
    ],
    argv: [
      ...[
        "dnsmasq",
        "--keep-in-foreground",
        "--user=root",
        "--no-hosts",
        "--no-resolv",
        "--hostsdir=/records",
      ],
      ...[
        "--cache-size=0",
        `--server=${await upstream()}`,
        ...[ZONE, ...HUBS, ...ORIGIN_HOSTS].map((zone) => `--local=/${zone}/`),
      ],
    ],
    configuration: [],
  });
}

/**
 * Points `domain` (a name below geoclic.test) to IPv4 and IPv6 addresses; null takes the record away. The server follows
 * at once.
 * @throws LabError for a name outside the zone or a wrong address.
 */
export async function setRecord(domain: string, ip: string | readonly string[] | null): Promise<void> {
  checkName(domain);
  const addresses = ip === null ? [] : typeof ip === "string" ? [ip] : ip;
  if (addresses.length === 0) await rm(join(RECORDS, domain), { force: true });
  else await writeRecord(domain, recordLine(domain, addresses));
}

/** The records set, by name. */
export async function listRecords(): Promise<Record<string, string[]>> {
  const names = (await readdir(RECORDS).catch(() => [])).filter((name) => name.endsWith(`.${ZONE}`));
  const entries = await Promise.all(
    names.sort().map(async (name) => {
      const text = await readFile(join(RECORDS, name), "utf8");
      return [name, text.split("\n").flatMap((line) => line.split(" ")[0] || [])] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** Lines of a hosts file. @throws LabError for what is no address. */
export function recordLine(names: string, addresses: readonly string[]): string {
  for (const address of addresses) {
    if (isIP(address) === 0 || address.includes("%")) {
      throw new LabError(
        `Address of a record: got '${address}', expected an IPv4 or IPv6 address.`,
        "Correct the address.",
      );
    }
  }
  return addresses.map((address) => `${address} ${names}\n`).join("");
}

/** @throws LabError unless `domain` is a name below the lab's zone. */
export function checkName(domain: string): void {
  if (domain !== ACME_NAME && /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+geoclic\.test$/.test(domain)) return;
  throw new LabError(
    `Name of a record: got '${domain}', expected a name below ${ZONE}.`,
    `Choose a name such as ville-test.${ZONE}.`,
  );
}

// Written beside the folder first: dnsmasq reads whatever appears in it, half a file too.
async function writeRecord(name: string, text: string): Promise<void> {
  const path = join(RECORDS, name);
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  const partial = join(LAB, `record-${name}-${process.pid}`);
  await writeFile(partial, text);
  await rename(partial, path);
}

async function upstream(): Promise<string> {
  return findNameserver(await readFile("/etc/resolv.conf", "utf8"));
}

/** The first name server of a resolv.conf that containers can reach too. */
export function findNameserver(text: string): string {
  const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].flatMap((match) => match[1] ?? []);
  return servers.find((server) => !server.startsWith("127.") && !server.includes(":")) ?? "9.9.9.9";
}
