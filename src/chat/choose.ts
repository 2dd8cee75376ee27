// Which of a model's templates is taken.
import { CriaError, fail } from "../base/index.ts";
import type { ChatTemplate } from "./template.ts";

/** A model's templates by name. One that could not be read has its error in its place, which is thrown where it is chosen. */
export type ChatTemplates = ReadonlyMap<string, ChatTemplate | CriaError>;

/**
 * The one that is named; else, as transformers does, `tool_use` where there are tools and the model has such a one; else `default`, or the only one.
 * @throws CriaError where there is none of that name, or none to take, or the one to take could not be read
 */
export function chooseTemplate(templates: ChatTemplates, hasTools: boolean, name?: string): ChatTemplate {
  const names = [...templates.keys()].join(", ");
  if (templates.size === 0)
    return fail(
      "chat",
      "the model has no chat template: it only continues text. Give it a text to continue, or put a chat_template.jinja beside its tokenizer",
    );
  const [only] = templates.size === 1 ? [...templates.values()] : [];
  const usual = (hasTools ? templates.get("tool_use") : undefined) ?? templates.get("default") ?? only;
  const chosen = name === undefined ? usual : templates.get(name);
  if (chosen instanceof CriaError) throw chosen;
  if (chosen !== undefined) return chosen;
  return name === undefined
    ? fail("chat", `the model has the chat templates ${names}, and none is called default: name one`)
    : fail("chat", `there is no chat template ${JSON.stringify(name)}: it is one of ${names}`);
}
