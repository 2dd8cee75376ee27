// A conversation with tools, forms of answers and reasoning: what the model reads, what it may write, and what its text means.
import type { Sliced } from "../base/index.ts";
import { type ChatTemplate, chooseTemplate, type Message } from "../chat/index.ts";
import { type DialogueParser, type DialoguePart, type DialogueRequest, dialogueFor } from "../dialogue/index.ts";
import type { GenerateTextOptions, TextPiece } from "../infer/index.ts";
import type { OpenChat, RenderedConversation } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** What a conversation's next message may be, and by which of the model's templates. */
export interface DialogueOptions extends Omit<DialogueRequest, "template"> {
  /** Which of the model's templates; by default tool_use where there are tools and the model has one of that name, else default. */
  readonly template?: string | undefined;
  /** Documents for templates that know them. */
  readonly documents?: readonly unknown[] | undefined;
}

/** How a conversation goes on. */
export interface OpenDialogue extends RenderedConversation {
  /** What the next message is written with. Stop strings are the parser's: a grammar allows none. */
  readonly writing: Pick<GenerateTextOptions, "grammar" | "shownIds">;
  /** A parser of one next message. @param stop strings that end it where its content has them */
  parser(stop?: readonly string[]): DialogueParser;
}

/** What one token brought of a message. */
export interface ChatPart extends Omit<TextPiece, "text" | "finishReason"> {
  /** Empty while it is not settled what the text is. */
  readonly parts: readonly DialoguePart[];
  /** Only the last one has it; "tool_calls" where the message calls tools and was not cut. */
  readonly finishReason?: TextPiece["finishReason"] | "tool_calls";
}

/** Works in slices. @throws CriaError as {@link dialogueFor}, and where the template refuses the conversation */
export function* openDialogue(
  chat: OpenChat,
  tokenizer: Tokenizer,
  messages: readonly Message[],
  { template: name, documents, ...request }: DialogueOptions,
): Sliced<OpenDialogue> {
  const hasTools = (request.tools ?? []).length > 0 && request.toolChoice !== "none";
  const template = chooseTemplate(chat.templates, hasTools, name);
  const dialogue = dialogueFor({ ...request, template });
  const { tools, variables, grammar } = dialogue;
  yield;
  const rendered = yield* chat.encodeSliced(dialogue.messages(messages), { template: nameOf(chat, template), documents, tools, variables });
  return {
    ...rendered,
    writing: { shownIds: dialogue.markIds(tokenizer), ...(grammar !== undefined && { grammar }) },
    parser: (stop) => dialogue.parser(stop),
  };
}

function nameOf({ templates }: OpenChat, template: ChatTemplate): string | undefined {
  return [...templates].find(([, one]) => one === template)?.[0];
}

/** The parts of a message, token by token. */
export async function* messageParts(pieces: AsyncIterable<TextPiece>, parser: DialogueParser): AsyncGenerator<ChatPart, void> {
  for await (const { text, finishReason, ...token } of pieces) {
    const parts = parser.push(text);
    if (finishReason === undefined && !parser.isStopped) {
      yield { ...token, parts };
      continue;
    }
    const end = parser.end();
    const isWhole = finishReason === undefined || finishReason === "stop";
    yield { ...token, parts: [...parts, ...end.parts], finishReason: isWhole ? end.finishReason : finishReason };
    return;
  }
}
