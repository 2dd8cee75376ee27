// How llama.cpp cuts a text by the name in `tokenizer.ggml.pre` (ggml-org/llama.cpp, src/llama-vocab.cpp): a list of expressions for every name, each
// of which cuts the words of the one before. Where llama.cpp writes an expression otherwise than the model's own tokenizer.json, because its matcher
// lacks something, the model's own stands here: o200k, tekken, kimi-k2, tiny_aya.
import { type BytesModel, type SplitName, splitPatterns } from "../tokenizer/index.ts";

/** How texts are cut under one or more names of `tokenizer.ggml.pre`. */
export interface Pre {
  readonly names: readonly string[];
  /** The names of published expressions, or expressions in Oniguruma's syntax. */
  readonly cuts: readonly (SplitName | { readonly expression: string })[];
  readonly ignoreMerges?: true;
  /** Whether a begin-of-text piece goes in front where the file does not say. */
  readonly addsBos?: true;
}

/** LLaMA 3's expression with something else in its middle. */
function likeLlama3(words: string, numbers: string, others: string, ends: string): { readonly expression: string } {
  return { expression: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|${words}|${numbers}|${others}|${ends}|\\s+(?!\\S)|\\s+` };
}

const words = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
const others = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*";
const lineEnds = "\\s*[\\r\\n]+";
/** Words of small letters behind capital ones, and of capital ones. */
const cased = (small: string, capital: string, contraction: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${capital}*${small}+${contraction}|[^\\r\\n\\p{L}\\p{N}]?${capital}+${small}*${contraction}`;
const [small, capital] = ["[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"];
const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";

/** Letters that have a case, of DeepSeek LLM's time. */
const casedLetters = [
  "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d",
  "\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5",
  "\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45",
  "\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3",
  "\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d",
  "\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d",
  "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a",
  "\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}",
  "\u{1e900}-\u{1e943}",
].join("");

const sentences = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";
const asciiWord = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+";

/** The rows; the first of several for one way of cutting is written. */
export const pres: readonly Pre[] = [
  {
    names: ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"],
    cuts: ["llama3"],
    ignoreMerges: true,
    addsBos: true,
  },
  { names: ["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], cuts: ["llama3"] },
  {
    names: [
      ...["gpt-2", "phi-2", "mpt", "olmo", "jais", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "trillion", "granite-docling"],
      ...["gigachat", "a.x-4.0", "mellum", "modern-bert", "exaone4", "jina-v1-en", "jina-v2-code", "roberta-bpe"],
    ],
    cuts: ["gpt2"],
  },
  {
    names: ["qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "kormo", "f2llmv2", "hunyuan", "solar-open", "grok-2"],
    cuts: ["qwen2"],
  },
  {
    names: ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"],
    cuts: ["digit", "gpt2"],
  },
  { names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], cuts: ["o200k"] },
  { names: ["tekken"], cuts: ["tekken"], ignoreMerges: true, addsBos: true },
  { names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"], cuts: ["digitGroups", "cjkKana", "deepseek3"] },
  { names: ["deepseek-coder"], cuts: ["newline", "words", "punctuation", "cjk", "digit"] },
  {
    names: ["deepseek-llm"],
    cuts: [
      "newline",
      { expression: `\\s?[${casedLetters}]+` },
      { expression: "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+" },
      { expression: "\\s+\\z" },
      "cjk",
      { expression: "\\p{N}+" },
    ],
  },
  {
    names: ["default"],
    cuts: [{ expression: "[\\p{P}$+<=>^~|]+" }, "gpt2", { expression: "\\p{N}+" }, { expression: "[0-9][0-9][0-9]" }],
  },
  { names: ["falcon"], cuts: [{ expression: "[\\p{P}$+<=>^~|`]+" }, "gpt2", { expression: "[0-9][0-9][0-9]" }] },
  {
    names: ["chameleon"],
    cuts: [
      { expression: "<sentinel:[0-9]+>" },
      { expression: "(?:IMGIMG)(?:(?:A|B|C|D|E|F|G|H|I){1,4})Z" },
      { expression: "(?:[\\t\\n]|    |  )" },
      "digit",
      { expression: "[\\p{P}!-/:-@\\[-`{-~]" },
      "gpt2",
    ],
    addsBos: true,
  },
  { names: ["bloom", "poro-chat", "gpt3-finnish"], cuts: [{ expression: sentences }] },
  { names: ["viking"], cuts: [{ expression: sentences }, "digit"] },
  {
    names: ["qwen35"],
    cuts: [likeLlama3("[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+", "\\p{N}", " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*", lineEnds)],
  },
  {
    names: ["jais-2"],
    cuts: [
      {
        expression: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|${words}|\\p{N}{1,3}|${others}|${lineEnds}|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}`,
      },
    ],
  },
  { names: ["minicpm5"], cuts: ["digitGroups", likeLlama3(words, "\\p{N}+", others, lineEnds)], ignoreMerges: true },
  { names: ["seed-coder"], cuts: [likeLlama3(words, "\\p{N}{1}", " ?[^\\s\\p{L}\\p{N}\\r\\n]+", lineEnds)] },
  {
    names: ["bailingmoe", "bailingmoe2", "llada-moe"],
    cuts: [
      {
        expression:
          "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
      },
    ],
  },
  { names: ["ufakzeka"], cuts: [{ expression: `${words}|\\p{N}|${others}|${lineEnds}|\\s+(?!\\S)|\\s+` }] },
  {
    names: ["exaone-moe"],
    cuts: [
      likeLlama3(
        "[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+",
        "\\p{N}",
        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?",
        "\\s*[\\r\\n]",
      ),
    ],
  },
  { names: ["laguna"], cuts: [{ expression: "[^\\n]+|[\\n]+" }, "qwen2"] },
  {
    names: ["youtu"],
    cuts: [
      {
        expression:
          "[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
      },
      { expression: `${cased(small, capital, contraction)}|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${lineEnds}|\\s+(?!\\S)|\\s+` },
    ],
    ignoreMerges: true,
  },
  {
    names: ["spark2_5"],
    cuts: ["digitGroups", "cjkKana", { expression: `${asciiWord}| ?[\\p{P}\\p{S}]+|[\\r\\n]|\\s+(?!\\S)|\\s+` }, "digit"],
  },
  { names: ["tiny_aya", "cohere2moe"], cuts: [{ expression: "\\d{1,3}(?=(?:\\d{3})*\\b)" }, "o200k"] },
  {
    names: ["kimi-k2"],
    cuts: [
      {
        expression: `[\\p{Han}]+|${cased(`${small.slice(0, -1)}&&[^\\p{Han}]]`, `${capital.slice(0, -1)}&&[^\\p{Han}]]`, contraction)}|\\p{N}{1,3}|${others}|${lineEnds}|\\s+(?!\\S)|\\s+`,
      },
    ],
  },
  { names: ["superbpe"], cuts: [{ expression: "\\p{N}+" }, { expression: "(?=(?:\\d{3})+(?!\\d))" }] },
  {
    names: ["afmoe"],
    cuts: [
      { expression: "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))" },
      {
        expression:
          "[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+",
      },
      "deepseek3",
    ],
  },
];

/** Names of models whose pieces are characters, and not bytes in GPT-2's alphabet. */
export const characterPres: readonly string[] = ["gemma4", "granite-embed-multi-311m", "sarvam-moe", "whitespace"];

/** The row of a name. */
export function preOf(name: string): Pre | undefined {
  return pres.find(({ names }) => names.includes(name));
}

/** How a byte-level model says it. */
export function cutsOf({ cuts }: Pre): Pick<BytesModel, "pattern" | "splitDigits" | "preTokeniser"> {
  const names = cuts.filter((cut) => typeof cut === "string");
  if (names.length < cuts.length)
    return {
      splitDigits: false,
      preTokeniser: cuts.map((cut) =>
        typeof cut === "string"
          ? { type: "pattern", name: cut }
          : { type: "expression", source: cut.expression, behaviour: "isolated", invert: false },
      ),
    };
  const splitDigits = names.length === 2 && names[0] === "digit";
  const patterns = splitDigits ? names.slice(1) : names;
  return { pattern: patterns.length === 1 ? patterns[0]! : patterns, splitDigits };
}

/** The first name of every row, and its expressions in Oniguruma's syntax, for the judge of the tests. */
export function expressionsOfPres(): Record<string, readonly string[]> {
  const sourceOf = (cut: Pre["cuts"][number]) => (typeof cut === "string" ? splitPatterns[cut] : cut.expression);
  return Object.fromEntries(pres.map(({ names, cuts }) => [names[0], cuts.map(sourceOf)]));
}
