/** @module Programs of a server, imitated well enough to be spoken to over a real connection. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface ImitatedServer {
  /** Where what is meant for /opt/geoclic is written. */
  readonly root: string;
  /** Tags that its Docker knows. */
  images(): Promise<string[]>;
  /** Puts a program in the way of the server's own. */
  program(name: string, script: string): Promise<void>;
}

/**
 * A `sudo` that becomes nobody, puts /opt/geoclic into a folder, and finds a `docker` that pulls by plain HTTP and checks
 * every digest. `pulling`: shell lines that run before each pull.
 */
export async function imitateServer(bin: string, pulling = ""): Promise<ImitatedServer> {
  const root = join(bin, "../opt");
  const docker = join(bin, "../docker");
  await mkdir(join(root, "releases"), { recursive: true });
  await mkdir(docker);
  const elsewhere = `for word do shift; set -- "$@" "$(printf %s "$word" | sed 's|/opt/geoclic|${root}|g')"; done`;
  await program("sudo", `shift; ${elsewhere}; exec "$@"`);
  await program("ls", `${elsewhere}; exec /bin/ls "$@"`);
  await program(
    "docker",
    `set -e
cd ${docker}
case "$1 $2" in
  "image ls") cat tags 2>/dev/null || true ;;
  "image rm") rm -f "pulled-$(echo "$4" | tr -c 'A-Za-z0-9\\n' _)" ;;
  "pull --quiet")
    ${pulling}
    reference=$3; registry=\${reference%%/*}; rest=\${reference#*/}; repository=\${rest%@*}; digest=\${rest#*@}
    get() { curl -sf --max-time 20 "http://$registry/v2/$repository/$1/$2" -o "$2" && echo "\${2#sha256:}  $2" | sha256sum -c --quiet >&2; }
    get manifests "$digest"
    for blob in $(grep -o 'sha256:[0-9a-f]*' "$digest"); do get blobs "$blob"; done
    touch "pulled-$(echo "$reference" | tr -c 'A-Za-z0-9\\n' _)" ;;
  "tag "*) test -e "pulled-$(echo "$2" | tr -c 'A-Za-z0-9\\n' _)" && echo "$3" >> tags ;;
  *) echo "no such command: $*" >&2; exit 1 ;;
esac`,
  );
  return {
    root,
    images: async () =>
      (await readFile(join(docker, "tags"), "utf8").catch(() => "")).split("\n").filter(Boolean),
    program,
  };

  async function program(name: string, script: string): Promise<void> {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
}
