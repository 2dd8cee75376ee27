// What tokenizers on npm make of some hundred strings, with the vocabularies that they carry: npm-tokenizers.golden.json.
//
//     mkdir peers && cd peers && npm install llama-tokenizer-js@1.2.2 llama3-tokenizer-js@1.2.0 tiktoken@1.0.22
//     node npm_tokenizers.mjs peers
//
// Of each vocabulary the golden has those pieces that stand in one of the strings, with their ids: no other piece can come of merging them, so that the
// cut vocabulary gives the same ids.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
if (folder === undefined) throw new Error("name the folder that the peers are installed in");
const require = createRequire(pathToFileURL(`${resolve(folder)}/`));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default;

const plain = [
  "",
  " ",
  "a",
  " a",
  "  a",
  "a ",
  "a  ",
  "   ",
  "Hello, world!",
  " Hello  world  ",
  "\n",
  "\n\n\n",
  "a\nb",
  "a\r\nb\r\n\r\nc",
  " \n \n",
  "\t",
  "\t\tx\t y",
  "a\u0000b\u0000",
  "x\u000bz\u000c",
  "I'm, we'LL; don'T '",
  "12345678 3.14 1,000,000",
  "v1.2.3-rc4",
  "for (let i = 0; i < n; i++) {\n    x[i] *= 2; // twice\n}",
  "https://example.org/a?b=c&d#e",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "================",
  "....!!!???",
  "a\u2581b \u2581 \u2581c\u2581",
  "\u2581",
  "na\u00efve caf\u00e9 \u00c5ngstr\u00f6m stra\u00dfe",
  "nai\u0308ve cafe\u0301 A\u030angstro\u0308m",
  "z\u0351\u036b\u0343\u036aa\u0302",
  "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u042f \u0443\u0447\u0443 \u044f\u0437\u044b\u043a\u0438.",
  "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u03ba\u03cc\u03c3\u03bc\u03b5",
  "\u0540\u0561\u0575\u0565\u0580\u0565\u0576 \u10e5\u10d0\u10e0\u10d7\u10e3\u10da\u10d8",
  "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd 123",
  "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c \u0661\u0662\u0663",
  "\u200fabc\u200e \u202eabc\u202c",
  "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e \u0967\u0968\u0969",
  "\u09ac\u09be\u0982\u09b2\u09be \u0ba4\u0bae\u0bbf\u0bb4\u0bcd \u0c24\u0c46\u0c32\u0c41\u0c17\u0c41",
  "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01",
  "\u1018\u102c\u101e\u102c \u1797\u17b6\u179f\u17b6\u1781\u17d2\u1798\u17c2\u179a \u0ea5\u0eb2\u0ea7",
  "\u12a0\u121b\u122d\u129b \u13e3\u13b3\u13a9",
  "\u4f60\u597d\uff0c\u4e16\u754c\uff01\u6211\u5728\u5b66\u4e60\u4e2d\u6587\u3002",
  "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c\u3001\u30ab\u30bf\u30ab\u30ca\uff71\uff72\u30fc",
  "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4",
  "\u1112\u1161\u11ab\u1100\u1173\u11af",
  "\u{20000}\u{2a6d6}\u{10400}\u{1d504}",
  "\u3000\u3000x\u00a0y\u2003z\u2028w\u2029",
  "\u00bd \u00b2 \u2167 \u2460 \uff11\uff12",
  "\ufb01ne \ufb03 \u01c5",
  "\u{1f600}\u{1f600} \u{1f999}",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466} \u{1f3f3}\ufe0f\u200d\u{1f308}",
  "\u{1f44d}\u{1f3fd}\u{1f44d}\u{1f3ff} \u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7} 1\ufe0f\u20e3",
  "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  "\u20ac\u00a3\u20b9 \u2211\u222b\u221e \u2190\u2192 \u2501\u253c",
  "\u{16b9}\u{10330} \u{12000} \u{1e900}",
  "\ufeffbom",
  "a\u200bb\u00adc\u0085d",
  "\ufffd \ufffe \u{10ffff} \ue000",
];
const special = [
  "<s>a</s>",
  "<unk><0x0A>",
  "<|endoftext|>",
  "a<|endoftext|>b <|endoftext|> ",
  "<|fim_prefix|>x<|fim_suffix|>y<|fim_middle|>",
  "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>",
  "<|endofprompt|><|end",
];
const lone = ["\ud800", "a\udc00b", "\ud83d\ud83d\ude00", " \udfff "];
const random = randomTexts(60);
const texts = [...plain, ...special, ...lone, ...random];

/** Strings of pieces of the others, by a generator of small period (Park and Miller 1988), so that twice gives the same. */
function randomTexts(count) {
  let state = 20261128;
  const below = (n) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  const units = plain.flatMap((text) => text.match(/\s+|[^\s]{1,4}/gu) ?? []);
  return Array.from({ length: count }, () => Array.from({ length: 1 + below(7) }, () => units[below(units.length)]).join(""));
}

const bytesOf = (text) => Buffer.from(text, "utf8");
const haystack = Buffer.concat(texts.flatMap((text) => [bytesOf(text), Buffer.of(0xff)]));
const standsInOne = (bytes) => haystack.includes(bytes);

function llama(tokenizer) {
  const marked = texts.map((text) => `\u2581${text.replaceAll(" ", "\u2581")}`);
  const kept = tokenizer.vocabById.flatMap((piece, id) => {
    const isKept = id < 259 || marked.some((text) => text.includes(piece));
    return isKept ? [[id, piece]] : [];
  });
  const ids = new Set(kept.map(([id]) => id));
  const idOf = new Map(tokenizer.vocabById.map((piece, id) => [piece, id]));
  const merges = [...tokenizer.merges]
    .map(([pair, rank]) => [pair.split(" "), rank])
    .sort(([, a], [, b]) => a - b)
    .map(([[left, right]]) => [idOf.get(left), idOf.get(right)])
    .filter(
      ([left, right]) => ids.has(left) && ids.has(right) && ids.has(idOf.get(tokenizer.vocabById[left] + tokenizer.vocabById[right])),
    );
  const encoded = texts.map((text) => ({
    plain: tokenizer.encode(text, false, true),
    bos: tokenizer.encode(text, true, true),
    noPrefix: tokenizer.encode(text, false, false),
  }));
  return { pieces: kept, merges, ids: encoded.map(short), decoded: encoded.map(({ plain }) => tokenizer.decode(plain, false, true)) };
}

/** A bos in front changes no other id, so that it need not be written; a text of nothing gets none there. */
function short({ plain, bos, noPrefix }) {
  if (bos.length > 0 && bos.join() !== [1, ...plain].join()) throw new Error("bos changes other ids");
  return { plain, noPrefix };
}

const byteChars = byteAlphabet();
const charBytes = new Map(byteChars.map((char, byte) => [char, byte]));

function byteAlphabet() {
  const isPrintable = (byte) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

function llama3(tokenizer) {
  const specials = tokenizer.vocabById.slice(128000).map((piece, i) => [piece, 128000 + i]);
  const ranks = tokenizer.vocabById
    .slice(0, 128000)
    .map((piece, id) => [Buffer.from(Array.from(piece, (char) => charBytes.get(char))), id]);
  return {
    count: 128000,
    ...{ ranks: cut(ranks), specials },
    ids: texts.map((text) => ({ special: tokenizer.encode(text, { bos: false, eos: false }) })),
    decoded: texts.map((text) => tokenizer.decode(tokenizer.encode(text, { bos: false, eos: false }))),
  };
}

function cut(ranks) {
  return ranks.filter(([bytes]) => bytes.length === 1 || standsInOne(bytes)).map(([bytes, id]) => [id, bytes.toString("base64")]);
}

function tiktoken({ Tiktoken }, name) {
  const file = require(`tiktoken/encoders/${name}.json`);
  const ranks = file.bpe_ranks.split("\n").flatMap((line) => {
    const [, first, ...pieces] = line.split(" ");
    return pieces.map((piece, i) => [Buffer.from(piece, "base64"), Number(first) + i]);
  });
  const encoding = new Tiktoken(file.bpe_ranks, file.special_tokens, file.pat_str);
  const encoded = texts.map((text) => ({ plain: [...encoding.encode_ordinary(text)], special: [...encoding.encode(text, "all")] }));
  return {
    count: ranks.length,
    pattern: file.pat_str,
    specials: Object.entries(file.special_tokens),
    ranks: cut(ranks),
    ids: encoded.map(({ plain, special }) => (plain.join() === special.join() ? { plain } : { plain, special })),
    decoded: encoded.map(({ special }) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoding.decode(special))),
  };
}

/** What a text decodes to is written only where it is another one. */
function asRow({ decoded, ...entry }) {
  const changed = decoded.flatMap((text, i) => (text === texts[i].toWellFormed() ? [] : [[i, text]]));
  return JSON.stringify({ ...entry, changed });
}

const tiktokenModule = require("tiktoken");
const rows = {
  "llama-tokenizer-js": llama(await load("llama-tokenizer-js")),
  "llama3-tokenizer-js": llama3(await load("llama3-tokenizer-js")),
  ...Object.fromEntries(["r50k_base", "cl100k_base", "o200k_base"].map((name) => [`tiktoken, ${name}`, tiktoken(tiktokenModule, name)])),
};
const body = Object.entries(rows).map(([name, entry]) => `${JSON.stringify(name)}: ${asRow(entry)}`);
// A lone surrogate is written as its escape, as JSON has it.
const written = `{"texts": ${JSON.stringify(texts)},\n${body.join(",\n")}}\n`;
writeFileSync(new URL("npm-tokenizers.golden.json", import.meta.url), written);
