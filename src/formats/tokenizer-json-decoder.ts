// tokenizer.json's decoder (huggingface/tokenizers, decoders/): how pieces become text, in and out.
import { type Decoding, ownDecoding, spaceMark, type TokenizerModel, type WordModel } from "../tokenizer/index.ts";
import { isObject, type JsonObject } from "./json.ts";
import { expressionOf } from "./json-expression.ts";
import type { JsonFields } from "./json-fields.ts";

const nothing: Decoding = { replace: [], bytes: "none", separator: "", stripStart: 0, stripEnd: 0 };

/**
 * What the decoder does; null joins the pieces with spaces. One form differs from the letter: under a Metaspace pre-tokenizer, which puts a
 * space in front of a text only where none stands there, decoding takes a leading space away only where encoding put one.
 * @param model all that is known of it but its decoding
 * @throws CriaError naming a part that is not known or stands where it would do something else.
 */
export function readDecoding(value: unknown, model: TokenizerModel, fields: JsonFields): Decoding {
  if (value === null || value === undefined) return { ...nothing, separator: " " };
  const parts = decoderParts(value, fields);
  const [only, ...others] = parts;
  if (only?.type === "ByteLevel" && others.every(({ type }) => type === "Fuse")) return { ...nothing, bytes: "level" };
  if (only?.type === "Metaspace" && others.every(({ type }) => type === "Fuse")) return metaspace(only, model, fields);
  return readSteps(parts, model, fields);
}

function decoderParts(value: unknown, fields: JsonFields): JsonObject[] {
  const part = fields.part(value, "decoder");
  if (part.type !== "Sequence") return [part];
  return fields.array(part.decoders, "decoder.decoders").flatMap((inner) => decoderParts(inner, fields));
}

/** Replacements, then the ends of words or bytes, then the joining, then the ends: in another order they would mean something else. */
function readSteps(parts: readonly JsonObject[], model: TokenizerModel, fields: JsonFields): Decoding {
  const order = ["Replace", "BPEDecoder", "ByteFallback", "Fuse", "Strip"];
  let decoding = nothing;
  let reached = 0;
  for (const part of parts) {
    const step = order.indexOf(String(part.type));
    const isFused = reached >= order.indexOf("Fuse");
    const isRepeated = step === reached && part.type !== "Replace";
    if (step < reached || isRepeated || (part.type === "Strip" && !isFused)) refuse(part, fields);
    reached = step;
    if (part.type === "Replace") decoding = { ...decoding, replace: [...decoding.replace, readReplace(part, fields)] };
    else if (part.type === "BPEDecoder") decoding = { ...decoding, ...readWordSuffix(part, fields) };
    else if (part.type === "ByteFallback") decoding = { ...decoding, bytes: "fallback", invalid: "run" };
    else if (part.type === "Strip") decoding = { ...decoding, ...readStrip(part, model, fields) };
  }
  return decoding;
}

function readReplace(part: JsonObject, fields: JsonFields): Decoding["replace"][number] {
  const { String: from, Regex: source } = isObject(part.pattern) ? part.pattern : {};
  const to = fields.string(part.content, "decoder's content");
  if (typeof source === "string") return [{ expression: expressionOf(source, "decoder replaces", fields) }, to];
  return typeof from === "string" && from !== "" ? [from, to] : refuse(part, fields);
}

function readWordSuffix(part: JsonObject, fields: JsonFields): Pick<Decoding, "wordSuffix"> {
  const wordSuffix = part.suffix === undefined ? "</w>" : fields.string(part.suffix, "decoder's suffix");
  return wordSuffix === "" ? refuse(part, fields) : { wordSuffix };
}

function readStrip(part: JsonObject, model: TokenizerModel, fields: JsonFields): Pick<Decoding, "stripStart" | "stripEnd"> {
  const start = fields.id(part.start, "the start of decoder's Strip");
  const end = fields.id(part.stop, "the stop of decoder's Strip");
  if (part.content !== " ") refuse(part, fields);
  return { stripStart: start === 1 && prefixDependsOnText(model) ? "prefix" : start, stripEnd: end };
}

function metaspace(part: JsonObject, model: TokenizerModel, fields: JsonFields): Decoding {
  const scheme = metaspaceScheme(part, "decoder", fields);
  // It takes every ▁ out of the first piece, which is right only where encoding put one there.
  if (scheme === undefined || (scheme !== "never" && !prefixDependsOnText(model))) return refuse(part, fields);
  return { ...nothing, replace: [[spaceMark, " "]], stripStart: scheme === "never" ? 0 : "prefix" };
}

/** Where a Metaspace puts its ▁ in front; undefined for one that puts another character or contradicts itself. */
export function metaspaceScheme(part: JsonObject, place: string, fields: JsonFields): "always" | "first" | "never" | undefined {
  const older = fields.flag(part.add_prefix_space, `${place}'s add_prefix_space`);
  const scheme = part.prepend_scheme ?? (older === false ? "never" : "always");
  const agrees = older === undefined || older === (scheme !== "never");
  const isMark = [part.replacement ?? spaceMark, part.str_rep ?? spaceMark].every((mark) => mark === spaceMark);
  return agrees && isMark && (scheme === "always" || scheme === "first" || scheme === "never") ? scheme : undefined;
}

function prefixDependsOnText(model: TokenizerModel): boolean {
  if (model.kind !== "sentencepiece" && model.kind !== "unigram") return false;
  const isConditional = (model.preTokeniser ?? []).some((step) => step.type === "metaspace" && step.prefix !== "never");
  return isConditional || (model.kind === "sentencepiece" && model.dummyPrefix !== "never" && !model.prefixBeforeSpace);
}

function refuse(part: JsonObject, fields: JsonFields): never {
  return fields.fail(`decoder ${JSON.stringify(part).slice(0, 200)} is not supported there`);
}

/** A decoder that does what the model's decoding says. */
export function decoderJson(model: Exclude<TokenizerModel, WordModel>): JsonObject | null {
  const { replace, wordSuffix, bytes, separator, stripStart, stripEnd } = model.decoding ?? ownDecoding(model);
  if (separator === " ") return null;
  if (bytes === "level") return { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true };
  const start = typeof stripStart === "number" ? stripStart : 1;
  const decoders = [
    ...replace.map(([from, content]) => ({ type: "Replace", pattern: patternOf(from), content })),
    ...(wordSuffix === undefined ? [] : [{ type: "BPEDecoder", suffix: wordSuffix }]),
    ...(bytes === "fallback" ? [{ type: "ByteFallback" }] : []),
    { type: "Fuse" },
    ...(start > 0 || stripEnd > 0 ? [{ type: "Strip", content: " ", start, stop: stripEnd }] : []),
  ];
  return { type: "Sequence", decoders };
}

function patternOf(from: Decoding["replace"][number][0]): JsonObject {
  return typeof from === "string" ? { String: from } : { Regex: from.expression };
}
