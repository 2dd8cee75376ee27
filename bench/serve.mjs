// What a server of a small model does under load: throughput with one client and eight, then 200 clients whose requests are plain, streamed, cut off, read
// slowly, too large, malformed or for another model, with the process killed once in the middle. Every request is answered once, as it must be, or fails
// with its connection; memory and handles come back. `node bench/run.mjs serve`; SERVE_REQUESTS sets the number of requests.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import { Rng } from "../dist/base/index.js";
import { sharedData } from "../dist/load/shared-data.test.helper.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const requests = Number(process.env.SERVE_REQUESTS ?? 10_000);
const clients = 200;
const bodyBytes = 100_000;

export async function run() {
  const stories = sharedData("stories260K");
  const model = stories === undefined ? here("../test/fixtures/2026-11-28/run") : `${stories}/stories260K.bin`;
  console.log(`model ${stories === undefined ? "of the fixtures (CRIA_DATA has no stories260K)" : "stories260K"}`);
  const server = new Server(model);
  await server.start();
  await throughput(server);
  await load(server);
  await server.stop();
}

/** Tokens per second of one client and of eight, each of which asks for one text after the other. */
async function throughput(server) {
  const rates = [];
  const text = () => server.ask(generation({ max_tokens: 64 })).then(({ body }) => JSON.parse(body).usage.completion_tokens);
  await Promise.all(Array.from({ length: 8 }, text)); // compiles
  for (const count of [1, 8]) {
    const began = performance.now();
    const tokens = await Promise.all(Array.from({ length: count }, () => inTurn(6, text)));
    rates.push(sum(tokens.flat()) / ((performance.now() - began) / 1000));
  }
  console.log(`tokens/s    1 client ${rates[0].toFixed(0)}, 8 clients ${rates[1].toFixed(0)}: ${(rates[1] / rates[0]).toFixed(2)} times`);
}

async function load(server) {
  const rng = new Rng(1);
  const kinds = Array.from({ length: requests }, () => kindOf(rng.uniform()));
  let before = server.holds();
  const outcomes = new Map();
  const times = { first: [], between: [] };
  const began = performance.now();
  const queue = kinds.entries();
  const client = async () => {
    for (const [i, name] of queue) {
      if (i === Math.floor(requests / 2)) {
        await server.restart();
        await server.ask(generation({ max_tokens: 4 }));
        before = server.holds();
      }
      const outcome = await kindRows[name]
        .ask(server, times)
        .catch((error) => (error.code === undefined ? String(error) : "connection lost"));
      const isRight = kindRows[name].expected.includes(outcome);
      const told = isRight || outcome === "connection lost" ? outcome : `WRONG: ${outcome}`;
      outcomes.set(`${name}: ${told}`, (outcomes.get(`${name}: ${told}`) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - began) / 1000;
  for (const [what, count] of [...outcomes].sort()) console.log(`  ${what.padEnd(40)}${count}`);
  console.log(`${requests} requests of ${clients} clients in ${seconds.toFixed(1)} s; answered ${sum([...outcomes.values()])}`);
  console.log(`ms to the first token   p50 ${quantile(times.first, 0.5)}, p99 ${quantile(times.first, 0.99)}`);
  console.log(`ms between two tokens   p50 ${quantile(times.between, 0.5)}, p99 ${quantile(times.between, 0.99)}`);
  server.disconnect();
  await new Promise((done) => setTimeout(done, 1000));
  const after = server.holds();
  console.log(`memory      ${before.megabytes} MB before, ${after.megabytes} MB after (the restarted process)`);
  console.log(`handles     ${before.handles} before, ${after.handles} after`);
}

const shares = { plain: 0.6, streamed: 0.2, cut: 0.06, slow: 0.02, oversize: 0.03, malformed: 0.03, "no UTF-8": 0.03, "other model": 0.03 };

function kindOf(uniform) {
  let below = 0;
  for (const [name, share] of Object.entries(shares)) {
    below += share;
    if (uniform < below) return name;
  }
  return "plain";
}

const busy = ["answered", "told to come back"];

/** What a client does, and the outcomes that are right. */
const kindRows = {
  plain: { expected: busy, ask: async (server) => outcomeOf(await server.ask(generation({ max_tokens: 16 }))) },
  streamed: {
    expected: busy,
    ask: async (server, times) => outcomeOf(await server.ask(generation({ max_tokens: 24, stream: true }), { times })),
  },
  cut: { expected: ["hung up", "told to come back"], ask: (server) => server.hangUp(generation({ max_tokens: 200, stream: true })) },
  slow: { expected: busy, ask: async (server) => outcomeOf(await server.ask(generation({ max_tokens: 32, stream: true }), { delay: 50 })) },
  oversize: { expected: ["413"], ask: async (server) => outcomeOf(await server.ask("x".repeat(2 * bodyBytes))) },
  malformed: { expected: ["400"], ask: async (server) => outcomeOf(await server.ask('{"model": "m", "prompt": ')) },
  "no UTF-8": { expected: ["400"], ask: async (server) => outcomeOf(await server.ask(Buffer.from([0x7b, 0xff, 0x7d]))) },
  "other model": { expected: ["404"], ask: async (server) => outcomeOf(await server.ask(generation({ model: "other" }))) },
};

function generation(more) {
  return JSON.stringify({ model: "m", prompt: "Once upon a time, there was", temperature: 1, ...more });
}

/** An answer counts where it is whole: one object with usage, or a stream up to its end. */
function outcomeOf({ status, body }) {
  if (status === 429) return "told to come back";
  if (status !== 200) return String(status);
  const isWhole = body.startsWith("{") ? JSON.parse(body).usage.completion_tokens > 0 : body.match(/data: \[DONE\]\n\n/g)?.length === 1;
  return isWhole ? "answered" : "answered in part";
}

/** The server as a process of its own. */
class Server {
  #model;
  #process;
  #port = 0;
  #agent = new Agent({ keepAlive: true, maxSockets: 2 * clients });
  #restarting;

  constructor(model) {
    this.#model = model;
  }

  async start() {
    const words = ["serve", `m=${this.#model}`, "--port", String(this.#port), "--max-body", String(bodyBytes), "--queue", "400"];
    this.#process = spawn(process.execPath, [here("../dist/cli/main.js"), ...words], { stdio: ["ignore", "pipe", "ignore"] });
    for await (const chunk of this.#process.stdout) {
      const port = /:(\d+)\/v1/.exec(String(chunk))?.[1];
      if (port === undefined) continue;
      this.#port = Number(port);
      return;
    }
  }

  /** Kills the process and starts another one, which those who ask meanwhile wait for. */
  async restart() {
    this.#process.kill("SIGKILL");
    this.#restarting = this.start();
    await this.#restarting;
    this.#restarting = undefined;
  }

  async stop() {
    this.#process.kill("SIGTERM");
    await new Promise((done) => this.#process.once("exit", done));
  }

  /** Closes connections that are kept for later requests. */
  disconnect() {
    this.#agent.destroy();
  }

  holds() {
    const folder = `/proc/${this.#process.pid}`;
    if (!existsSync(folder)) return { megabytes: "?", handles: "?" };
    const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`${folder}/status`, "utf8"))?.[1]);
    return { megabytes: Math.round(kilobytes / 1024), handles: readdirSync(`${folder}/fd`).length };
  }

  /** @param delay milliseconds between two pieces that are read @param times where times between tokens go */
  async ask(body, { delay = 0, times } = {}) {
    await this.#restarting;
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const request = this.#post(body, async (response) => {
        let [text, last] = ["", undefined];
        try {
          for await (const chunk of response) {
            text += chunk;
            const now = performance.now();
            if (times !== undefined && String(chunk).includes('"text"')) {
              if (last === undefined) times.first.push(now - began);
              else times.between.push(now - last);
              last = now;
            }
            if (delay > 0) await new Promise((done) => setTimeout(done, delay));
          }
          resolve({ status: response.statusCode, body: text });
        } catch (error) {
          reject(error);
        }
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  /** Leaves at the first piece of an answer. */
  async hangUp(body) {
    await this.#restarting;
    return new Promise((resolve, reject) => {
      const request = this.#post(body, (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          return resolve(response.statusCode === 429 ? "told to come back" : String(response.statusCode));
        }
        response.on("error", reject);
        response.once("data", () => {
          request.destroy();
          resolve("hung up");
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  #post(body, onResponse) {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    return httpRequest(
      { host: "127.0.0.1", port: this.#port, path: "/v1/completions", method: "POST", agent: this.#agent, headers },
      onResponse,
    );
  }
}

async function inTurn(count, work) {
  const results = [];
  for (let i = 0; i < count; i++) results.push(await work());
  return results;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.length === 0 ? "?" : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
}
