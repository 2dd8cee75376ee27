// The page at the server's own address, and what it asks. Its files need no key; what it asks does, which it may send as a cookie, since a page cannot
// give headers to everything that it asks.
import { z } from "zod";
import { WatchedRuns } from "../../watch/index.ts";
import type { RequestContext } from "../context.ts";
import type { ModelRow } from "../models.ts";
import { errorBody } from "../openai/errors.ts";
import { type Answer, type Protocol, type Route, route } from "../protocol.ts";
import { keyCookie, type Security } from "../security.ts";
import { readAssets } from "./assets.ts";
import { lookRoutes } from "./look/index.ts";
import { runRoutes } from "./runs.ts";

/** The page that a server shows. */
export interface PageOptions {
  /** The folder of its built files. */
  readonly assets: string;
  /** The folder whose runs and reports are shown; none are where it is absent. */
  readonly runs?: string | undefined;
  /** The models that there are by now, of which the server lists those that it does not know when the page asks what it may show. */
  findModels?(): Promise<readonly ModelRow[]>;
}

/** What the page learns first. */
export interface PageFacts {
  readonly version: string;
  /** Whether there is a folder with runs and reports. */
  readonly hasRuns: boolean;
  /** The names of the models that answer. */
  readonly models: readonly string[];
}

/** What the page learns of a model before it talks to it. */
export interface ModelFacts {
  readonly name: string;
  /** Whether it has a chat template: others go on from texts alone. */
  readonly hasTemplate: boolean;
  readonly contextLength: number;
}

const keyBody = z.strictObject({ key: z.string().min(1).max(1000) });

/** The page as a protocol. */
export function page({ assets, runs, findModels }: PageOptions, security: Security): Protocol {
  const files = [...readAssets(assets)].map(([path, answer]) =>
    route({ method: "GET", path, summary: "A file of the page", isOpen: true, handle: () => answer }),
  );
  const routes: readonly Route[] = [
    ...files,
    route({
      ...{ method: "GET", path: "/page/facts", summary: "What the page may show" },
      async handle({ server: { version, shelf } }: RequestContext): Promise<Answer> {
        shelf.addNew((await findModels?.()) ?? []);
        return { body: { json: { version, hasRuns: runs !== undefined, models: shelf.list.map(({ name }) => name) } satisfies PageFacts } };
      },
    }),
    route({
      ...{ method: "POST", path: "/page/key", summary: "Keeps an API key as a cookie of this browser", isOpen: true, body: keyBody },
      handle: (context: RequestContext, { key }: z.output<typeof keyBody>): Answer => {
        security.authenticate({ "x-api-key": key }, "");
        return { headers: { "set-cookie": keyCookie(key, context.isEncrypted) }, body: { json: {} } };
      },
    }),
    route({
      ...{ method: "GET", path: "/page/model", summary: "What the page must know of a model, which is loaded for it: ?name=NAME" },
      async handle(context: RequestContext): Promise<Answer> {
        using lease = await context.server.shelf.lease(context.query("name"), context.signal);
        const { contextLength, templateTexts } = lease.model;
        return { body: { json: { name: lease.name, hasTemplate: templateTexts.size > 0, contextLength } satisfies ModelFacts } };
      },
    }),
    ...lookRoutes,
    ...(runs === undefined ? [] : runRoutes(new WatchedRuns(runs), runs)),
  ];
  return { name: "page", isPrivate: true, routes, errorBody };
}
