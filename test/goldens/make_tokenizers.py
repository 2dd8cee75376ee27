"""What Hugging Face's own libraries make of added tokens, split patterns, decoders and saved LLaMA tokenizers: tokenizers.golden.json.

    python3 make_tokenizers.py    with tokenizers 0.23.3 and transformers 5.24.0; twice gives the same bytes

- `added`: small tokenizers of every normaliser form, each with several lists of added tokens whose flags are drawn at random, and the
  ids of random texts, with special tokens found in the text and with `encode_special_tokens`, and the text that each decodes to.
- `splits`: the words into which every published expression cuts texts (Oniguruma, behaviour Isolated).
- `decoders`: decoders with token lists and what they decode to.
- `saved`: the files that transformers' LlamaTokenizer.save_pretrained writes for a small vocabulary, and ids.
"""

import json
import pathlib
import random
import re
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
from transformers import AutoTokenizer, LlamaTokenizer

HERE = pathlib.Path(__file__).parent
MARK = "\u2581"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def main():
    random.seed(20261128)
    golden = dict(added=added(), splits=splits(), decoders=decoded(), saved=saved())
    text = json.dumps(golden, ensure_ascii=True, separators=(",", ":"))
    # A line per entry, so that a change can be read.
    text = re.sub(r'(\{"(?:form|name|decoder)":)', r"\n\1", text)
    (HERE / "tokenizers.golden.json").write_text(text + "\n")


def bpe(vocab, merges, **options):
    empty = dict(dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=True)
    ids = {piece: i for i, piece in enumerate(vocab)}
    return dict(type="BPE", **empty, byte_fallback=True, ignore_merges=False, vocab=ids, merges=merges) | options


def file_of(normalizer, pre_tokenizer, decoder, model):
    head = dict(version="1.0", truncation=None, padding=None, added_tokens=[])
    return head | dict(normalizer=normalizer, pre_tokenizer=pre_tokenizer, post_processor=None, decoder=decoder, model=model)


def sequence(kind, *parts):
    return {"type": "Sequence", kind: list(parts)}


REPLACE = dict(type="Replace", pattern=dict(String=" "), content=MARK)
PREPEND = dict(type="Prepend", prepend=MARK)
BACK = dict(type="Replace", pattern=dict(String=MARK), content=" ")
FALLBACK, FUSE, STRIP = dict(type="ByteFallback"), dict(type="Fuse"), dict(type="Strip", content=" ", start=1, stop=0)
BYTE_LEVEL = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)


def metaspace(scheme):
    return dict(type="Metaspace", replacement=MARK, prepend_scheme=scheme, split=False)


def forms():
    letters = [MARK, *"abcfox.!", MARK + "a", "oo", "foo", MARK + "foo", MARK * 2]
    merges = [f"{MARK} a", "o o", "f oo", f"{MARK} foo", f"{MARK} {MARK}"]
    model = bpe(["<unk>", "<s>", "</s>", *BYTES, *letters], merges, unk_token="<unk>")
    prefixing = sequence("decoders", BACK, FALLBACK, FUSE, STRIP)
    level = sorted(pre_tokenizers.ByteLevel.alphabet())
    byte_model = bpe([*level, "\u0120a", "oo", "foo", "\u0120foo"], ["\u0120 a", "o o", "f oo", "\u0120 foo"], byte_fallback=False, fuse_unk=False)
    return dict(
        prepend=file_of(sequence("normalizers", PREPEND, REPLACE), None, prefixing, model),
        never=file_of(REPLACE, None, sequence("decoders", BACK, FALLBACK, FUSE), model),
        first=file_of(None, metaspace("first"), prefixing, model),
        always=file_of(None, metaspace("always"), prefixing, model),
        bytes=file_of(None, BYTE_LEVEL, BYTE_LEVEL, byte_model),
    )


CONTENTS = ["foo", "[X]", " foo", "fo", "<t>", "a", "oo ", "  ", "\n", "ab", "\u00e9", "<t><t>", "_", "\U0001f999"]
PARTS = [*CONTENTS, " ", " ", "  ", "b", "c", "x", ".", "!", "\t", "\u00a0", "\u65e5", "1", "\u0301", "\u200d", "\n\n"]


def added():
    found = []
    for form, file in forms().items():
        cases = []
        for _ in range(24):
            tokens = [flags(content) for content in random.sample(CONTENTS, random.randint(1, 5))]
            whole = Tokenizer.from_str(json.dumps(file))
            for token in tokens:
                (whole.add_special_tokens if token["special"] else whole.add_tokens)([AddedToken(**token)])
            listed = json.loads(whole.to_str())["added_tokens"]
            cases.append(dict(tokens=listed, texts=[case_of(whole, text()) for _ in range(12)]))
        found.append(dict(form=form, file=file, cases=cases))
    return found


def flags(content):
    some = {name: random.random() < 0.4 for name in ("lstrip", "rstrip", "single_word", "normalized", "special")}
    return dict(content=content, **some)


def text():
    return "".join(random.choice(PARTS) for _ in range(random.randint(1, 8)))


def case_of(whole, text):
    whole.encode_special_tokens = False
    ids = whole.encode(text, add_special_tokens=False).ids
    decoded = whole.decode(ids, skip_special_tokens=False)
    hidden = whole.decode(ids, skip_special_tokens=True)
    whole.encode_special_tokens = True
    plain = whole.encode(text, add_special_tokens=False).ids
    return dict(text=text, ids=ids, plain=plain, decoded=decoded, hidden=hidden)


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CASED = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+%s|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*%s"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QUOTE = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
DEEPSEEK = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
EXPRESSIONS = {
    "gpt2": [r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    "gpt2, tiktoken's spelling": [r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    "LLaMA 3": [LLAMA3],
    "cl100k, tiktoken's spelling": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"],
    "Qwen 2": [LLAMA3.replace("{1,3}", "")],
    "o200k, LLaMA 4": [CASED % (QUOTE, QUOTE) + r"|\p{N}{1,3}" + TAIL],
    "Tekken": [CASED % ("", "") + r"|\p{N}" + TAIL],
    "SmolLM": [r"\p{N}", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    "DeepSeek V3": [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", DEEPSEEK],
    "DeepSeek Coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"],
}  # fmt: skip
UNITS = [*" \n\r\t\u0085\u00a0\u3000aZ\u00e9\u0130\u01c5\u02b0\u65e5\u3042\u30a2\ud55c1\u0663\u00bd'!/\\-_$+\u3002", "  ", "'s", "'LL", "'Re", "'\u017f",
         "\U0001f999", "\U0001d518", "\u0301", "\u0000", "abc", "XYz", "123", "\r\n"]  # fmt: skip


def splits():
    texts = ["".join(random.choice(UNITS) for _ in range(random.randint(1, 14))) for _ in range(250)]
    found = []
    for name, expressions in EXPRESSIONS.items():
        chain = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(one), "isolated") for one in expressions])
        found.append(dict(name=name, expressions=expressions, lengths=[[len(word) for word, _ in chain.pre_tokenize_str(text)] for text in texts]))
    return dict(texts=texts, patterns=found)


def decoded():
    strips = [dict(type="Strip", content=" ", start=start, stop=stop) for start, stop in ((0, 0), (1, 0), (2, 0), (3, 1))]
    mark = "\ue000"
    word = sequence("decoders", dict(type="Replace", pattern=dict(String=mark), content=" "), FUSE,
                    dict(type="Replace", pattern=dict(Regex=" (?![\\s\\S])"), content=""))  # fmt: skip
    lists = [[], [MARK], [MARK * 3, "a"], [MARK + "a", MARK, "b" + MARK], ["a"], ["<0x41>", "<0xe2>", "<0x82>", "<0xAC>", "x"], ["a", MARK, MARK]]
    words = [[], [mark], ["a" + mark], ["a", "b" + mark, "c" + mark], ["a"], ["a" + mark, "b"], [mark, mark]]
    return [
        *[run(sequence("decoders", BACK, FALLBACK, FUSE, *([strip] if strip["start"] + strip["stop"] else [])), lists, 1) for strip in strips],
        run(sequence("decoders", dict(type="Replace", pattern=dict(String="a"), content="bb"), BACK, FUSE), lists),
        run(BACK, lists),
        run(FALLBACK, lists),
        run(None, lists),
        run(dict(type="Metaspace", replacement=MARK, prepend_scheme="never", split=False), lists),
        run(BYTE_LEVEL, [["\u0120a", "b"], ["a", "\u0120", "\u0120"], ["\u00e2\u0124\u00ac"], ["\u00c3"], ["\uff5c", "a"], []]),
        run(word, words),
    ]


def run(decoder, lists, longest=0):
    """`longest`: Strip cuts more than there is, and panics, on texts shorter than its stop; those lists are left out."""
    found = []
    for tokens in lists:
        whole = None if decoder is None else decoder_of(decoder)
        if longest and decoder["decoders"][-1].get("stop") and len("".join(tokens)) < 5:
            continue
        found.append(dict(tokens=tokens, text=" ".join(tokens) if whole is None else whole.decode(tokens)))
    return dict(decoder=decoder, texts=found)


def decoder_of(document):
    if document["type"] == "Sequence":
        return decoders.Sequence([decoder_of(part) for part in document["decoders"]])
    if document["type"] == "Replace":
        pattern = document["pattern"]
        return decoders.Replace(pattern["String"] if "String" in pattern else Regex(pattern["Regex"]), document["content"])
    if document["type"] == "Strip":
        return decoders.Strip(content=document["content"], left=document["start"], right=document["stop"])
    if document["type"] == "Metaspace":
        return decoders.Metaspace(replacement=document["replacement"], prepend_scheme=document["prepend_scheme"], split=document["split"])
    return dict(ByteFallback=decoders.ByteFallback, Fuse=decoders.Fuse, ByteLevel=decoders.ByteLevel)[document["type"]]()


def saved():
    pieces = ["<unk>", "<s>", "</s>", *BYTES, MARK, *"abc", MARK + "a", "ab", MARK + "ab"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    made = LlamaTokenizer(vocab=vocab, merges=[(MARK, "a"), ("a", "b"), (MARK, "ab")], add_bos_token=True)
    texts = ["", "ab c", " ab", "    if a:", "a<s>b", "\u65e5\n ab", "ab </s>"]
    with tempfile.TemporaryDirectory() as folder:
        made.save_pretrained(folder)
        files = {name: json.loads((pathlib.Path(folder) / name).read_text()) for name in ("tokenizer.json", "tokenizer_config.json")}
        (pathlib.Path(folder) / "config.json").write_text('{"model_type": "llama"}')
        opened = AutoTokenizer.from_pretrained(folder)
        return dict(files=files, texts=[dict(text=text, ids=opened(text)["input_ids"]) for text in texts])


if __name__ == "__main__":
    main()
