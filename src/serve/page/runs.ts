// What the page asks about the runs of a folder: how they stand, as events; curves, texts, reports; and requests to what trains.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { requests } from "../../runs/index.ts";
import { findReports, readReport, type WatchedRuns } from "../../watch/index.ts";
import type { RequestContext } from "../context.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { RequestError, refuse, requestErrorOf } from "../request-error.ts";

/** How often one looks whether runs have gone on, in milliseconds. */
const lookMs = 2000;

/** Reports are pages of their own, which may look and do nothing else, wherever they are shown. */
const reportHeaders = {
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
};

const requestBody = z.strictObject({
  run: z.string(),
  request: z.enum(requests),
  /** Whether it is asked for, or taken back. */
  isAsked: z.boolean(),
});

/** The routes. @param root the folder whose runs and reports these are */
export function runRoutes(watched: WatchedRuns, root: string): readonly Route[] {
  return [
    route({
      ...{ method: "GET", path: "/page/events", summary: "How all runs stand, whenever that changes, as server-sent events" },
      handle: (context: RequestContext) => events(watched, context),
    }),
    route({
      ...{ method: "GET", path: "/page/series", summary: "The curves of a run: ?run=ID&points=N, with from and to as steps" },
      handle: (context: RequestContext) => told(async () => watched.series(context.query("run") ?? "", seriesQuery(context))),
    }),
    route({
      ...{ method: "GET", path: "/page/samples", summary: "What a run wrote as it learned: ?run=ID" },
      handle: (context: RequestContext) => told(() => watched.samples(context.query("run") ?? "")),
    }),
    route({
      ...{
        method: "POST",
        path: "/page/requests",
        summary: "Asks a run that trains to pause, to stop and save, or to write now",
        body: requestBody,
      },
      handle: (_: RequestContext, { run, request, isAsked }: z.output<typeof requestBody>) =>
        told(async () => {
          await (isAsked ? watched.ask(run, request) : watched.takeBack(run, request));
          return {};
        }),
    }),
    route({
      ...{ method: "GET", path: "/page/reports", summary: "The reports of studies, runs and data" },
      handle: () => told(() => findReports(root)),
    }),
    route({
      ...{ method: "GET", path: "/page/report", summary: "A report as it is: ?id=ID" },
      handle: (context: RequestContext): Promise<Answer> =>
        explained(async () => ({
          headers: reportHeaders,
          body: { text: await readReport(root, context.query("id") ?? ""), type: "text/html; charset=utf-8" },
        })),
    }),
  ];
}

function seriesQuery(context: RequestContext): { points: number; from?: number; to?: number } {
  const [points = 500, from, to] = ["points", "from", "to"].map((name) => numberOf(context, name));
  return { points, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function numberOf(context: RequestContext, name: string): number | undefined {
  const text = context.query(name);
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : refuse(`${name} is "${text.slice(0, 40)}" but must be a whole number`, name);
}

function told(act: () => Promise<unknown>): Promise<Answer> {
  return explained(async () => ({ body: { json: await act() } }));
}

async function explained(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    throw requestErrorOf(error);
  }
}

/** The list at once, and again whenever it is another one, until the page is closed. */
async function events(watched: WatchedRuns, context: RequestContext): Promise<undefined> {
  let said = JSON.stringify(await watched.list().catch((error) => throwTold(error)));
  const stream = context.stream();
  const signal = AbortSignal.any([context.signal, context.server.stopping]);
  stream.event(said, "runs");
  while (!signal.aborted) {
    await sleep(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    await stream.ready();
    const now = JSON.stringify(await watched.list().catch(() => []));
    if (now !== said) stream.event(now, "runs");
    said = now;
  }
  stream.end();
  return undefined;
}

function throwTold(error: unknown): never {
  const told = requestErrorOf(error);
  throw new RequestError("notFound", told.message, { cause: error });
}
