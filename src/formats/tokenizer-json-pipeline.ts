// tokenizer.json's normalizer and pre_tokenizer (huggingface/tokenizers, normalizers/ and pre_tokenizers/) as steps of ours, in and out.
import {
  type NormaliserStep,
  type PreTokeniserStep,
  type SplitBehaviour,
  spaceMark,
  splitNameOf,
  splitPatterns,
} from "../tokenizer/index.ts";
import { base64Bytes, base64Of } from "./base64.ts";
import { isObject, type JsonObject, sameJson } from "./json.ts";
import { expressionOf } from "./json-expression.ts";
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

/** The steps of a text. @throws CriaError for steps that are not supported, alone or together */
export function readTextSteps(normalizers: readonly JsonObject[], preTokenizers: readonly JsonObject[], fields: JsonFields): TextSteps {
  const steps = { normaliser: readNormaliser(normalizers, fields), preTokeniser: readPreTokeniser(preTokenizers, fields) };
  checkFirstPrefix(steps, fields);
  return steps;
}

interface TextSteps {
  readonly normaliser: NormaliserStep[];
  readonly preTokeniser: PreTokeniserStep[];
}

/**
 * Metaspace's "first" puts its ▁ in front of every word that begins, before normalising, where the text does: of none where a normaliser took the first
 * characters away, and of several where one character became more and was cut.
 */
function checkFirstPrefix({ normaliser, preTokeniser }: TextSteps, fields: JsonFields): void {
  const place = preTokeniser.findIndex((step) => step.type === "metaspace" && step.prefix === "first");
  if (place < 0) return;
  const odd = normaliser.find((step) => (place === 0 ? mayTakeStart(step) : step.type !== "lowercase"));
  if (odd !== undefined)
    fields.fail(
      `pre_tokenizer's Metaspace has prepend_scheme "first"${place === 0 ? "" : " behind another step"}, which is not supported behind the normalizer's step ${odd.type}: make it "always" or "never" where ids may change`,
    );
}

function mayTakeStart(step: NormaliserStep): boolean {
  if (step.type === "strip") return step.left;
  if (step.type === "replace" || step.type === "replaceMatches") return step.to === "";
  return step.type === "stripAccents" || step.type === "nmt" || step.type === "bert";
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
    case "BertNormalizer":
      return bertStep(part, fields);
    case "Nmt":
      return { type: "nmt" };
    case "Precompiled":
      return { type: "precompiled", charsmap: readCharsmap(part.precompiled_charsmap, fields) };
    case "ByteLevel":
      return { type: "byteLevel" };
    default:
      return refuse();
  }
}

/** Accents go where they are said to, and else where letters become small. */
function bertStep(part: JsonObject, fields: JsonFields): NormaliserStep {
  const flag = (name: string) => fields.flag(part[name], `normalizer's ${name}`);
  const needed = (name: string) => flag(name) ?? fields.fail(`normalizer's ${name} is missing: it is true or false`);
  const lowercases = needed("lowercase");
  return {
    type: "bert",
    cleansText: needed("clean_text"),
    partsIdeographs: needed("handle_chinese_chars"),
    stripsAccents: flag("strip_accents") ?? lowercases,
    lowercases,
  };
}

/** What the bytes say is checked by the one who makes a normaliser of them. */
function readCharsmap(value: unknown, fields: JsonFields): Uint8Array {
  const text = fields.string(value, "normalizer's precompiled_charsmap");
  return base64Bytes(text) ?? fields.fail("normalizer's precompiled_charsmap is not in base64: it is damaged");
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
      case "bert":
        return {
          type: "BertNormalizer",
          clean_text: step.cleansText,
          handle_chinese_chars: step.partsIdeographs,
          strip_accents: step.stripsAccents,
          lowercase: step.lowercases,
        };
      case "nmt":
        return { type: "Nmt" };
      case "precompiled":
        return { type: "Precompiled", precompiled_charsmap: base64Of(step.charsmap) };
      case "byteLevel":
        return { type: "ByteLevel" };
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
    case "UnicodeScripts":
      return { type: "scripts" };
    case "FixedLength": {
      const length = part.length === undefined ? usualLength : fields.id(part.length, "pre_tokenizer's length");
      return length > 0 ? { type: "fixedLength", length } : refuse();
    }
    case "ByteLevel":
      return byteLevelSteps(part, fields);
    default:
      return refuse();
  }
}

/** What FixedLength takes where it does not say. */
const usualLength = 5;

/** A ByteLevel where a model's pieces are no bytes of their own kind: what it does, one step after another. */
function byteLevelSteps(part: JsonObject, fields: JsonFields): PreTokeniserStep[] {
  return [
    ...((fields.flag(part.add_prefix_space, "pre_tokenizer's add_prefix_space") ?? true) ? ([{ type: "prefixSpace" }] as const) : []),
    ...((fields.flag(part.use_regex, "pre_tokenizer's use_regex") ?? true) ? ([{ type: "pattern", name: "gpt2" }] as const) : []),
    { type: "byteLevel" },
  ];
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

/**
 * The parts that do what the steps do. A space in front of every word, the published pattern behind it and bytes are one ByteLevel.
 * @param writesBytes whether bytes come behind the last step, though no step says so
 */
export function preTokeniserJson(steps: readonly PreTokeniserStep[], fail: (what: string) => never, writesBytes = false): JsonObject[] {
  const all: readonly PreTokeniserStep[] = writesBytes ? [...steps, { type: "byteLevel" }] : steps;
  const parts: JsonObject[] = [];
  for (let at = 0; at < all.length; at++) {
    if (all[at]!.type !== "prefixSpace") {
      parts.push(cutJson(all[at]!));
      continue;
    }
    const next = all[at + 1];
    const hasPattern = next?.type === "pattern" && next.name === "gpt2";
    at += hasPattern ? 2 : 1;
    if (all[at]?.type !== "byteLevel") return fail("a step behind the space in front of words");
    parts.push(byteLevelJson(true, hasPattern));
  }
  return parts;
}

function byteLevelJson(hasPrefix: boolean, hasPattern: boolean): JsonObject {
  return { type: "ByteLevel", add_prefix_space: hasPrefix, trim_offsets: true, use_regex: hasPattern };
}

function cutJson(step: PreTokeniserStep): JsonObject {
  const nameOf = (behaviour: SplitBehaviour) => Object.keys(behaviours).find((name) => behaviours[name] === behaviour)!;
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
    case "scripts":
      return { type: "UnicodeScripts" };
    case "fixedLength":
      return { type: "FixedLength", length: step.length };
    case "prefixSpace":
      return byteLevelJson(true, false);
    case "byteLevel":
      return byteLevelJson(false, false);
    default:
      return step satisfies never;
  }
}
