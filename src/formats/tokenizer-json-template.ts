// tokenizer.json's post_processor (huggingface/tokenizers, processors/): which ids go around a text, in and out.
import type { TextTemplate, TokenizerModel } from "../tokenizer/index.ts";
import type { JsonObject } from "./json.ts";
import type { JsonFields } from "./json-fields.ts";

/**
 * The ids that the post-processor puts around one text; undefined where no part of it says. `pair`, for two texts at once, and ByteLevel's
 * `trim_offsets` concern nothing that cria does.
 * @throws CriaError for a kind of processor that is not known, or a template whose ids and pieces are not the vocabulary's.
 */
export function readTemplate(value: unknown, pieces: readonly string[], fields: JsonFields): TextTemplate | undefined {
  if (value === null || value === undefined) return undefined;
  const part = fields.part(value, "post_processor");
  switch (part.type) {
    case "ByteLevel":
      return undefined;
    case "Sequence":
      return fields
        .array(part.processors, "post_processor.processors")
        .map((inner) => readTemplate(inner, pieces, fields))
        .reduce(around, undefined);
    case "TemplateProcessing":
      return readSingle(part, pieces, fields);
    case "BertProcessing":
    case "RobertaProcessing":
      return { before: [readPair(part, "cls", pieces, fields)], after: [readPair(part, "sep", pieces, fields)] };
    default:
      return fields.fail(`post_processor ${JSON.stringify(part).slice(0, 200)} is not supported`);
  }
}

/** A later processor of a sequence goes around what the earlier ones made. */
function around(inner: TextTemplate | undefined, outer: TextTemplate | undefined): TextTemplate | undefined {
  if (inner === undefined || outer === undefined) return inner ?? outer;
  return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] };
}

function readSingle(part: JsonObject, pieces: readonly string[], fields: JsonFields): TextTemplate {
  const items = fields.array(part.single, "post_processor.single").map((item, i) => fields.object(item, `post_processor.single[${i}]`));
  const at = items.findIndex((item) => item.Sequence !== undefined);
  const isOne = items.filter((item) => item.Sequence !== undefined).length === 1;
  if (!isOne || fields.object(items[at]!.Sequence, "post_processor.single's Sequence").id !== "A")
    fields.fail("post_processor.single must hold the text, Sequence A, exactly once");
  const known = fields.object(part.special_tokens ?? {}, "post_processor.special_tokens");
  const idsOf = (item: JsonObject): number[] => {
    const id = fields.string(fields.object(item.SpecialToken, "an item of post_processor.single").id, "the id of a SpecialToken");
    const token = fields.object(known[id], `post_processor.special_tokens ${JSON.stringify(id)}`);
    const tokens = fields.array(token.tokens, `the tokens of ${JSON.stringify(id)} in post_processor`);
    return fields
      .array(token.ids, `the ids of ${JSON.stringify(id)} in post_processor`)
      .map((value, i) => checkedId(fields.id(value, `an id of ${JSON.stringify(id)} in post_processor`), tokens[i], pieces, fields));
  };
  return { before: items.slice(0, at).flatMap(idsOf), after: items.slice(at + 1).flatMap(idsOf) };
}

/** `["</s>", 2]` */
function readPair(part: JsonObject, name: string, pieces: readonly string[], fields: JsonFields): number {
  const [piece, id] = fields.array(part[name], `post_processor.${name}`);
  return checkedId(fields.id(id, `the id of post_processor.${name}`), piece, pieces, fields);
}

function checkedId(id: number, piece: unknown, pieces: readonly string[], fields: JsonFields): number {
  if (pieces[id] !== piece)
    fields.fail(
      `post_processor says ${JSON.stringify(piece)} is id ${id}, but the vocabulary has ${JSON.stringify(pieces[id] ?? null)} there`,
    );
  return id;
}

/** Always written, also where nothing goes around a text, so that no reader has to guess. */
export function templateJson({ template, pieces }: TokenizerModel): JsonObject {
  const { before = [], after = [] } = template ?? {};
  const tokens = (ids: readonly number[], type_id: number) => ids.map((id) => ({ SpecialToken: { id: pieces[id]!, type_id } }));
  const text = (id: string, type_id: number) => [...tokens(before, type_id), { Sequence: { id, type_id } }, ...tokens(after, type_id)];
  const used = [...new Set([...before, ...after])];
  return {
    type: "TemplateProcessing",
    single: text("A", 0),
    pair: [...text("A", 0), ...text("B", 1)],
    special_tokens: Object.fromEntries(used.map((id) => [pieces[id]!, { id: pieces[id]!, ids: [id], tokens: [pieces[id]!] }])),
  };
}
