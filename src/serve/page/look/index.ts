// What the page asks to look inside a model: the pieces of a text, what its tokens attend to, and what the parameters are.
import { z } from "zod";
import { writableDTypes } from "../../../formats/index.ts";
import { type LlamaConfig, parameterRows } from "../../../model/index.ts";
import type { RequestContext } from "../../context.ts";
import { type Answer, type Route, route } from "../../protocol.ts";
import { requestErrorOf } from "../../request-error.ts";
import type { ServedModel } from "../../served-model.ts";
import { attentionOfText } from "./attention.ts";
import { piecesOfText } from "./pieces.ts";
import { weightsOfTensor } from "./weights.ts";

export type { LookAttention } from "./attention.ts";
export type { LookMerge, LookPiece, LookText, LookWay, LookWord } from "./pieces.ts";

export type { LookHistogram, LookQuantised, LookWeights, ModelInFiles } from "./weights.ts";

/** Characters of a text that is cut into pieces, at most: each merge of a word looks at the whole of it. */
export const mostPiecesText = 1000;

/** What a model is made of. */
export interface LookModel {
  readonly config: LlamaConfig;
  /** Every trained tensor, in the order of a checkpoint. */
  readonly tensors: readonly LookTensor[];
}

/** A trained tensor by its path in the model, such as "layers.0.attention.query". */
export interface LookTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

const piecesBody = z.strictObject({
  model: z.string(),
  text: z.string().max(mostPiecesText, `the text has more than ${mostPiecesText} characters: shorten it`),
});
const attentionBody = z.strictObject({ ...piecesBody.shape, layer: z.int().min(0) });

const weightsBody = z.strictObject({ model: z.string(), tensor: z.string().max(200), type: z.enum(writableDTypes).optional() });

/** The routes. */
export const lookRoutes: readonly Route[] = [
  route({
    ...{ method: "POST", path: "/page/pieces", summary: "How a text becomes the pieces of a model's tokenizer", body: piecesBody },
    handle: (context: RequestContext, { model, text }: z.output<typeof piecesBody>) =>
      looked(context, model, ({ tokenizer }) => piecesOfText(tokenizer, text)),
  }),
  route({
    ...{ method: "POST", path: "/page/attention", summary: "What the tokens of a text attend to in a layer", body: attentionBody },
    handle: (context: RequestContext, { model, ...asked }: z.output<typeof attentionBody>) =>
      looked(context, model, (served) => attentionOfText(context, served, asked)),
  }),
  route({
    ...{
      method: "POST",
      path: "/page/weights",
      summary: "How the numbers of a tensor are spread, and what fewer bits change",
      body: weightsBody,
    },
    async handle({ server, signal }: RequestContext, { model, ...asked }: z.output<typeof weightsBody>): Promise<Answer> {
      try {
        await using files = await server.shelf.openFiles(model, signal);
        return { body: { json: await weightsOfTensor(files, asked, signal) } };
      } catch (error) {
        throw requestErrorOf(error);
      }
    },
  }),
  route({
    ...{ method: "GET", path: "/page/architecture", summary: "What a model is made of: ?name=NAME" },
    handle: (context: RequestContext) =>
      looked(
        context,
        context.query("name"),
        ({ config }): LookModel => ({ config, tensors: parameterRows(config).map(({ name, shape }) => ({ name, shape })) }),
      ),
  }),
];

/** What is seen in a model, which is loaded for it. @throws RequestError where there is no such model, or naming what is wrong with what was asked */
async function looked(context: RequestContext, name: string | undefined, look: (model: ServedModel) => unknown): Promise<Answer> {
  using lease = await context.server.shelf.lease(name, context.signal);
  try {
    return { body: { json: await look(lease.model) } };
  } catch (error) {
    throw requestErrorOf(error);
  }
}
