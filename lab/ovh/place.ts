/** @module Where the lab's OVH lives, and the addresses of its VPSes. */
import { join } from "node:path";
import { LAB, LOOPBACK, RUN } from "../layout.ts";
import { labCredentials } from "./credentials.ts";

export const HOST = LOOPBACK.services;
export const PORT = 8060;
/** For tests: faults, state, audit. */
export const ADMIN_PORT = 8061;
export const STATE_FILE = join(LAB, "ovh", "state.json");
export const PROCESS_FILE = join(RUN, "ovh.json");
export const LOG_FILE = join(RUN, "ovh.log");

/** Variables of an operator who deals with the lab's OVH and with no other. */
export function ovhEnvironment(): Record<string, string> {
  return {
    OVH_ENDPOINT: `http://${HOST}:${PORT}/1.0`,
    OVH_APPLICATION_KEY: labCredentials.applicationKey,
    OVH_APPLICATION_SECRET: labCredentials.applicationSecret,
    OVH_CONSUMER_KEY: labCredentials.consumerKey,
    OVH_CLIENT_ID: "",
    OVH_CLIENT_SECRET: "",
    OVH_ACCESS_TOKEN: "",
  };
}

/** Addresses of the VPS that is server `number` of the lab. Only the second is real there. */
export function addressesOf(number: number): string[] {
  return [`2001:41d0:305:2100::${number}`, `10.77.0.${number}`];
}

/** Number of the lab's server that has one of these addresses. @throws Error when none has */
export function numberOf(ips: readonly string[]): number {
  const number = ips.map((ip) => /^10\.77\.0\.(\d+)$/.exec(ip)?.[1]).find((found) => found !== undefined);
  if (number !== undefined) return Number(number);
  throw new Error(`Addresses of a VPS: got ${ips.join(", ")}, expected one of the lab.`);
}

/** Loopback address at which this machine reaches the VPS of that address. */
export function reachOf(ip: string): string {
  return `127.0.10.${numberOf([ip])}`;
}
