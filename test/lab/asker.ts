/** @module The process of the prober that asks, until it is told to stop; then it tells every answer, by route. */
import { Agent, request } from "node:https";
import type { Answer, Route } from "./prober.ts";

const perSecond = 20;
/** The suite limits one address to 30 a second there, and all of ours come from one. */
const apiPerSecond = 24;
const timeoutMilliseconds = 10_000;

const { domain, reach, routes } = JSON.parse(process.argv[2] ?? "") as {
  domain: string;
  reach: string;
  routes: Route[];
};
const limited = routes.filter((route) => isLimited(route) && route.perSecond === undefined).length;
const reserved = routes.reduce((sum, route) => sum + (isLimited(route) ? (route.perSecond ?? 0) : 0), 0);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const start = performance.now();
let isOn = true;

const lanes = routes.map(async (route, index) => {
  const rate =
    route.perSecond ??
    (isLimited(route) ? Math.min(perSecond, (apiPerSecond - reserved) / limited) : perSecond);
  const asked: Promise<Answer>[] = [];
  // One after the other, as a public does, not all at the same moment.
  const first = start + (index / routes.length) * (1000 / rate);
  for (let number = 0; isOn; number += 1) {
    asked.push(ask(route, number % 2 === 0 ? agent : false));
    // By the clock, so that a late tick is made up for.
    const next = first + ((number + 1) * 1000) / rate - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next)));
  }
  const name = route.post === undefined ? route.path : `${route.path} POST`;
  return [name, await Promise.all(asked)] as const;
});

process.on("message", async () => {
  isOn = false;
  const answers = Object.fromEntries(await Promise.all(lanes));
  process.send?.(answers, () => process.exit());
});
process.on("disconnect", () => process.exit());

function isLimited({ path }: Route): boolean {
  return path.startsWith("/api");
}

function ask({ path, post }: Route, agent: Agent | false): Promise<Answer> {
  const at = performance.now() - start;
  const body = post === undefined ? undefined : JSON.stringify(post);
  return new Promise((resolve) => {
    const asked = request({
      host: reach,
      servername: domain,
      port: 443,
      path,
      agent,
      method: body === undefined ? "GET" : "POST",
      headers: {
        host: domain,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
      timeout: timeoutMilliseconds,
    });
    const failed = (reason: string, status = 0) => {
      const kind = agent === false ? "new" : "kept";
      resolve({ at, status, reason: `${(at / 1000).toFixed(2)} s, ${kind} connection: ${reason}` });
    };
    asked.on("timeout", () => asked.destroy(new Error("no answer within 10 s")));
    asked.on("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
    asked.on("response", (response) => {
      let text = "";
      const status = response.statusCode ?? 0;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", (error) => failed(`${status}, then ${error.message}`));
      response.on("end", () => {
        const isExpected = status === (body === undefined ? 200 : 201);
        if (status === 429) resolve({ at, status });
        else if (!isExpected) failed(`HTTP ${status}: ${text.slice(0, 80).replaceAll(/\s+/g, " ")}`, status);
        else if (path.endsWith("/api/health") && !text.includes('"status":"healthy"'))
          failed(`not healthy: ${text.slice(0, 200)}`, status);
        else resolve({ at, status });
      });
    });
    asked.end(body);
  });
}
