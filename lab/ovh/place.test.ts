/** Proves where VPSes of the lab are reached, and that no other OVH is asked from the lab. */
import { expect, test } from "vitest";
import { addressesOf, numberOf, ovhEnvironment, reachOf } from "./place.ts";

test("a VPS is reached on the loopback, by its number", () => {
  expect(addressesOf(42)).toEqual(["2001:41d0:305:2100::42", "10.77.0.42"]);
  expect(numberOf(addressesOf(42))).toBe(42);
  expect(reachOf("10.77.0.42")).toBe("127.0.10.42");
});

test("an address of elsewhere is reached nowhere", () =>
  expect(() => reachOf("203.0.113.1")).toThrow("got 203.0.113.1"));

test("the environment has one way to log in, and the emulator to log in at", () => {
  const environment = ovhEnvironment();
  expect(environment.OVH_ENDPOINT).toBe("http://127.0.10.2:8060/1.0");
  expect(environment).toMatchObject({ OVH_CLIENT_ID: "", OVH_CLIENT_SECRET: "", OVH_ACCESS_TOKEN: "" });
  expect(Object.keys(environment).every((name) => name.startsWith("OVH_"))).toBe(true);
});
