// Which of a model's templates is taken.
import { fail } from "../base/index.ts";
import type { ChatTemplate } from "./template.ts";

/**
 * The one that is named; else, as transformers does, `tool_use` where there are tools and the model has such a one; else `default`, or the only one.
 * @throws CriaError where there is none of that name, or none to take
 */
export function chooseTemplate(templates: ReadonlyMap<string, ChatTemplate>, hasTools: boolean, name?: string): ChatTemplate {
  const names = [...templates.keys()].join(", ");
  if (templates.size === 0)
    return fail("chat", "the model has no chat template: it continues texts, and was not made for chats, or its template is missing");
  if (name !== undefined)
    return templates.get(name) ?? fail("chat", `there is no chat template ${JSON.stringify(name)}: it is one of ${names}`);
  const [only] = templates.size === 1 ? [...templates.values()] : [];
  return (
    (hasTools ? templates.get("tool_use") : undefined) ??
    templates.get("default") ??
    only ??
    fail("chat", `the model has the chat templates ${names}, and none is called default: name one`)
  );
}
