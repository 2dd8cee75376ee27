// Which characters of a rendered chat the assistant writes, and so learns to write.
import { fail } from "../base/index.ts";
import type { Message } from "./messages.ts";
import { type Place, renderedTurns } from "./places.ts";
import type { RenderChatOptions } from "./render.ts";
import type { ChatTemplate } from "./template.ts";
import type { Text } from "./text.ts";
import type { Turn } from "./turn.ts";
import { turnsByKind } from "./turns-by-kind.ts";

/**
 * The assistant's turns in a rendered chat. Where the template marks them by `{% generation %}`, these are the blocks. Otherwise a turn begins
 * where the model begins to write, and ends with the token that ends turns, sought behind the last character of its message ({@link encodeChat}
 * finds it). The time grows with the length of the chat where its turns look alike ({@link turnsByKind}).
 * @param text the whole, rendered without a generation prompt
 * @throws CriaError where origin is lost, or a turn's beginning cannot be told: such a template is refused for fine-tuning
 */
export function assistantTurns(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions, text: Text): Turn[] {
  const chat = renderedTurns(template, messages, options, text);
  if (chat.places.some(({ segment }) => segment.origin?.from === "mixed"))
    return fail(
      "chat",
      `${template.name}: it changes texts so that nobody can tell whose they are: it serves for inference, but not for fine-tuning`,
    );
  return template.marksGeneration ? blocks(chat.places) : turnsByKind(chat);
}

function blocks(places: readonly Place[]): Turn[] {
  const turns: Turn[] = [];
  for (const { segment, start, end } of places) {
    if (segment.generated !== true) continue;
    const last = turns.at(-1);
    if (last?.end === start) turns[turns.length - 1] = { ...last, own: end, end };
    else turns.push({ start, own: end, end, isBlock: true });
  }
  return turns;
}
