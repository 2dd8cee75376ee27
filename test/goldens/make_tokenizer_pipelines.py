"""What huggingface/tokenizers makes of normalisers, pre-tokenizers and models in many combinations: tokenizer-pipelines.golden.json.

    python3 make_tokenizer_pipelines.py    with tokenizers 0.23.3 and sentencepiece 0.2.3; twice gives the same bytes

Each entry is a whole tokenizer.json, trained on a few sentences, with ids of random texts and what they decode to. The entries of `RARE` and
`UNIGRAM` have texts with characters drawn from all of Unicode, too."""

import json
import math
import pathlib
import random
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

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

PLACES = dict(normalizer=normalizers, pre_tokenizer=pre_tokenizers, decoder=decoders, post_processor=processors, model=models)
BASES = ("Normalizer", "PreTokenizer", "Decoder", "PostProcessor", "Model", "NormalizedString", "PreTokenizedString", "Regex", "DecodeStream")
SUFFIX, PREFIX = dict(end_of_word_suffix="</w>"), dict(continuing_subword_prefix="##")
UNK = dict(unk_token="<unk>", fuse_unk=True)
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def precompiled():
    """Rules of which some begin with others, as SentencePiece compiles them, in the form that tokenizer.json has."""
    rules = {"e\u0301": "\u00e9", "A": "a", "A\u030a": "o", "\r": " ", "\r\n": "\n", "\ufb01": "fi", "\u00bd": "1/2", "\u200d": "", "T": "t", "Th": "\u00fe", "\u3000": " ", "\u00df": "ss", "0\u0301": "zero"}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "rules.tsv").write_text("".join(" ".join(f"{ord(c):X}" for c in key) + "\t" + " ".join(f"{ord(c):X}" for c in value) + "\n" for key, value in rules.items()))
        (path / "text.txt").write_text("\n".join(CORPUS))
        sentencepiece.SentencePieceTrainer.train(input=str(path / "text.txt"), model_prefix=str(path / "m"), vocab_size=80, hard_vocab_limit=False, normalization_rule_tsv=str(path / "rules.tsv"), minloglevel=2)
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString((path / "m.model").read_bytes())
        return N.Precompiled(proto.normalizer_spec.precompiled_charsmap)


COMPILED = precompiled()
RARE = {
    "BertNormalizer": (N.BertNormalizer(), [P.BertPreTokenizer()], UNK, decoders.Fuse()),
    "BertNormalizer that leaves text and case as they are": (N.BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=True, lowercase=False), [P.WhitespaceSplit()], UNK, decoders.Fuse()),
    "BertNormalizer that cleans only": (N.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False), [P.Whitespace()], {}, decoders.Fuse()),
    "Nmt and NFKD": (N.Sequence([N.Nmt(), N.NFKD()]), [metaspace("always", True)], UNK, decoders.Metaspace()),
    "StripAccents behind NFD": (N.Sequence([N.NFD(), N.StripAccents()]), [P.WhitespaceSplit()], UNK, decoders.Fuse()),
    "Precompiled": (COMPILED, [metaspace("first", False)], UNK, decoders.Metaspace(prepend_scheme="first")),
    "ByteLevel as a normaliser": (N.Sequence([N.NFC(), N.ByteLevel()]), [P.Split(Regex("\u0120?[A-Za-z]+|\u0120+"), "isolated")], {}, decoders.ByteLevel()),
    "UnicodeScripts": (None, [P.UnicodeScripts()], UNK, decoders.Fuse()),
    "UnicodeScripts behind Metaspace, byte fallback": (None, [metaspace("never", True), P.UnicodeScripts()], dict(**UNK, byte_fallback=True), decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])),
    "FixedLength": (N.NFKC(), [P.FixedLength(length=3)], dict(unk_token="<unk>"), decoders.Fuse()),
    "a suffix at the end of words, BPEDecoder": (N.NFC(), [P.BertPreTokenizer()], dict(**UNK, **SUFFIX), decoders.BPEDecoder(suffix="</w>")),
    "a suffix, no unknown, BPEDecoder behind a Replace": (None, [P.WhitespaceSplit()], SUFFIX, decoders.Sequence([decoders.Replace("low", "LOW"), decoders.BPEDecoder(suffix="</w>")])),
    "a prefix within words, a Replace by expression": (N.Lowercase(), [P.Whitespace()], dict(unk_token="<unk>", **PREFIX), decoders.Sequence([decoders.Replace(Regex("^##|[0-9]"), ""), decoders.Fuse()])),
    "a prefix and a suffix, byte fallback, ignore_merges": (None, [P.WhitespaceSplit()], dict(unk_token="<unk>", byte_fallback=True, ignore_merges=True, **PREFIX, **SUFFIX), decoders.Sequence([decoders.Replace(Regex("##"), ""), decoders.BPEDecoder(suffix="</w>"), decoders.ByteFallback(), decoders.Fuse()])),
    "CLIP: a suffix behind bytes": (N.Sequence([N.NFC(), N.Replace(Regex(r"\s+"), " "), N.Lowercase()]), [P.Split(Regex(CLIP), "removed", invert=True), level(regex=False)], dict(unk_token="<unk>", **SUFFIX), decoders.ByteLevel()),
    "a suffix behind a space in front and GPT-2's pattern": (None, [level(prefix=True)], dict(unk_token="<unk>", **SUFFIX), decoders.ByteLevel()),
}  # fmt: skip
UNIGRAM = {
    "T5: Precompiled, runs of spaces, Metaspace": (N.Sequence([COMPILED, N.Strip(left=False, right=True), N.Replace(Regex(" {2,}"), MARK)]), [metaspace("always", True)], False, decoders.Metaspace()),
    "ALBERT: small letters without accents": (N.Sequence([N.Replace("``", '"'), N.NFKD(), N.StripAccents(), N.Lowercase(), COMPILED]), [P.WhitespaceSplit(), metaspace("always", True)], False, decoders.Metaspace()),
    "unigram, byte fallback, no space in front": (N.Nmt(), [metaspace("never", False)], True, decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()])),
    "unigram of plain characters": (None, [], False, decoders.Fuse()),
}  # fmt: skip


def main():
    random.seed(20261128)
    entries = [golden(name, *form, byte_level=True) for name, form in BYTES.items()] + [golden(name, *form, byte_level=False) for name, form in CHARS.items()]
    entries += [rare(name, *form) for name, form in RARE.items()] + [unigram(name, *form) for name, form in UNIGRAM.items()]
    entries.append(rare("an unknown that is no special piece", None, [P.WhitespaceSplit()], UNK, decoders.Fuse(), unknown_is_special=False))
    with open(HERE / "tokenizer-pipelines.golden.json", "w") as out:
        parts = {place: sorted(name for name, kind in vars(module).items() if isinstance(kind, type) and name not in BASES) for place, module in PLACES.items()}
        out.write('{"parts":' + json.dumps(parts) + ',"tokenizers":[\n' + ",\n".join(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) for entry in entries) + "\n]}\n")


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
    return entry(name, whole, lambda: random.choice(UNITS))


def entry(name, whole, unit, count=45):
    cases = []
    for _ in range(count):
        text = "".join(unit() for _ in range(random.randint(0, 10)))
        ids = whole.encode(text, add_special_tokens=False).ids
        # BPEDecoder counts from the last token of none, and panics.
        decoded, shown = [whole.decode(ids, skip_special_tokens=skips) if ids else "" for skips in (False, True)]
        cases.append(dict(text=text, ids=ids, decoded=decoded) | (dict(withoutSpecials=shown) if shown != decoded else {}))
    return dict(name=name, file=json.loads(whole.to_str()), cases=cases)


def any_unit():
    """Half of the units are of the vocabulary; of the rest some join characters of two scripts, or a letter and a mark, into what a reader takes for one."""
    kind = random.random()
    if kind < 0.6:
        return random.choice(UNITS)
    if kind < 0.7:
        return random.choice("aeA0\u0627\u0915\u1100\u30ab") + random.choice(["\u0301", "\u030a", "\u0334\u0301", "\u093f", "\u1161", "\u3099", "\u200d", "\u0897", "\U00010d69"])
    return chr(random.choice([random.randrange(0x80, 0x3000), random.randrange(0x3000, 0xD800), random.randrange(0x10000, 0x12000), random.randrange(0x16000, 0x1FBFF)]))


def rare(name, normalizer, cuts, options, decoder, unknown_is_special=True):
    whole = Tokenizer(models.BPE(**options))
    if normalizer is not None:
        whole.normalizer = normalizer
    whole.pre_tokenizer = cuts[0] if len(cuts) == 1 else P.Sequence(cuts)
    specials = [*(["<unk>"] if "unk_token" in options else []), "<s>"]
    if options.get("byte_fallback"):
        specials += [f"<0x{byte:02X}>" for byte in range(256)]
    alphabet = sorted(P.ByteLevel.alphabet()) if "ByteLevel" in repr(whole.pre_tokenizer) + repr(normalizer) else []
    whole.decoder = decoder
    whole.add_special_tokens(["<s>"])
    file = json.loads(whole.to_str())
    vocab, merges = learned(whole, specials, alphabet, options.get("continuing_subword_prefix", ""), options.get("end_of_word_suffix", ""))
    file["model"].update(vocab={piece: id for id, piece in enumerate(vocab)}, merges=merges)
    # Bytes are ordinary pieces of the vocabulary.
    named = [piece for piece in specials if not piece.startswith("<0x") and (unknown_is_special or piece != "<unk>")]
    file["added_tokens"] = [dict(file["added_tokens"][0], id=specials.index(piece), content=piece) for piece in named]
    whole = Tokenizer.from_str(json.dumps(file))
    whole.add_tokens([AddedToken("[X]", normalized=len(name) % 2 == 0)])
    return entry(name, whole, any_unit, 32)


def learned(whole, specials, alphabet, prefix, suffix):
    """Pieces and merges of the corpus, ties by spelling: the library's own trainer orders characters with a prefix or suffix at random."""
    words = {}
    for text in CORPUS:
        text = whole.normalizer.normalize_str(text) if whole.normalizer is not None else text
        for word, _ in whole.pre_tokenizer.pre_tokenize_str(text):
            spelt = [f"{prefix if i else ''}{char}{suffix if i == len(word) - 1 else ''}" for i, char in enumerate(word)]
            words[word] = (words.get(word, (0,))[0] + 1, spelt)
    vocab = list(dict.fromkeys([*specials, *alphabet, *sorted({piece for _, spelt in words.values() for piece in spelt})]))
    merges = []
    for _ in range(60):
        counts = {}
        for count, spelt in words.values():
            for pair in zip(spelt, spelt[1:]):
                counts[pair] = counts.get(pair, 0) + count
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(list(best))
        joined = best[0] + best[1][len(prefix):]
        if joined not in vocab:
            vocab.append(joined)
        for _, spelt in words.values():
            for i in range(len(spelt) - 1):
                if i + 1 < len(spelt) and (spelt[i], spelt[i + 1]) == best:
                    spelt[i : i + 2] = [joined]
    return vocab, merges


def likely(whole):
    """Parts of the corpus's words that come often, with the logarithms of their shares, rounded so that sums are often equal."""
    counts = {}
    for text in CORPUS:
        text = whole.normalizer.normalize_str(text) if whole.normalizer is not None else text
        for word in [word for word, _ in whole.pre_tokenizer.pre_tokenize_str(text)] if whole.pre_tokenizer is not None else [text]:
            for start in range(len(word)):
                for end in range(start + 1, min(len(word), start + 5) + 1):
                    counts[word[start:end]] = counts.get(word[start:end], 0) + 1
    total = sum(counts.values())
    best = sorted(counts, key=lambda piece: (len(piece) > 1, -counts[piece] * len(piece), piece))[:150]
    return [[piece, round(math.log(counts[piece] / total), 1)] for piece in best]


def unigram(name, normalizer, cuts, byte_fallback, decoder):
    whole = Tokenizer(models.Unigram())
    if normalizer is not None:
        whole.normalizer = normalizer
    if cuts:
        whole.pre_tokenizer = cuts[0] if len(cuts) == 1 else P.Sequence(cuts)
    specials = ["<pad>", "</s>", "<unk>", *([f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else [])]
    whole.decoder = decoder
    whole.add_special_tokens(["<s>"])
    file = json.loads(whole.to_str())
    file["added_tokens"] = [dict(file["added_tokens"][0], id=id, content=piece) for id, piece in enumerate(specials[:3])]
    file["model"] = dict(type="Unigram", unk_id=2, vocab=[*([piece, 0.0] for piece in specials), *likely(whole)], byte_fallback=byte_fallback)
    whole = Tokenizer.from_str(json.dumps(file))
    whole.add_tokens([AddedToken("[X]", normalized=False)])
    whole.add_special_tokens([AddedToken("<extra>", normalized=False)])
    return entry(name, whole, any_unit, 32)


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
