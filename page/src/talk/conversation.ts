// A conversation as a tree: what is edited or tried again becomes a branch beside what was there, and nothing is lost.

/** Something that was said. */
export interface Said {
  readonly id: number;
  /** The id of what it answers; undefined for a beginning. */
  readonly parent: number | undefined;
  readonly role: "user" | "assistant";
  readonly text: string;
  /** What the model thought before it answered, where it does. */
  readonly reasoning?: string;
}

/** All that was said, and where the conversation stands. */
export interface Conversation {
  readonly system: string;
  readonly said: readonly Said[];
  /** The id of what was said last on the branch that is shown; undefined in front of a beginning. */
  readonly last: number | undefined;
}

/** A conversation in which nothing was said. */
export const emptyConversation: Conversation = { system: "", said: [], last: undefined };

/** What the branch that is shown says, from its beginning. */
export function branchOf({ said, last }: Conversation): Said[] {
  const byId = new Map(said.map((one) => [one.id, one]));
  const branch: Said[] = [];
  for (let at = last; at !== undefined; ) {
    const one = byId.get(at);
    if (one === undefined) break;
    branch.unshift(one);
    at = one.parent;
  }
  return branch;
}

/** Adds something behind `parent`, and goes there. */
export function say(conversation: Conversation, parent: number | undefined, what: Pick<Said, "role" | "text">): Conversation {
  const id = Math.max(0, ...conversation.said.map((one) => one.id)) + 1;
  return { ...conversation, said: [...conversation.said, { id, parent, ...what }], last: id };
}

/** An answer grows. @param id the answer's */
export function grow(conversation: Conversation, id: number, more: { readonly text?: string; readonly reasoning?: string }): Conversation {
  const said = conversation.said.map((one) =>
    one.id !== id
      ? one
      : {
          ...one,
          text: one.text + (more.text ?? ""),
          ...((one.reasoning ?? more.reasoning) !== undefined && { reasoning: (one.reasoning ?? "") + (more.reasoning ?? "") }),
        },
  );
  return { ...conversation, said };
}

/** Takes away an answer of which nothing came, and goes back to what it was to answer, or to an earlier answer of that. */
export function withoutEmpty(conversation: Conversation, id: number | undefined): Conversation {
  const empty = conversation.said.find(
    (one) => one.id === id && one.role === "assistant" && one.text === "" && one.reasoning === undefined,
  );
  if (empty === undefined) return conversation;
  const rest = { ...conversation, said: conversation.said.filter((one) => one !== empty), last: empty.parent };
  return empty.parent === undefined ? rest : goTo(rest, empty.parent);
}

/** What was said in its place in other branches, itself among them. */
export function besides({ said }: Conversation, { parent }: Said): Said[] {
  return said.filter((one) => one.parent === parent);
}

/** Goes to a branch: to the newest of what follows. */
export function goTo(conversation: Conversation, id: number): Conversation {
  let last = id;
  for (;;) {
    const next = conversation.said.findLast(({ parent }) => parent === last);
    if (next === undefined) return { ...conversation, last };
    last = next.id;
  }
}

/** Messages as the chat protocol has them. */
export function messagesOf(conversation: Conversation): { readonly role: string; readonly content: string }[] {
  const system = conversation.system.trim() === "" ? [] : [{ role: "system", content: conversation.system }];
  return [...system, ...branchOf(conversation).map(({ role, text }) => ({ role, content: text }))];
}

/** The file of a conversation: all branches, and its messages as other programs read them. */
export function exported(conversation: Conversation): string {
  return `${JSON.stringify({ cria: "conversation", ...conversation, messages: messagesOf(conversation) }, null, 2)}\n`;
}

/** Reads such a file, or messages alone, as other programs write them. @throws Error with what is wrong */
export function imported(text: string): Conversation {
  const value = (jsonOf(text) ?? {}) as Partial<Conversation> & { readonly messages?: unknown };
  const messages = Array.isArray(value) ? (value as unknown[]) : value.messages;
  if (Array.isArray(value.said)) return checked(value);
  if (!Array.isArray(messages)) throw new Error("this file holds no conversation: it has neither said nor messages");
  let conversation = emptyConversation;
  for (const [i, message] of messages.entries()) {
    const { role, content: given } = (message ?? {}) as { readonly role?: unknown; readonly content?: unknown };
    const content = textOf(given);
    if (content === undefined) throw new Error(`messages[${i}].content is no text`);
    if ((role === "system" || role === "developer") && i > 0)
      throw new Error(`messages[${i}].role is ${JSON.stringify(role)}, but only the first message may be the system's`);
    if (role === "system" || role === "developer") conversation = { ...conversation, system: content };
    else if (role === "user" || role === "assistant") conversation = say(conversation, conversation.last, { role, text: content });
    else throw new Error(`messages[${i}].role is ${JSON.stringify(role)}, but must be system, user or assistant`);
  }
  return conversation;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`this file is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Content as text: other programs write it as parts, too. */
function textOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: { readonly type?: unknown; readonly text?: unknown } | null) => part?.type === "text" && part.text);
  return texts.every((text) => typeof text === "string") ? texts.join("") : undefined;
}

function checked({ system = "", said = [], last }: Partial<Conversation>): Conversation {
  const ids = new Set<number>();
  for (const [i, one] of (said as readonly (Said | null)[]).entries()) {
    const isFine =
      one !== null &&
      Number.isSafeInteger(one.id) &&
      !ids.has(one.id) &&
      (one.parent === undefined || ids.has(one.parent)) &&
      (one.role === "user" || one.role === "assistant") &&
      typeof one.text === "string" &&
      (one.reasoning === undefined || typeof one.reasoning === "string");
    if (!isFine) throw new Error(`said[${i}] is not what this page writes`);
    ids.add(one.id);
  }
  if (typeof system !== "string" || (last !== undefined && !ids.has(last))) throw new Error("system or last is not what this page writes");
  return { system, said, last };
}
