// cria watch: the page on the runs of a folder, beside whatever trains there.
import { once } from "node:events";
import { UsageError } from "../base/index.ts";
import type { Command } from "./command.ts";
import { booleanFlag, wholeFlag } from "./flag-values.ts";
import { modelsOfRuns, openBrowser, servePage } from "./page.ts";
import { isFolder } from "./paths.ts";

const where = "watch";
/** The command `cria watch`. */
export const watch: Command = {
  name: "watch",
  summary: "watch runs train in a browser: curves, texts, reports, plans; look into their models, and talk",
  usage: "[RUN|FOLDER] [--port 8080] [--no-open]",
  flags: [
    { name: "port", type: "number", help: "the port of the page (default: 8080, or the next one that is free)" },
    { name: "no-open", type: "boolean", help: "open no browser" },
  ],
  async run(args, flags, io) {
    const [given, ...more] = args;
    if (more.length > 0) throw new UsageError(where, `${args.length} folders are given: name one, with all runs below it`);
    const root = given ?? ((await isFolder("runs")) ? "runs" : ".");
    if (!(await isFolder(root))) throw new UsageError(where, `${root} is no folder: name the folder of a run, or one with runs below it`);
    const server = await servePage({ runs: root, port: wholeFlag(flags, where, "port", 0), findModels: () => modelsOfRuns(root) }, io);
    await using _ = { [Symbol.asyncDispose]: () => server.drain() };
    if (io.json) io.stdout(`${JSON.stringify({ url: server.url, folder: root }, null, 2)}\n`);
    else io.stdout(`${server.url} shows the runs in ${root}; Ctrl-C ends it\n`);
    if (!io.json && !booleanFlag(flags, "no-open")) openBrowser(server.url, io);
    if (!io.signal.aborted) await once(io.signal, "abort");
    return 0;
  },
};
