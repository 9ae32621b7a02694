/** @module Messages of what is done at OVH: orders and DNS. */
import { area } from "./area.ts";

export const ovh = area({ errors: {}, texts: {} }, { errors: {}, texts: {} });
