/** @module Programs of the engine's Debian tree (iptables, nft, ip, tc), run on this machine's kernel. */
import { execa } from "execa";
import { LabError } from "./errors.ts";

export interface TreeOptions {
  readonly input?: string;
  /** Process whose network the program works on; this machine's by default. */
  readonly networkOf?: number;
}

/** Standard output of `argv`, run with the tree `rootfs` as its root. @throws LabError with its message. */
export async function inTree(
  rootfs: string,
  argv: readonly string[],
  options: TreeOptions = {},
): Promise<string> {
  const network = options.networkOf === undefined ? [] : [`--target=${options.networkOf}`, "--net"];
  const result = await execa("nsenter", [...network, `--root=${rootfs}`, "--", ...argv], {
    input: options.input ?? "",
    reject: false,
  });
  if (result.exitCode === 0) return result.stdout;
  throw new LabError(
    `${argv[0]} failed: ${result.stderr || result.message}`,
    "Does this kernel have what it needs?",
  );
}
