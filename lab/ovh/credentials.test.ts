/** Proves what opens the emulator and how it refuses the rest; the signature also by OVH's published example. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { caller } from "./caller.ts";
import { labCredentials, signature } from "./credentials.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";

let clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
const { call } = caller(
  () => emulator.url,
  () => clock,
);
const start = async (options: EmulatorOptions = {}) => {
  emulator = await startEmulator({ now: () => clock, ...options });
  emulator.addZone("geoclic.test");
};
const restart = async (options: EmulatorOptions) => {
  await emulator.close();
  await start(options);
};

beforeEach(() => start());
afterEach(() => emulator.close());

test("the signature is OVH's", () =>
  expect(
    signature(
      ...(["app-secret", "consumer-key", "POST", "https://api.us.ovhcloud.com/1.0/order/cart"] as const),
      '{"ovhSubsidiary":"US"}',
      1791331200,
    ),
  ).toBe("$1$f107694ad0c3089f21d93dad15266e97d4e57695"));

test.each<[string, Record<string, string | undefined>, number, unknown]>([
  [
    "another application",
    { "X-Ovh-Application": "x" },
    403,
    { errorCode: "INVALID_KEY", httpCode: "403 Forbidden", message: "This application key is invalid" },
  ],
  [
    "another consumer",
    { "X-Ovh-Consumer": "x" },
    403,
    { errorCode: "INVALID_CREDENTIAL", httpCode: "403 Forbidden", message: "This credential is not valid" },
  ],
  [
    "no consumer",
    { "X-Ovh-Consumer": undefined },
    403,
    { errorCode: "NOT_CREDENTIAL", httpCode: "403 Forbidden", message: "This credential does not exist" },
  ],
  [
    "another signature",
    { "X-Ovh-Signature": `$1$${"0".repeat(40)}` },
    400,
    { errorCode: "INVALID_SIGNATURE", httpCode: "400 Bad Request", message: "Invalid signature" },
  ],
  [
    "a signature of another length",
    { "X-Ovh-Signature": "$1$é" },
    400,
    { errorCode: "INVALID_SIGNATURE", httpCode: "400 Bad Request", message: "Invalid signature" },
  ],
  [
    "an application only, as on calls that are not signed",
    { "X-Ovh-Consumer": undefined, "X-Ovh-Signature": undefined },
    401,
    { message: "You must login first" },
  ],
  ["nothing", { "X-Ovh-Application": undefined }, 401, { message: "You must login first" }],
  [
    "a token that was never given",
    { Authorization: "Bearer x" },
    403,
    { errorCode: "INVALID_CREDENTIAL", httpCode: "403 Forbidden", message: "This credential is not valid" },
  ],
])("refuses %s, with the id of the request", async (_, headers, status, value) => {
  const answer = await call("GET", "/me", undefined, { headers });
  expect(answer).toMatchObject({ status });
  expect(answer.value).toEqual(value);
  expect(answer.queryId).toMatch(/^EU\.ext-1\.[0-9a-f]{8}\.\d+\.[0-9a-f]{10}$/);
});

test.each([
  [-60, 200],
  [60, 200],
  [-62, 400],
  [62, 400],
])("a clock that is %i s off gets %i", async (seconds, status) => {
  const early = caller(
    () => emulator.url,
    () => clock + seconds * 1000,
  );
  const answer = await early.call("GET", "/me");
  expect(answer.status).toBe(status);
  if (status === 400)
    expect(answer.value).toEqual({
      errorCode: "QUERY_TIME_OUT",
      httpCode: "400 Bad Request",
      message: "Query out of time",
    });
});

test("tells its time, a bare integer, to anybody", async () => {
  clock += 999;
  const headers = { "X-Ovh-Signature": undefined, "X-Ovh-Consumer": undefined };
  const { value } = await call("GET", "/auth/time", undefined, { headers });
  expect(value).toBe(Math.floor(clock / 1000));
});

describe("the bytes that are signed", () => {
  const record = "/domain/zone/geoclic.test/record";

  test("are those of the body as it came", async () => {
    const text = '{ "fieldType":"TXT",\n"subDomain":"a", "target":"\\u003cé\\u003e" }';
    expect(await call("POST", record, undefined, { text })).toMatchObject({
      status: 200,
      value: { target: '"<é>"' },
    });
  });

  test("are those of a GET's body too, which says nothing", async () => {
    await call("POST", record, { fieldType: "A", subDomain: "b", target: "203.0.113.1" });
    const body = { fieldType: "A", subDomain: "a", target: "203.0.113.1", ttl: 0 };
    const answer = await call("GET", record, body);
    expect(answer).toMatchObject({ status: 200, value: [expect.any(Number)] });
  });

  test("keep the address as it was encoded", async () => {
    expect((await call("GET", `${record}?subDomain=%61%2e&fieldType=A`)).status).toBe(200);
  });

  test("have the public address, where there is one", async () => {
    const publicUrl = "https://ovh.geoclic.test/1.0";
    await restart({ publicUrl });
    expect((await call("GET", "/me")).value.errorCode).toBe("INVALID_SIGNATURE");
    expect((await call("GET", "/me", undefined, { signedUrl: `${publicUrl}/me` })).status).toBe(200);
  });
});

test("a token opens what a signature opens", async () => {
  await restart({ credentials: { ...labCredentials, accessToken: "token" } });
  const headers = {
    "X-Ovh-Application": undefined,
    "X-Ovh-Consumer": undefined,
    Authorization: "Bearer token",
  };
  expect((await call("GET", "/me", undefined, { headers })).status).toBe(200);
});

test("a right that was not given is refused, and those that were are told", async () => {
  const rules = [
    { method: "GET", path: "/domain/zone*" },
    { method: "POST", path: "/me/order/*/pay" },
  ];
  await restart({ credentials: { ...labCredentials, rules } });
  expect((await call("GET", "/domain/zone")).status).toBe(200);
  expect((await call("GET", "/domain/zone/geoclic.test/record")).status).toBe(200);
  const denied = { errorCode: "NOT_GRANTED_CALL", message: "This call has not been granted" };
  expect(await call("POST", "/domain/zone/geoclic.test/refresh")).toMatchObject({
    status: 403,
    value: denied,
  });
  expect(await call("GET", "/vps")).toMatchObject({ status: 403, value: denied });
  expect((await call("POST", "/me/order/1/pay")).status).toBe(404);
  expect((await call("GET", "/auth/details")).value.allowedRoutes).toEqual(rules);
});
