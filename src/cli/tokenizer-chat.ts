// cria tokenizer chat: a conversation as its model reads it, and which of its tokens are the assistant's
import { CriaError, UsageError } from "../base/index.ts";
import { chooseTemplate, type EncodedChat, encodeChat, encodeTraining } from "../chat/index.ts";
import { openChat } from "../load/index.ts";
import { tokenizerForms } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Command } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { messagesExample, readMessages } from "./read-messages.ts";

const where = "tokenizer chat";

/** The command `cria tokenizer chat`. */
export const chatCommand: Command = {
  name: "chat",
  summary: "a conversation as the model reads it, and which tokens are the assistant's",
  usage: "TOKENIZER MESSAGES.json|-",
  flags: [
    {
      name: "template",
      type: "string",
      value: "NAME",
      help: "which of the model's templates; by default tool_use where there are tools, else default",
    },
    {
      name: "no-generation-prompt",
      type: "boolean",
      help: "end with the last message, as for training, instead of the beginning of an answer",
    },
  ],
  example: {
    title: `TOKENIZER is a folder, a file or hf:owner/name: ${tokenizerForms}`,
    text: messagesExample,
  },
  async run([path, file, ...rest], flags, io) {
    if (path === undefined || file === undefined || rest.length > 0)
      throw new UsageError(
        where,
        "TOKENIZER and MESSAGES.json are needed: name a model's folder or tokenizer, and a file of messages, or -",
      );
    const tokenizer = await loadTokenizer(path, io);
    const { templates, endOfTurn } = await openChat(path, tokenizer, { signal: io.signal, onProgress: io.progress });
    const { messages, ...given } = await readMessages(where, file, io);
    const template = chooseTemplate(templates, (given.tools?.length ?? 0) > 0, stringFlag(flags, "template"));
    const addGenerationPrompt = !booleanFlag(flags, "no-generation-prompt");
    const encoded: Shown = { ...encodeChat(tokenizer, template, messages, { ...given, addGenerationPrompt }), template: template.name };
    const shown = addGenerationPrompt
      ? encoded
      : { ...encoded, ...masked(() => encodeTraining(tokenizer, template, messages, { ...given, endOfTurn })) };
    io.stdout(io.json ? `${JSON.stringify(asJson(shown, endOfTurn))}\n` : asText(shown, tokenizer));
    for (const i of shown.leftOut) io.stderr(`[${where}] the template leaves messages[${i}] out, whose role is ${messages[i]!.role}\n`);
    if (shown.refusal !== undefined) io.stderr(`${shown.refusal}\n`);
    return 0;
  },
};

interface Shown extends EncodedChat {
  readonly template: string;
  readonly assistantMask?: Uint8Array;
  /** Why the assistant's tokens are not known. */
  readonly refusal?: string;
}

function masked(encode: () => EncodedChat & { readonly assistantMask: Uint8Array }): Partial<Shown> {
  try {
    return encode();
  } catch (error) {
    if (error instanceof CriaError) return { refusal: error.message };
    throw error;
  }
}

function asJson({ text, ids, assistantMask, template, segments, leftOut, refusal }: Shown, endOfTurn: readonly number[]) {
  const mask = assistantMask === undefined ? {} : { assistantMask: [...assistantMask] };
  return { template, text, ids: [...ids], ...mask, endOfTurn, segments, leftOut, ...(refusal === undefined ? {} : { refusal }) };
}

/** The text as its ids spell it, the assistant's between ⟦ and ⟧, and the ids. */
function asText({ text, ids, assistantMask }: Shown, tokenizer: Tokenizer): string {
  const counts = assistantMask === undefined ? "" : `, ${assistantMask.filter((one) => one === 1).length} of them the assistant's`;
  return `${assistantMask === undefined ? text : marked(ids, assistantMask, tokenizer)}\n\n${ids.length} tokens${counts}:\n${[...ids].join(" ")}\n`;
}

function marked(ids: Uint32Array, mask: Uint8Array, tokenizer: Tokenizer): string {
  const parts: string[] = [];
  for (let at = 0; at < ids.length; ) {
    const next = mask.findIndex((one, i) => i > at && one !== mask[at]);
    const end = next < 0 ? ids.length : next;
    const part = tokenizer.decode(ids.subarray(at, end), { specials: true, continued: at > 0 });
    parts.push(mask[at] === 1 ? `⟦${part}⟧` : part);
    at = end;
  }
  return parts.join("");
}
