"""What huggingface/tokenizers makes of normalisers, pre-tokenizers and models in many combinations: tokenizer-pipelines.golden.json.

    python3 make_tokenizer_pipelines.py    with tokenizers 0.23.3; twice gives the same bytes

Each entry is a whole tokenizer.json, trained on a few sentences, with ids of random texts and what they decode to."""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
MARK = "\u2581"
CORPUS = ["the low lower newest widest of the low town, and the old owl", "The Low-Lands: 12 3456 7 x-y_z (a b) don't I'm we'll", "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m Stra\u00dfe",
          "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440 \u4f60\u597d \u4e16\u754c \uff11\uff12 \ufb01ne", "aaaa bb  cc   dd\n\tee"] * 3  # fmt: skip
UNITS = [*" \n\t\r\u00a0\u3000abcdehilnostwxyTLZ\u00e9\u00c5\u03a3\u0130\u00df\u65e5\u4f601\u00bd\u0663\uff11\ufb01\u2460\u0301\u0327\u200d\ufeff\u2581.,!-_'()$+", "  ", "   ", "the", " low", "[X]", "[x]", "e\u0301",
         "\U0001f999", "12", "'s", "...", "\u0000", "lower", "New"]  # fmt: skip
N, P = normalizers, pre_tokenizers
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def level(prefix=False, regex=True):
    return P.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def metaspace(scheme, split):
    return P.Metaspace(replacement=MARK, prepend_scheme=scheme, split=split)


BYTES = {
    "NFC, LLaMA 3's split, ByteLevel (Qwen 2)": (N.NFC(), [P.Split(Regex(LLAMA3), "isolated"), level(regex=False)], {}),
    "NFKC and lower case, ByteLevel": (N.Sequence([N.NFKC(), N.Lowercase()]), [level()], {}),
    "a space in front (RoBERTa)": (None, [level(prefix=True)], {}),
    "a space in front of every word": (N.Strip(), [P.Punctuation("isolated"), level(prefix=True)], {}),
    "digits in runs, punctuation with what is before": (None, [P.Digits(individual_digits=False), P.Punctuation("merged_with_previous"), level(regex=False)], {}),
    "strings split off": (N.Replace("low", "LOW"), [P.Split(" ", "merged_with_next"), P.Split("e", "contiguous"), P.Split("-", "removed"), level(regex=False)], {}),
    "three splits, ignore_merges": (None, [P.Split(Regex(r"\p{N}{1,3}"), "isolated"), P.Split(Regex(r"\s?\p{P}+"), "isolated"), P.Split(Regex(r"\s?\p{L}+"), "isolated"), level(regex=False)], dict(ignore_merges=True)),
}  # fmt: skip
CHARS = {
    "Metaspace that splits": (None, [metaspace("always", True)], dict(unk_token="<unk>", fuse_unk=True)),
    "Metaspace that splits, in front of the first": (N.NFKC(), [metaspace("first", True)], dict(unk_token="<unk>", fuse_unk=False)),
    "Metaspace behind digits": (None, [P.Digits(individual_digits=True), metaspace("never", True)], dict(unk_token="<unk>", fuse_unk=True)),
    "words, no unknown": (N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]), [P.Whitespace()], {}),
    "white space, an unknown each": (None, [P.WhitespaceSplit()], dict(unk_token="<unk>", fuse_unk=False)),
    "BERT's, an unknown for a run": (N.Lowercase(), [P.BertPreTokenizer()], dict(unk_token="<unk>", fuse_unk=True)),
    "a delimiter": (N.Strip(left=False, right=True), [P.CharDelimiterSplit(" "), P.Punctuation("removed")], {}),
    "a prefix, unlike LLaMA's, ignore_merges": (N.Sequence([N.Prepend("_"), N.Replace(" ", "_")]), [P.Split("_", "merged_with_next")], dict(unk_token="<unk>", ignore_merges=True)),
    "two prefixes, byte fallback": (N.Sequence([N.Prepend(MARK), N.Prepend(MARK), N.Replace(" ", MARK)]), [], dict(unk_token="<unk>", byte_fallback=True)),
    "NFC in front of LLaMA's, byte fallback": (N.Sequence([N.NFC(), N.Prepend(MARK), N.Replace(" ", MARK)]), [], dict(unk_token="<unk>", fuse_unk=True, byte_fallback=True)),
    "extra spaces go": (N.Sequence([N.Replace(Regex(r"\A +"), ""), N.Replace(Regex(" {2,}"), " "), N.Prepend(MARK), N.Replace(" ", MARK), N.Replace(Regex(MARK + r"+\z"), "")]), [], dict(unk_token="<unk>", fuse_unk=True, byte_fallback=True)),
}  # fmt: skip


def main():
    random.seed(20261128)
    entries = [golden(name, *form, byte_level=True) for name, form in BYTES.items()] + [golden(name, *form, byte_level=False) for name, form in CHARS.items()]
    with open(HERE / "tokenizer-pipelines.golden.json", "w") as out:
        out.write('{"tokenizers":[\n' + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]}\n")


def golden(name, normalizer, cuts, options, byte_level):
    whole = Tokenizer(models.BPE(**options))
    if normalizer is not None:
        whole.normalizer = normalizer
    if cuts:
        whole.pre_tokenizer = cuts[0] if len(cuts) == 1 else P.Sequence(cuts)
    specials = [*(["<unk>"] if "unk_token" in options else []), "<s>"]
    if options.get("byte_fallback"):
        specials += [f"<0x{byte:02X}>" for byte in range(256)]
    alphabet = sorted(P.ByteLevel.alphabet()) if byte_level else []
    trainer = trainers.BpeTrainer(vocab_size=320 if byte_level else len(specials) + 110, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    whole.train_from_iterator(CORPUS, trainer)
    whole.decoder = decoder_of(byte_level, cuts, options)
    file = json.loads(whole.to_str())
    # Bytes are ordinary pieces of the vocabulary, as in LLaMA's own files.
    file["added_tokens"] = [token for token in file["added_tokens"] if not token["content"].startswith("<0x")]
    whole = Tokenizer.from_str(json.dumps(file))
    whole.add_tokens([AddedToken("[X]", normalized=name.startswith("NF") or "two" in name)])
    cases = []
    for _ in range(45):
        text = "".join(random.choice(UNITS) for _ in range(random.randint(0, 10)))
        ids = whole.encode(text, add_special_tokens=False).ids
        cases.append(dict(text=text, ids=ids, decoded=whole.decode(ids, skip_special_tokens=False)))
    return dict(name=name, file=json.loads(whole.to_str()), cases=cases)


def decoder_of(byte_level, cuts, options):
    if byte_level:
        return decoders.ByteLevel()
    if any(isinstance(cut, P.Metaspace) for cut in cuts):
        return decoders.Metaspace(replacement=MARK, prepend_scheme=next(cut for cut in cuts if isinstance(cut, P.Metaspace)).prepend_scheme)
    if options.get("byte_fallback"):
        return decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return decoders.Fuse()


if __name__ == "__main__":
    main()
