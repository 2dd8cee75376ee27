// A small static server on this machine's loopback address. What stands under /isolated/ comes with the headers that isolate a page's origins.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const types = { ".html": "text/html", ".js": "text/javascript" };
const isolating = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const pageOf = (script) => `<!doctype html><meta charset="utf-8"><title>cria</title><script type="module" src="${script}.js"></script>`;

/** A folder is a page with the script page.js, or with the one that stands behind "?". @param folders where what stands under the second part of a path lies. @returns its address, and what ends it */
export async function serve(folders) {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url, "http://localhost");
    const [, isolation, name, ...rest] = normalize(pathname).split("/");
    const headers = isolation === "isolated" ? isolating : {};
    const path = join(folders[name] ?? "", ...rest);
    if (rest.join("") === "")
      return response.writeHead(200, { ...headers, "content-type": types[".html"] }).end(pageOf(search.slice(1) || "page"));
    if (folders[name] === undefined || !existsSync(path)) return response.writeHead(404).end();
    sendFile(request, response, path, headers);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

function sendFile(request, response, path, headers) {
  const { size } = statSync(path);
  const type = { "content-type": types[extname(path)] ?? "application/octet-stream", "cross-origin-resource-policy": "same-origin" };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null) {
    response.writeHead(200, { ...headers, ...type, "content-length": size });
    return createReadStream(path).pipe(response);
  }
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
  response.writeHead(206, { ...headers, ...type, "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` });
  return createReadStream(path, { start, end }).pipe(response);
}
