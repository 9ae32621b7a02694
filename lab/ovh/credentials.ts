/** @module Who may call what: signed requests and access rules, as OVH checks them. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError, refused } from "./api.ts";

export interface Credentials {
  readonly applicationKey: string;
  readonly applicationSecret: string;
  readonly consumerKey: string;
  /** What the consumer key may do; `*` stands for anything. */
  readonly rules: readonly { readonly method: string; readonly path: string }[];
  /** Instead of a signature, as a bearer. @default none is accepted */
  readonly accessToken?: string;
}

const anything = ["GET", "POST", "PUT", "DELETE"].map((method) => ({ method, path: "/*" }));

/** Credentials of the lab. They open nothing but the emulator. */
export const labCredentials: Credentials = {
  applicationKey: "7kbG7Bk7S9Nt7ZSV",
  applicationSecret: "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF",
  consumerKey: "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1",
  rules: anything,
};

/** OVH refuses more than some 30 s; a lab that sleeps gets a minute. */
const skewSeconds = 60;

/** `$1$` and the SHA-1 of the joined parts. */
export function signature(
  secret: string,
  consumerKey: string,
  method: string,
  url: string,
  body: string | Uint8Array,
  timestamp: string | number,
): string {
  const hash = createHash("sha1").update(`${secret}+${consumerKey}+${method}+${url}+`).update(body);
  return `$1$${hash.update(`+${timestamp}`).digest("hex")}`;
}

export interface Signed {
  readonly method: string;
  /** As the client built it. */
  readonly url: string;
  /** Path below the base. */
  readonly path: string;
  /** As they came. */
  readonly body: Uint8Array;
  readonly headers: IncomingHttpHeaders;
}

/** @throws ApiError of the credentials, of the clock or of the rules */
export function authorize(credentials: Credentials, request: Signed, nowSeconds: number): void {
  const { authorization } = request.headers;
  if (authorization === undefined) checkSignature(credentials, request, nowSeconds);
  else if (credentials.accessToken === undefined || authorization !== `Bearer ${credentials.accessToken}`)
    throw refused(403, "INVALID_CREDENTIAL", "This credential is not valid");
  // Everybody may ask who they are.
  if (request.path.startsWith("/auth/")) return;
  if (!credentials.rules.some((rule) => allows(rule, request)))
    throw refused(403, "NOT_GRANTED_CALL", "This call has not been granted");
}

/** @throws ApiError of the credentials or of the clock */
function checkSignature(credentials: Credentials, request: Signed, nowSeconds: number): void {
  const header = (name: string) => String(request.headers[`x-ovh-${name}`] ?? "");
  if (header("application") === "" || (header("consumer") === "" && header("signature") === ""))
    throw new ApiError(401, { message: "You must login first" });
  if (header("application") !== credentials.applicationKey)
    throw refused(403, "INVALID_KEY", "This application key is invalid");
  if (header("consumer") === "") throw refused(403, "NOT_CREDENTIAL", "This credential does not exist");
  if (header("consumer") !== credentials.consumerKey)
    throw refused(403, "INVALID_CREDENTIAL", "This credential is not valid");
  const wanted = signature(
    credentials.applicationSecret,
    credentials.consumerKey,
    request.method,
    request.url,
    request.body,
    header("timestamp"),
  );
  if (!same(wanted, header("signature"))) throw refused(400, "INVALID_SIGNATURE", "Invalid signature");
  if (!(Math.abs(Number(header("timestamp")) - nowSeconds) <= skewSeconds))
    throw refused(400, "QUERY_TIME_OUT", "Query out of time");
}

function same(one: string, other: string): boolean {
  return (
    Buffer.byteLength(one) === Buffer.byteLength(other) &&
    timingSafeEqual(Buffer.from(one), Buffer.from(other))
  );
}

function allows(rule: Credentials["rules"][number], { method, path }: Signed): boolean {
  const pattern = rule.path
    .split("*")
    .map((text) => text.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"))
    .join(".*");
  return rule.method === method && new RegExp(`^${pattern}$`).test(path);
}
