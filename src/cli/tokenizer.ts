// cria tokenizer: every command, a row each.
import type { CommandGroup } from "./command.ts";

/** The commands of `cria tokenizer`. */
export const tokenizerCommand: CommandGroup = {
  name: "tokenizer",
  summary: "train a tokenizer and use it",
  commands: [
    {
      name: "train",
      summary: "learn a BPE tokenizer from texts",
      load: async () => (await import("./tokenizer-train.ts")).trainCommand,
    },
    {
      name: "encode",
      summary: "text to token ids",
      load: async () => (await import("./tokenizer-encode.ts")).encodeCommand,
    },
    {
      name: "decode",
      summary: "token ids to text",
      load: async () => (await import("./tokenizer-decode.ts")).decodeCommand,
    },
    {
      name: "inspect",
      summary: "what a tokenizer holds, and how well it fits a text",
      load: async () => (await import("./tokenizer-inspect.ts")).inspectCommand,
    },
    {
      name: "convert",
      summary: "write a tokenizer in another form, with the same ids",
      load: async () => (await import("./tokenizer-convert.ts")).convertCommand,
    },
    {
      name: "extend",
      summary: "add pieces learned from new texts to a tokenizer; the ids it has stay",
      load: async () => (await import("./tokenizer-extend.ts")).extendCommand,
    },
    {
      name: "cut",
      summary: "keep the pieces that texts use, under new ids without gaps, and write which id became which",
      load: async () => (await import("./tokenizer-cut.ts")).cutCommand,
    },
    {
      name: "compare",
      summary: "find the first place where two tokenizers differ on texts; exit code 1 if they do",
      load: async () => (await import("./tokenizer-compare.ts")).compareCommand,
    },
    {
      name: "explain",
      summary: "how a text becomes ids: normalised, cut into words, merged one pair after another",
      load: async () => (await import("./tokenizer-explain.ts")).explainCommand,
    },
    {
      name: "stats",
      summary: "bytes per token of texts and of their scripts, unused and longest pieces, bytes and unknowns",
      load: async () => (await import("./tokenizer-stats.ts")).statsCommand,
    },
    {
      name: "chat",
      summary: "a conversation as the model reads it, and which tokens are the assistant's",
      load: async () => (await import("./tokenizer-chat.ts")).chatCommand,
    },
  ],
};
