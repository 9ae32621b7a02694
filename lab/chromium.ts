/** @module How a browser looks at a town of the lab. */
import { createHash } from "node:crypto";
import { connect } from "node:tls";

/**
 * Chromium's flags for a town: its address, and the key of the certificate that it serves, which was verified here.
 * @throws Error of TLS when the certificate is not the lab's
 */
export async function chromiumFlags(domain: string, reach: string): Promise<string[]> {
  return [
    `--host-resolver-rules='MAP ${domain} ${reach}'`,
    `--ignore-certificate-errors-spki-list=${await servedKey(domain, reach)}`,
  ];
}

/** Base64 of the sha256 of the public key, as Chromium names keys. */
function servedKey(domain: string, reach: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: reach, port: 443, servername: domain }, () => {
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
      socket.end();
      if (key) resolve(createHash("sha256").update(key).digest("base64"));
      else reject(new Error(`${domain} served no certificate`));
    });
    socket.once("error", reject);
  });
}
