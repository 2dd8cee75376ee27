// Every command, one row each.
import type { CommandRows } from "./command.ts";

/** All commands, in the order of `cria --help`. */
export const commandRows: CommandRows = [
  {
    name: "demo",
    summary: "train a small LLaMA on real text, and let it write",
    load: async () => (await import("./demo.ts")).demo,
  },
  {
    name: "tokenizer",
    summary: "train a tokenizer and use it",
    load: async () => (await import("./tokenizer.ts")).tokenizerCommand,
  },
  {
    name: "data",
    summary: "turn texts into the tokens that training reads",
    load: async () => (await import("./data.ts")).dataCommand,
  },
  {
    name: "train",
    summary: "train a model on texts or by a recipe, or go on with a run that was stopped",
    load: async () => (await import("./train.ts")).train,
  },
  {
    name: "watch",
    summary: "watch runs train in a browser: curves, texts, reports, plans; look into their models, and talk",
    load: async () => (await import("./watch.ts")).watch,
  },
  {
    name: "generate",
    summary: "continue a text with a model (a folder, a GGUF, a llama2.c .bin or hf:owner/name), or answer in a chat",
    load: async () => (await import("./generate.ts")).generate,
  },
  {
    name: "chat",
    summary: "talk with a model in the terminal",
    load: async () => (await import("./chat.ts")).chat,
  },
  {
    name: "serve",
    summary: "serve models over HTTP to programs that speak to OpenAI, Anthropic or Ollama",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "embed",
    summary: "texts as vectors, by what a model's last layer makes of them",
    load: async () => (await import("./embed.ts")).embed,
  },
  {
    name: "convert",
    summary: "write a model as GGUF or as a Hugging Face folder, in fewer bits if need be",
    load: async () => (await import("./convert.ts")).convert,
  },
  {
    name: "inspect",
    summary: "show what a model is, how it is stored, and whether it fits this machine's memory",
    load: async () => (await import("./inspect.ts")).inspect,
  },
  {
    name: "bench",
    summary: "measure how fast a model reads prompts and writes tokens, beside what the machine allows",
    load: async () => (await import("./bench.ts")).bench,
  },
  {
    name: "plan",
    summary: "weigh a larger model against more data, and say what training takes",
    load: async () => (await import("./plan.ts")).plan,
  },
  {
    name: "study",
    summary: "run a claim of the paper as an experiment",
    load: async () => (await import("./study.ts")).study,
  },
  {
    name: "doctor",
    summary: "say what this machine is, what cria makes of it, and what is wrong",
    load: async () => (await import("./doctor.ts")).doctor,
  },
];
