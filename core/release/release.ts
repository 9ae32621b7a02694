/** @module A release: an immutable snapshot of the suite, its adapter and the server's scripts, named by its content. */
import { posix } from "node:path";
import type { Adapter, AdapterHook } from "../config/adapter.ts";
import { FleetError } from "../errors.ts";
import { imageName, serverPaths } from "../naming.ts";
import { type BaseBuild, type BaseCompose, parseBaseCompose } from "../render/base-compose.ts";
import { baseName, renderCompose } from "../render/compose.ts";
import { ingressFiles } from "../render/ingress.ts";
import type { SuiteSql } from "./sql.ts";
import { below, shortHash, type TreeEntry, treeHash } from "./tree.ts";

export interface ReleaseService {
  readonly image: string;
  readonly origin: "built" | "pulled";
  /** Reference that a `pulled` image has at its registry. */
  readonly reference?: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    /** Stage of the Dockerfile; absent for the last one. */
    readonly target?: string;
    readonly args: Readonly<Record<string, string>>;
    /** Paths of the build's context. */
    readonly inputs: readonly string[];
  };
  readonly stateful: boolean;
  readonly ingress: boolean;
  readonly drainSeconds: number;
}

export interface ReleaseBind {
  readonly hash: string;
  readonly source: string;
  readonly target: string;
  /** Text of files that the tool adds. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ReleaseStatic {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  /** Folders inside it on which the ingress mounts something else. */
  readonly mountPoints: readonly string[];
}

/** `release.json`: what operator and server know of a release. */
export interface Release {
  readonly format: 1;
  /** 12 hex characters. */
  readonly id: string;
  /** The suite's own version, from its file VERSION; empty when it has none. */
  readonly version: string;
  readonly project: string;
  /** Hash of the server's scripts. */
  readonly scripts: string;
  readonly services: Readonly<Record<string, ReleaseService>>;
  readonly binds: readonly ReleaseBind[];
  readonly static: readonly ReleaseStatic[];
  readonly hooks: Readonly<
    Record<
      "createAdmin" | "setTown" | "disableDefaultAdmin",
      { readonly service: string; readonly argv: readonly string[] }
    >
  >;
  /** Absent in releases of earlier versions. */
  readonly sql?: SuiteSql;
  readonly adapter: Adapter;
}

export interface ReleaseSource {
  readonly adapter: Adapter;
  /** Text of the base compose file. */
  readonly compose: string;
  /** The suite's tree after exclusions. */
  readonly suite: readonly TreeEntry[];
  readonly sql: SuiteSql;
  readonly scripts: readonly TreeEntry[];
  /** Text of the hooks' scripts, by the path that the adapter names. */
  readonly hookScripts: Readonly<Record<string, string>>;
  readonly version: string;
  /** See `suite.imagesAsOf` of the stack. */
  readonly imagesAsOf: string;
}

/**
 * @returns the release and the text of its effective compose file
 * @throws FleetError `COMPOSE_UNEXPECTED` when suite and adapter do not fit
 */
export function makeRelease(source: ReleaseSource): { release: Release; compose: string } {
  const { adapter, suite } = source;
  const base = parseBaseCompose(source.compose, adapter);
  const composeFolder = posix.dirname(adapter.compose);
  const inSuite = (path: string) => posix.normalize(posix.join(composeFolder, path));

  const services = Object.fromEntries(Object.keys(adapter.services).map((name) => [name, service(name)]));
  const binds = Object.entries(adapter.binds)
    .filter(([, kind]) => kind === "config")
    .map(([path]) => bind(path));
  const compose = renderCompose({
    base,
    adapter,
    images: Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image])),
    configBinds: Object.fromEntries(binds.map(({ path, bind: { target } }) => [path, target])),
  });
  const content: Omit<Release, "id"> = {
    format: 1,
    version: source.version,
    project: adapter.project,
    scripts: treeHash(source.scripts),
    services,
    binds: binds.map((each) => each.bind),
    static: Object.entries(adapter.binds)
      .filter(([, kind]) => kind === "static")
      .map(([path]) => staticFolder(path)),
    hooks: {
      createAdmin: hook(adapter.hooks.createAdmin),
      setTown: hook(adapter.hooks.setTown),
      disableDefaultAdmin: hook(adapter.hooks.disableDefaultAdmin),
    },
    sql: source.sql,
    adapter,
  };
  const id = shortHash(JSON.stringify(content), compose, treeHash(suite));
  return { release: { id, ...content }, compose };

  function service(name: string): ReleaseService {
    const rules = adapter.services[name];
    const described = base.services[name];
    if (!rules || !described)
      throw new FleetError("COMPOSE_UNEXPECTED", { problem: `service ${name} is missing` });
    const common = { stateful: rules.stateful, ingress: rules.ingress, drainSeconds: rules.drainSeconds };
    if (rules.image === "pulled") {
      const reference = described.image;
      if (!reference)
        throw new FleetError("COMPOSE_UNEXPECTED", { problem: `service ${name} names no image to pull` });
      if (!/^[A-Za-z0-9][\w./:@-]*$/.test(reference))
        throw new FleetError("COMPOSE_VALUE_REFUSED", {
          file: adapter.compose,
          problems: `services.${name}.image: expected an image's name without variables, got ${JSON.stringify(reference)}`,
        });
      const key = shortHash("pulled", reference, source.imagesAsOf);
      return { image: imageName(adapter.name, name, key), origin: "pulled", reference, ...common };
    }
    if (!described.build)
      throw new FleetError("COMPOSE_UNEXPECTED", { problem: `service ${name} has no \`build\`` });
    const build = buildOf(name, described.build, rules.inputs);
    const content = build.inputs.flatMap((path) => below(suite, path));
    if (content.length === 0)
      throw new FleetError("COMPOSE_UNEXPECTED", {
        problem: `the inputs of service ${name} (${build.inputs.join(", ")}) are not in the suite`,
      });
    const key = shortHash("built", JSON.stringify(build), treeHash(content), source.imagesAsOf);
    return { image: imageName(adapter.name, name, key), origin: "built", build, ...common };
  }

  function buildOf(name: string, build: BaseBuild, inputs: readonly string[] | undefined) {
    const context = inSuite(build.context);
    const dockerfile = posix.normalize(posix.join(context, build.dockerfile));
    if ([context, dockerfile].some((path) => path === ".." || path.startsWith("../")))
      throw new FleetError("COMPOSE_UNEXPECTED", { problem: `service ${name} is built outside the suite` });
    const args = Object.fromEntries(Object.entries(build.args).map(([key, value]) => [key, String(value)]));
    // Docker leaves out what they say, as in a plain checkout.
    const ignoring = [posix.join(context, ".dockerignore"), `${dockerfile}.dockerignore`];
    const present = ignoring.filter((path) => below(suite, path).length > 0);
    const all = [...new Set([...(inputs ?? [context]), dockerfile, ...present])];
    const { target } = build;
    return { context, dockerfile, ...(target === undefined ? {} : { target }), args, inputs: all.sort() };
  }

  function bind(path: string): { path: string; bind: ReleaseBind } {
    const sourcePath = inSuite(path);
    const files = path === adapter.ingress.confd ? ingressFiles(adapter) : {};
    const content = below(suite, sourcePath);
    if (content.length === 0)
      throw new FleetError("COMPOSE_UNEXPECTED", {
        problem: `the bind mount ${path} (${sourcePath}) is not in the suite`,
      });
    const hash = shortHash(treeHash(content), JSON.stringify(files));
    const target = `${serverPaths.binds}/${hash}/${baseName(path)}`;
    return { path, bind: { hash, source: sourcePath, target, files } };
  }

  function staticFolder(path: string): ReleaseStatic {
    const { acme, public: published } = adapter.ingress;
    const inContainer = mountTarget(base, path);
    const nested = [acme, published].filter((target) => target.startsWith(`${inContainer}/`));
    return {
      name: baseName(path),
      source: inSuite(path),
      target: `${serverPaths.static}/${baseName(path)}`,
      mountPoints: nested.map((target) => target.slice(inContainer.length + 1)),
    };
  }

  function hook({ service: name, interpreter, script }: AdapterHook) {
    const text = source.hookScripts[script];
    if (text === undefined)
      throw new FleetError("COMPOSE_UNEXPECTED", { problem: `the hook ${script} was not read` });
    return { service: name, argv: [...interpreter, text] };
  }
}

/** Where a bind mount of the base file ends inside its container. */
function mountTarget(base: BaseCompose, source: string): string {
  const mounts = Object.values(base.services).flatMap((service) => service.mounts);
  const mount = mounts.find((each) => each.source === source);
  if (!mount)
    throw new FleetError("COMPOSE_UNEXPECTED", {
      problem: `no service mounts ${source}, which the adapter names`,
    });
  return mount.target;
}

/** Content key of each service, as a release is shown in a preview. */
export function serviceKeys(release: Release): Record<string, string> {
  return Object.fromEntries(
    Object.entries(release.services).map(([name, { image }]) => [name, image.split(":").at(-1) ?? image]),
  );
}
