/** @module The ACME server of the lab (Pebble), and the certificates that it signs with. */
import { rm } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installConfiguration } from "./assets.ts";
import { AUTHORITY, authorityCertificate } from "./authority.ts";
import { LabError } from "./errors.ts";
import { ACME_NAME, ADDRESS, LOOPBACK, OPERATOR } from "./layout.ts";
import { ensureService } from "./network.ts";

/** Starts Pebble; servers reach it as https://acme.geoclic.test/dir. Its root changes with each start. */
export async function ensureAcme(): Promise<void> {
  const configuration = await installConfiguration("pebble.json");
  await ensureService({
    name: "pebble",
    ip: ADDRESS.pebble,
    options: [
      // Every order is validated anew, so that a fault of DNS or port 80 shows each time.
      ...["--env", "PEBBLE_VA_NOSLEEP=1", "--env", "PEBBLE_AUTHZREUSE=0"],
      ...["--volume", `${AUTHORITY}:/authority:ro`, "--volume", `${configuration.path}:/pebble.json:ro`],
    ],
    argv: ["pebble", "-config", "/pebble.json", "-dnsserver", `${ADDRESS.dns}:53`],
    configuration: [configuration.text],
  });
}

/** Of the operator's budget, which is Let's Encrypt's: Pebble has no limit, and a town of the lab is made anew at will. */
export async function forgetCertificates(): Promise<void> {
  await rm(join(OPERATOR, "acme-ledger.json"), { force: true });
}

/** Pebble's current root certificate (PEM), waited for at most 15 seconds. */
export async function acmeRoot(): Promise<string> {
  for (let attempt = 0; attempt < 75; attempt++) {
    const text = await fetchRoot().catch(() => "");
    if (text.includes("BEGIN CERTIFICATE")) return text.trimEnd();
    await sleep(200);
  }
  throw new LabError(
    "The lab's ACME server does not give its root certificate.",
    "Run `npm run -s lab -- up`.",
  );
}

async function fetchRoot(): Promise<string> {
  const ca = await authorityCertificate();
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: LOOPBACK.services, servername: ACME_NAME, headers: { host: ACME_NAME }, path: "/roots/0" },
      ...{ ca, timeout: 3000 },
    };
    const query = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    query.on("timeout", () => query.destroy(new Error("no answer"))).on("error", reject);
    query.end();
  });
}
