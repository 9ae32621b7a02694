/** @module Records the resources that a program declares. Set the mocks first, import components after. */
import * as pulumi from "@pulumi/pulumi";

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** `settle` waits until everything declared so far is recorded. */
export async function recordResources(): Promise<{ declared: Declared[]; settle: () => Promise<void> }> {
  const declared: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        declared.push({ type, name, inputs: inputs as Record<string, unknown> });
        const outputs =
          type === "random:index/randomPassword:RandomPassword" ? { result: `hex-of-${name}` } : {};
        const references =
          type === "pulumi:pulumi:StackReference" ? { outputs: { publicKey: "ssh-ed25519 KEY" } } : {};
        return { id: `${name}-id`, state: { ...inputs, ...outputs, ...references } };
      },
      call: ({ token }) => {
        throw new Error(`no mock for the function ${token}`);
      },
    },
    "geoclic-fleet",
    "test",
    false,
  );
  return { declared, settle: () => pulumi.runtime.disconnect() };
}
