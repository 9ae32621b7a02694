/** @module The account: who is asked, by which credentials, with which keys and mails. */
import { badRequest, notFound, type Route } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import type { World } from "./world.ts";

export function accountRoutes(world: World, credentials: Credentials): Route[] {
  const { state } = world;
  const route = (method: string, pattern: string, handle: Route["handle"], isPublic = false): Route => ({
    method,
    pattern,
    isPublic,
    handle,
  });
  const account = "ab12345-ovh";
  return [
    route("GET", "/auth/time", () => Math.floor(world.now() / 1000), true),
    route("GET", "/auth/details", () => ({
      account,
      allowedRoutes: credentials.rules,
      description: "lab",
      identities: [`urn:v1:eu:identity:credential:${account}/oauth`],
      ...{ method: "account", roles: [], user: null },
    })),
    route("GET", "/auth/currentCredential", () => ({
      credentialId: 1,
      ...{
        status: "validated",
        applicationId: 1,
        ovhSupport: false,
        creation: null,
        expiration: null,
        lastUse: null,
      },
      rules: credentials.rules,
    })),
    route("GET", "/me", () => ({
      nichandle: account,
      ...{ customerCode: "1234-5678-90", ovhSubsidiary: "FR", ovhCompany: "ovh", country: "FR" },
      currency: { code: "EUR", symbol: "€" },
      ...{ email: "lab@example.net", firstname: "Lab", name: "User", language: "fr_FR" },
      ...{ legalform: "individual", state: "complete", organisation: null, vat: null },
    })),
    route("GET", "/me/sshKey", () => state.sshKeys.map(({ keyName }) => keyName)),
    route("POST", "/me/sshKey", ({ body }) => {
      const [keyName, key] = [String(body.keyName ?? ""), String(body.key ?? "")];
      if (keyName === "" || !key.startsWith("ssh-")) throw badRequest("Invalid SSH key");
      state.sshKeys.push({ keyName, key });
      return null;
    }),
    route("GET", "/me/notification/email/history", () => mails().map(({ id }) => id)),
    route("GET", "/me/notification/email/history/{id}", ({ part }) => {
      const mail = mails().find(({ id }) => String(id) === part.id);
      if (!mail) throw notFound(`The requested object (id = ${part.id}) does not exist`);
      const { id, date, subject, body } = mail;
      return { id, date, subject, body };
    }),
  ];

  function mails() {
    return state.mails.filter(({ visibleFrom }) => visibleFrom <= world.now());
  }
}
