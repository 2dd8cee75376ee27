// Added pieces that structure a chat though their file does not call them special: DeepSeek's <｜User｜> and <｜Assistant｜>, Qwen's <tool_response>.
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Message, Role } from "./messages.ts";
import type { ChatTemplate } from "./template.ts";
import type { Origin, Segment } from "./text.ts";

/** Pieces in brackets that a template writes. Found in what others write, they would let them take the part of somebody else. */
export interface Marks {
  has(piece: string): boolean;
  /** Whether text of this origin may have them. */
  mayWrite(origin: Origin): boolean;
}

/** Roles of who answers for the model's behaviour, or is the model, which writes `<think>` and `<tool_call>` itself. */
const trusted: ReadonlySet<Role> = new Set<Role>(["system", "developer", "assistant"]);
const inBrackets = /^[<[{(｜|].*[>\]})｜|]$/s;

/** The marks of a chat: pieces that stand in the template's text or in what it wrote. Added pieces that are words or spaces are none. */
export function marksOf(tokenizer: Tokenizer, template: ChatTemplate, messages: readonly Message[], segments: readonly Segment[]): Marks {
  const own = segments.map(({ text, origin }) => (origin === undefined ? text : "\0")).join("");
  const ids = tokenizer.model.added ?? [];
  const pieces = ids
    .map((id) => tokenizer.idToPiece(id))
    .filter((piece) => inBrackets.test(piece) && (template.source.includes(piece) || own.includes(piece)));
  const marks = new Set(pieces);
  return {
    has: (piece) => marks.has(piece),
    mayWrite: (origin) => origin.from === "message" && trusted.has(messages[origin.message]?.role ?? "user"),
  };
}
