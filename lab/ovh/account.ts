/** @module The account: who is asked, by which credentials, with which keys and mails. */
import { badRequest, conflict, publicRoute, type Route, route, textOf, unknownObject } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import type { World } from "./world.ts";

const account = "ab12345-ovh";

export function accountRoutes(world: World, credentials: Credentials): Route[] {
  const { state } = world;
  const mails = () => state.mails.filter(({ visibleFrom }) => visibleFrom <= world.now());
  return [
    publicRoute("GET", "/auth/time", () => Math.floor(world.now() / 1000)),
    route("GET", "/auth/details", () => ({
      account,
      allowedRoutes: credentials.rules,
      description: "lab",
      identities: [`urn:v1:eu:identity:credential:${account}/oauth`],
      ...{ method: "account", roles: [], user: null },
    })),
    route("GET", "/auth/currentCredential", () => ({
      ...{ credentialId: 1, applicationId: 1, status: "validated", ovhSupport: false },
      ...{ creation: null, expiration: null, lastUse: null, rules: credentials.rules },
    })),
    route("GET", "/me", () => (world.rules.isUs ? { ...me, ovhSubsidiary: "US" } : me)),
    route("GET", "/me/sshKey", () => state.sshKeys.map(({ keyName }) => keyName)),
    route("POST", "/me/sshKey", ({ body }) => {
      const [keyName, key] = [textOf(body, "keyName"), textOf(body, "key")];
      if (!/^(ssh|ecdsa)-\S+ \S+/.test(key)) throw badRequest("Invalid SSH key");
      if (state.sshKeys.some((each) => each.keyName === keyName))
        throw conflict(`SSH key ${keyName} already exists`);
      state.sshKeys.push({ keyName, key });
      return null;
    }),
    route("GET", "/me/notification/email/history", () => mails().map(({ id }) => id)),
    route("GET", "/me/notification/email/history/{id}", ({ part }) => {
      const mail = mails().find(({ id }) => String(id) === part.id);
      if (!mail) throw unknownObject("id", part.id);
      const { id, date, subject, body } = mail;
      return { id, date, subject, body };
    }),
  ];
}

const me = {
  ...{ nichandle: account, customerCode: "1234-5678-90", ovhSubsidiary: "FR", ovhCompany: "ovh" },
  ...{ country: "FR", currency: { code: "EUR", symbol: "€" }, email: "lab@example.net" },
  ...{ firstname: "Lab", name: "User", language: "fr_FR", legalform: "individual", state: "complete" },
  ...{ organisation: null, vat: null, address: null, area: null, city: null, zip: null, phone: null },
  ...{ phoneCountry: null, fax: null, sex: null, birthCity: null, birthDay: null, corporationType: null },
  ...{ companyNationalIdentificationNumber: null, nationalIdentificationNumber: null, italianSDI: null },
  spareEmail: null,
};
