/** @module A client of the emulator as small as can be, for its tests: signs, asks, judges nothing. */
import { request } from "node:http";
import { labCredentials, signature } from "./credentials.ts";

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API says
  readonly value: any;
  readonly queryId: string;
}

export interface CallOptions {
  /** Sent as it is, with any method. */
  readonly text?: string;
  /** Over the signed headers; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** What is signed instead of the address that is called. */
  readonly signedUrl?: string;
}

export interface Caller {
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** The value of a GET that must succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API says
  get(path: string): Promise<any>;
}

/** `base`: an emulator's `url`, asked anew each time. */
export function caller(base: () => string, now: () => number): Caller {
  return { call, get };

  async function get(path: string) {
    const { status, value } = await call("GET", path);
    if (status === 200) return value;
    throw new Error(`GET ${path}: ${status} ${JSON.stringify(value)}`);
  }

  function call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const url = base() + path;
    const text = options.text ?? (body === undefined ? "" : JSON.stringify(body));
    const timestamp = String(Math.floor(now() / 1000));
    const { applicationKey, applicationSecret, consumerKey } = labCredentials;
    const signed = options.signedUrl ?? url;
    const headers = Object.entries({
      "X-Ovh-Application": applicationKey,
      "X-Ovh-Consumer": consumerKey,
      "X-Ovh-Timestamp": timestamp,
      "X-Ovh-Signature": signature(applicationSecret, consumerKey, method, signed, text, timestamp),
      "Content-Length": String(Buffer.byteLength(text)),
      ...options.headers,
    }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method, agent: false, headers: Object.fromEntries(headers) },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject).on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              value: JSON.parse(Buffer.concat(chunks).toString()),
              queryId: String(response.headers["x-ovh-queryid"]),
            }),
          );
        },
      );
      sent.on("error", reject).end(text);
    });
  }
}
