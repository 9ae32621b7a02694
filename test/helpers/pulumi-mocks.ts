/** @module Records the resources that a program declares. Set the mocks first, import components after. */
import * as pulumi from "@pulumi/pulumi";

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Recorded {
  readonly declared: Declared[];
  /** Waits until everything declared so far is recorded. */
  settle(): Promise<void>;
}

/** `made`: a resource exists when this ends. */
export async function recordResources(
  made: (declared: Declared) => Promise<void> | void = () => {},
): Promise<Recorded> {
  const declared: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        const resource = { type, name, inputs: inputs as Record<string, unknown> };
        declared.push(resource);
        await made(resource);
        return { id: `${name}-id`, state: { ...inputs, ...outputs(type, name) } };
      },
      call: ({ token, inputs }) => {
        if (inputs.serviceName === "vps-99999999.vps.ovh.net") throw new Error("no answer");
        if (token === "ovh:Vps/getVps:getVps")
          return { ...inputs, ips: ["2001:db8::1", "51.210.42.200"], name: inputs.serviceName };
        throw new Error(`no mock for the function ${token}`);
      },
    },
    "geoclic-fleet",
    "test",
    false,
  );
  return { declared, settle: () => pulumi.runtime.disconnect() };
}

/** What the engine would add to a resource's inputs. */
function outputs(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case "random:index/randomBytes:RandomBytes":
      return { hex: `hex-of-${name}` };
    case "random:index/randomPassword:RandomPassword":
      return { result: `hex-of-${name}` };
    case "tls:index/privateKey:PrivateKey":
      return { publicKeyOpenssh: "ssh-ed25519 PUBLIC\n", privateKeyOpenssh: "PRIVATE" };
    case "pulumi:pulumi:StackReference":
      return { outputs: { publicKey: "ssh-ed25519 KEY" } };
    default:
      return {};
  }
}

/** Options that a component's children got, by name: give the result's `watch` to the component's own options. */
export function watchOptions(): {
  readonly watch: pulumi.ResourceTransformation;
  readonly options: ReadonlyMap<string, pulumi.CustomResourceOptions>;
} {
  const options = new Map<string, pulumi.CustomResourceOptions>();
  return {
    options,
    watch: ({ name, opts }) => {
      options.set(name, opts as pulumi.CustomResourceOptions);
      return undefined;
    },
  };
}

/** Mocks get secrets as the engine does: wrapped, with a signature. */
export function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && "4dabf18193072939515e22adb298388d" in value;
}

/** A value as it is, whether it came as a secret or not. */
export function plain(value: unknown): unknown {
  return isSecret(value) ? (value as { value: unknown }).value : value;
}

/** Value and secrecy of an output. */
export async function known<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
  const value = await new Promise<T>((resolve) => output.apply((each) => resolve(each as T)));
  return { value, secret: await pulumi.isSecret(output) };
}
