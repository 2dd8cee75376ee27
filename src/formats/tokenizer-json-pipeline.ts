// tokenizer.json's normalizer and pre_tokenizer (huggingface/tokenizers, normalizers/ and pre_tokenizers/) as steps of ours, in and out.
import { PatternError, Regex } from "../regex/index.ts";
import {
  type NormaliserStep,
  type PreTokeniserStep,
  type SplitBehaviour,
  spaceMark,
  splitNameOf,
  splitPatterns,
} from "../tokenizer/index.ts";
import { isObject, type JsonObject, quote, sameJson } from "./json.ts";
import type { JsonFields } from "./json-fields.ts";
import { metaspaceScheme } from "./tokenizer-json-decoder.ts";

const replaceBy = (pattern: JsonObject, content: string) => ({ type: "Replace", pattern, content });

/**
 * SentencePiece's removal of extra spaces in these terms; the expressions are known by their text, as those of pre-tokenizers are. Spaces in front,
 * then runs of them, then the prefix and ▁, then what is left of spaces at the end.
 */
const withoutExtraSpaces: readonly JsonObject[] = [
  replaceBy({ Regex: "\\A +" }, ""),
  replaceBy({ Regex: " {2,}" }, " "),
  { type: "Prepend", prepend: spaceMark },
  replaceBy({ String: " " }, spaceMark),
  replaceBy({ Regex: `${spaceMark}+\\z` }, ""),
];

/** SentencePiece's normaliser where the parts say what it does; undefined where they say something else. */
export function sentencePieceNormaliser(parts: readonly JsonObject[]): readonly NormaliserStep[] | undefined {
  const hasPrefix = parts.some(({ type }) => type === "Prepend");
  const expected = withoutExtraSpaces.filter(({ type }) => hasPrefix || type !== "Prepend");
  if (!sameJson(parts, expected)) return undefined;
  return [{ type: "sentencepiece", removeExtraSpaces: true, dummySpace: hasPrefix ? "front" : "none" }];
}

/** @throws CriaError naming a part that is not known. */
export function readNormaliser(parts: readonly JsonObject[], fields: JsonFields): NormaliserStep[] {
  return parts.map((part) => readStep(part, fields));
}

const forms = ["NFC", "NFD", "NFKC", "NFKD"] as const;

function readStep(part: JsonObject, fields: JsonFields): NormaliserStep {
  const refuse = (): never => fields.fail(`normalizer ${JSON.stringify(part).slice(0, 200)} is not supported`);
  const form = forms.find((name) => name === part.type);
  if (form !== undefined) return { type: "form", form };
  switch (part.type) {
    case "Lowercase":
      return { type: "lowercase" };
    case "StripAccents":
      return { type: "stripAccents" };
    case "Strip":
      return {
        type: "strip",
        left: fields.flag(part.strip_left, "normalizer's strip_left") ?? false,
        right: fields.flag(part.strip_right, "normalizer's strip_right") ?? false,
      };
    case "Prepend":
      return { type: "prepend", text: fields.string(part.prepend, "normalizer's prepend") };
    case "Replace": {
      const { String: from, Regex: source } = isObject(part.pattern) ? part.pattern : {};
      const to = fields.string(part.content, "normalizer's content");
      if (typeof source === "string") return { type: "replaceMatches", source: expressionOf(source, "normalizer replaces", fields), to };
      return typeof from === "string" && from !== "" ? { type: "replace", from, to } : refuse();
    }
    default:
      return refuse();
  }
}

/** The parts that do what the steps do. @throws CriaError for a step that has no form there. */
export function normaliserJson(steps: readonly NormaliserStep[], fail: (what: string) => never): JsonObject[] {
  return steps.flatMap<JsonObject>((step) => {
    switch (step.type) {
      case "form":
        return { type: step.form };
      case "lowercase":
        return { type: "Lowercase" };
      case "stripAccents":
        return { type: "StripAccents" };
      case "strip":
        return { type: "Strip", strip_left: step.left, strip_right: step.right };
      case "prepend":
        return { type: "Prepend", prepend: step.text };
      case "replace":
        return replaceBy({ String: step.from }, step.to);
      case "replaceMatches":
        return replaceBy({ Regex: step.source }, step.to);
      case "sentencepiece": {
        const { charsmap, removeExtraSpaces, dummySpace } = step;
        if (charsmap !== undefined) return fail("SentencePiece's compiled rules of normalisation");
        if (!removeExtraSpaces || dummySpace === "back") return fail("a space at the end of every text");
        return withoutExtraSpaces.filter(({ type }) => dummySpace === "front" || type !== "Prepend");
      }
      default:
        return step satisfies never;
    }
  });
}

const behaviours: Readonly<Record<string, SplitBehaviour>> = {
  Isolated: "isolated",
  Contiguous: "contiguous",
  Removed: "removed",
  MergedWithPrevious: "mergedWithPrevious",
  MergedWithNext: "mergedWithNext",
};

/** @throws CriaError naming a part that is not known. */
export function readPreTokeniser(parts: readonly JsonObject[], fields: JsonFields): PreTokeniserStep[] {
  return parts.flatMap((part) => readCut(part, fields));
}

function readCut(part: JsonObject, fields: JsonFields): PreTokeniserStep | PreTokeniserStep[] {
  const refuse = (): never => fields.fail(`pre_tokenizer ${JSON.stringify(part).slice(0, 200)} is not supported`);
  const behaviour = (usual?: SplitBehaviour) =>
    Object.hasOwn(behaviours, String(part.behavior)) ? behaviours[String(part.behavior)]! : (usual ?? refuse());
  switch (part.type) {
    case "Digits":
      return { type: "digits", individual: fields.flag(part.individual_digits, "pre_tokenizer's individual_digits") ?? false };
    case "Punctuation":
      return { type: "punctuation", behaviour: part.behavior === undefined ? "isolated" : behaviour() };
    case "Whitespace":
      return { type: "words" };
    case "WhitespaceSplit":
      return { type: "whiteSpace" };
    case "BertPreTokenizer":
      return [{ type: "whiteSpace" }, { type: "punctuation", behaviour: "isolated" }];
    case "CharDelimiterSplit":
      return literal(fields.string(part.delimiter, "pre_tokenizer's delimiter"), "removed", false, refuse);
    case "Split":
      return readSplit(part, behaviour, fields, refuse);
    case "Metaspace": {
      const prefix = metaspaceScheme(part, "pre_tokenizer", fields) ?? refuse();
      return { type: "metaspace", mark: spaceMark, prefix, split: fields.flag(part.split, "pre_tokenizer's split") ?? true };
    }
    default:
      return refuse();
  }
}

function literal(text: string, behaviour: SplitBehaviour, invert: boolean, refuse: () => never): PreTokeniserStep {
  return text === "" ? refuse() : { type: "literal", text, behaviour, invert };
}

function readSplit(part: JsonObject, behaviour: () => SplitBehaviour, fields: JsonFields, refuse: () => never): PreTokeniserStep {
  const invert = fields.flag(part.invert, "pre_tokenizer's invert") ?? false;
  const { String: text, Regex: expression } = isObject(part.pattern) ? part.pattern : {};
  if (typeof text === "string") return literal(text, behaviour(), invert, refuse);
  if (typeof expression !== "string") return refuse();
  if (expression === "\\s+" && part.behavior === "Removed" && !invert) return { type: "whiteSpace" };
  const name = splitNameOf(expression);
  if (name !== undefined && part.behavior === "Isolated" && !invert) return { type: "pattern", name };
  return { type: "expression", source: expressionOf(expression, "pre_tokenizer splits by", fields), behaviour: behaviour(), invert };
}

/** An expression that the matcher can do. @throws CriaError with its place and the reason where it cannot. */
function expressionOf(source: string, what: string, fields: JsonFields): string {
  try {
    new Regex(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    fields.fail(`${what} ${quote(source)}: ${error.message}`);
  }
  return source;
}

/** The parts that do what the steps do. */
export function preTokeniserJson(steps: readonly PreTokeniserStep[]): JsonObject[] {
  const nameOf = (behaviour: SplitBehaviour) => Object.keys(behaviours).find((name) => behaviours[name] === behaviour)!;
  return steps.map((step): JsonObject => {
    switch (step.type) {
      case "pattern":
        return { type: "Split", pattern: { Regex: splitPatterns[step.name] }, behavior: "Isolated", invert: false };
      case "expression":
        return { type: "Split", pattern: { Regex: step.source }, behavior: nameOf(step.behaviour), invert: step.invert };
      case "literal":
        return { type: "Split", pattern: { String: step.text }, behavior: nameOf(step.behaviour), invert: step.invert };
      case "digits":
        return { type: "Digits", individual_digits: step.individual };
      case "punctuation":
        return { type: "Punctuation", behavior: nameOf(step.behaviour) };
      case "words":
        return { type: "Whitespace" };
      case "whiteSpace":
        return { type: "WhitespaceSplit" };
      case "metaspace":
        return { type: "Metaspace", replacement: step.mark, prepend_scheme: step.prefix, split: step.split };
      case "prefixSpace":
        return { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: false };
      default:
        return step satisfies never;
    }
  });
}
