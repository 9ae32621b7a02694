/** @module Where the lab's OVH lives. */
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
