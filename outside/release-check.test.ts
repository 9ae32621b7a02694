/** What a release check gives to a suite's compose file. Not proven here: the check itself (see test/lab/rollout.test.ts). */
import { expect, test } from "vitest";
import { engineEnvironment } from "./release-check.ts";

test("a compose file cannot ask for the operator's own variables", () => {
  const own = {
    PATH: "/bin",
    HOME: "/root",
    DOCKER_HOST: "ssh://engine",
    SSH_AUTH_SOCK: "/run/agent",
    PULUMI_CONFIG_PASSPHRASE: "secret",
    OVH_APPLICATION_SECRET: "secret",
    GITHUB_TOKEN: "secret",
    DB_PASSWORD: "the operator's",
  };
  expect(engineEnvironment(own, { DB_PASSWORD: "the check's" })).toEqual({
    PATH: "/bin",
    HOME: "/root",
    DOCKER_HOST: "ssh://engine",
    SSH_AUTH_SOCK: "/run/agent",
    DB_PASSWORD: "the check's",
  });
});
