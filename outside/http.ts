/** @module HTTP and HTTPS to a server at a given address, whatever DNS says. Certificates are always verified. */
import http from "node:http";
import https from "node:https";
import type { HttpAnswer } from "../core/health.ts";
import { httpSeconds } from "../core/limits.ts";
import type { HttpRequest } from "../core/ports.ts";

const bodyLimit = 256 * 1024;

/** @throws Error of the connection, of TLS, or of the time-out */
export function get({
  protocol,
  host,
  domain,
  path,
  timeoutSeconds = httpSeconds,
}: HttpRequest): Promise<HttpAnswer> {
  const secure = protocol === "https";
  const cause = (error: Error) =>
    error.name === "AbortError" ? new Error(`no answer within ${timeoutSeconds} s`) : error;
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).get(
      {
        host,
        port: secure ? 443 : 80,
        path,
        headers: { host: domain, accept: "application/json" },
        agent: false,
        signal: AbortSignal.timeout(timeoutSeconds * 1000),
        ...(secure ? { servername: domain } : {}),
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > bodyLimit) request.destroy(new Error(`answer larger than ${bodyLimit} bytes`));
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", (error) => reject(cause(error)));
      },
    );
    request.on("error", (error) => reject(cause(error)));
  });
}
