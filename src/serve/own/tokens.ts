// POST /tokenize, /detokenize and /apply-template: what a model makes of a text before it reads it.
import { z } from "zod";
import { inSlices } from "../../base/index.ts";
import type { Message } from "../../chat/index.ts";
import type { RequestContext } from "../context.ts";
import { bodySchema, obeyed, required } from "../keys.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { requestErrorOf } from "../request-error.ts";
import type { ServedModel } from "../served-model.ts";

const model = obeyed(z.string());

const tokenizeBody = bodySchema({
  model,
  content: required(z.string()),
  /** Puts around the text what the model's tokenizer puts around a prompt, such as a begin-of-text token. */
  add_special: obeyed(z.boolean()),
  /** Special pieces spelled out in the text become their ids. */
  parse_special: obeyed(z.boolean()),
  with_pieces: obeyed(z.boolean()),
});
const detokenizeBody = bodySchema({ model, tokens: required(z.array(z.int().min(0))), with_specials: obeyed(z.boolean()) });
const templateBody = bodySchema({
  model,
  messages: required(z.array(z.looseObject({ role: z.string() })).min(1)),
  tools: obeyed(z.array(z.unknown())),
  add_generation_prompt: obeyed(z.boolean()),
  chat_template_kwargs: obeyed(z.record(z.string(), z.unknown())),
});

/** The routes of tokens and templates. */
export const tokens: readonly Route[] = [
  route({
    ...{ method: "POST", path: "/tokenize", summary: "The ids of a text", body: tokenizeBody },
    handle: (context: RequestContext, body: z.output<typeof tokenizeBody>) =>
      withModel(context, body.model, async ({ tokenizer }) => {
        const how = { template: body.add_special ?? false, parseSpecial: body.parse_special ?? false };
        const ids = await inSlices(tokenizer.encodeSliced(body.content, how), context.signal);
        return { tokens: body.with_pieces === true ? Array.from(ids, (id) => ({ id, piece: tokenizer.idToPiece(id) })) : [...ids] };
      }),
  }),
  route({
    ...{ method: "POST", path: "/detokenize", summary: "The text of ids", body: detokenizeBody },
    handle: (context: RequestContext, body: z.output<typeof detokenizeBody>) =>
      withModel(context, body.model, ({ tokenizer }) => ({
        content: tokenizer.decode(body.tokens, { specials: body.with_specials ?? false }),
      })),
  }),
  route({
    ...{ method: "POST", path: "/apply-template", summary: "A chat as the model reads it", body: templateBody },
    handle: (context: RequestContext, body: z.output<typeof templateBody>) =>
      withModel(context, body.model, async (served) => {
        const rendering = served.renderChatSliced(body.messages as unknown as readonly Message[], {
          ...{ tools: body.tools, variables: body.chat_template_kwargs, addGenerationPrompt: body.add_generation_prompt },
        });
        const { text, ids } = await inSlices(rendering, context.signal);
        return { prompt: text, tokens: ids.length };
      }),
  }),
];

async function withModel(context: RequestContext, name: string | undefined, act: (model: ServedModel) => unknown): Promise<Answer> {
  using lease = await context.server.shelf.lease(name, context.signal);
  context.notes.model = lease.name;
  try {
    return { body: { json: await act(lease.model) } };
  } catch (error) {
    throw requestErrorOf(error);
  }
}
