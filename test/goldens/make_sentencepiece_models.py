"""Makes sentencepiece-models.golden.json: tokenizer.model files of every kind, what PyPI's sentencepiece makes of difficult texts with them, and
what it decodes ids drawn at random to.

    python3 make_sentencepiece_models.py CORPUS.txt    with sentencepiece 0.2.3; made with botchan.txt, which google/sentencepiece carries in data/

Files are gzip in base64. Compiled rules are small ones of our own: those of nmt_nfkc have 240 KB."""

import base64
import gzip
import json
import os
import random
import sys
import tempfile

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as proto

IDENTITY = dict(normalization_rule_name="identity", remove_extra_whitespaces=False)
# a -> b, ab -> X, two spaces of other kinds -> space, a control character -> nothing, a letter -> two with a space between
RULES = [("61", "62"), ("61 62", "58"), ("3000", "20"), ("A0", "20"), ("7F", ""), ("BD", "31 20 32"), ("41", "61"), ("FF21", "41")]
MODELS = {
    "bpe, bytes": dict(IDENTITY, model_type="bpe", vocab_size=420, byte_fallback=True),
    "bpe, rules, extra spaces go": dict(model_type="bpe", vocab_size=200, rules=True),
    "bpe, rules, bytes, user-defined": dict(model_type="bpe", vocab_size=420, byte_fallback=True, rules=True, user_defined_symbols=["ab", "[X]", " the", "  ", "\u2581\u2581\u2581"]),
    "bpe, user-defined, no prefix": dict(IDENTITY, model_type="bpe", vocab_size=200, add_dummy_prefix=False, user_defined_symbols=["the", "[X]", "\U0001f999"]),
    "bpe, space behind": dict(IDENTITY, model_type="bpe", vocab_size=200, treat_whitespace_as_suffix=True),
    "bpe, space behind, extra spaces go": dict(model_type="bpe", vocab_size=200, normalization_rule_name="identity", treat_whitespace_as_suffix=True),
    "bpe, plain spaces": dict(IDENTITY, model_type="bpe", vocab_size=200, escape=False),
    "bpe, unused": dict(IDENTITY, model_type="bpe", vocab_size=300, unused=4),
    "bpe, unused, bytes": dict(IDENTITY, model_type="bpe", vocab_size=500, byte_fallback=True, unused=3),
    "bpe, control, roles": dict(IDENTITY, model_type="bpe", vocab_size=200, control_symbols=["<|im|>", "<sep>", "#"], pad_id=3, bos_piece="<go>", unk_id=2, bos_id=0, eos_id=1, unk_surface="?"),
    "bpe, bytes, rules of decoding": dict(IDENTITY, model_type="bpe", vocab_size=420, byte_fallback=True, decoding_rules=True),
    "unigram": dict(IDENTITY, model_type="unigram", vocab_size=200),
    "unigram, bytes, extra spaces go": dict(model_type="unigram", vocab_size=420, byte_fallback=True, normalization_rule_name="identity"),
    "unigram, rules, user-defined": dict(model_type="unigram", vocab_size=200, rules=True, user_defined_symbols=["ab", "[X]", "the", "\U0001f999"]),
    "unigram, space behind, digits": dict(IDENTITY, model_type="unigram", vocab_size=200, treat_whitespace_as_suffix=True, split_digits=True),
    "unigram, unused": dict(IDENTITY, model_type="unigram", vocab_size=300, unused=3),
    "unigram, no prefix, plain spaces": dict(IDENTITY, model_type="unigram", vocab_size=200, add_dummy_prefix=False, escape=False),
}  # fmt: skip
# a -> A, ab -> [ab], abc -> C, a space before a comma goes, the unknown's sign -> ?
DECODING = [("61", "41"), ("61 62", "5B 61 62 5D"), ("61 62 63", "43"), ("20 2C", "2C"), ("2047", "3F"), ("65E5", "")]
UNITS = [*" \n\t\r\u00a0\u3000aAbcdehinorstXé日ก1½٣\uff21\u0301\u200d\ufeff\u2581\u0000\u007f.,!<>#", "  ", "   ", "<s>", "</s>", "<unk>", "<0x0A>",
         "\U0001f999", "\U0001f469\u200d\U0001f467", "ing", " the", "the ", "\u2581\u2581", "[X]", "ab", "and", "-----", ".......", "<sep>", "\u0645\u0631\u062d"]  # fmt: skip
FIXED = ["", " ", "  ", "\u2581", "a", " a", "a ", "Hello, world!", "  two  spaces  ", " " * 17, "line\nline\r\n\n", "\u3000x\u3000\u3000y\u3000", "\u007f", " \u007f ",
         "-" * 55, "Hotta....... if you start", "x" * 90 + " the" * 20, "[X]ab [X]  the  the", "aaabababab"]  # fmt: skip


def main():
    random.seed(20261128)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in MODELS.items():
            made.append(golden(name, dict(settings), folder))
    path = os.path.join(os.path.dirname(__file__), "sentencepiece-models.golden.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write('{"version":%s,"models":[\n' % json.dumps(spm.__version__))
        out.write(",\n".join(json.dumps(one, ensure_ascii=True, separators=(",", ":")) for one in made))
        out.write("\n]}\n")


def golden(name, settings, folder):
    defaults = dict(rules=False, decoding_rules=False, unused=0, escape=True)
    rules, decoding_rules, unused, escape = (settings.pop(key, default) for key, default in defaults.items())
    prefix = os.path.join(folder, "model")
    for flag, name_of_file, lines in ((rules, "normalization_rule_tsv", RULES), (decoding_rules, "denormalization_rule_tsv", DECODING)):
        if flag:
            settings[name_of_file] = os.path.join(folder, name_of_file)
            with open(settings[name_of_file], "w") as file:
                file.writelines(f"{source}\t{target}\n" for source, target in lines)
    spm.SentencePieceTrainer.train(input=sys.argv[1], model_prefix=prefix, minloglevel=2, character_coverage=0.99, max_sentence_length=100000,
                                   input_sentence_size=0, hard_vocab_limit=False, num_threads=1, **settings)  # fmt: skip
    data = changed(open(prefix + ".model", "rb").read(), unused, escape)
    model = spm.SentencePieceProcessor(model_proto=data)
    texts = [*FIXED, *("".join(random.choice(UNITS) for _ in range(random.randint(1, 12))) for _ in range(36))]
    lists = [[random.randrange(model.get_piece_size()) for _ in range(random.randint(1, 9))] for _ in range(24)]
    return dict(
        name=name,
        file=base64.b64encode(gzip.compress(data, mtime=0)).decode(),
        roles=dict(unk=model.unk_id(), bos=model.bos_id(), eos=model.eos_id(), pad=model.pad_id()),
        texts=[dict(text=text, ids=model.encode(text), decoded=model.decode(model.encode(text))) for text in texts],
        decoded=[dict(ids=ids, text=model.decode(ids)) for ids in lists],
    )


def changed(data, unused, escape):
    """The file with every so many normal pieces of several characters unused, spaces as they are, and no paths of the machine that trained it."""
    model = proto.ModelProto()
    model.ParseFromString(data)
    for field in ("input", "model_prefix"):
        model.trainer_spec.ClearField(field)
    model.normalizer_spec.ClearField("normalization_rule_tsv")
    model.denormalizer_spec.ClearField("normalization_rule_tsv")
    normal = [piece for piece in model.pieces if piece.type == proto.ModelProto.SentencePiece.NORMAL and len(piece.piece) > 1]
    for piece in normal[1::unused] if unused else []:
        piece.type = proto.ModelProto.SentencePiece.UNUSED
    if not escape:
        model.normalizer_spec.escape_whitespaces = False
        for piece in model.pieces:
            piece.piece = piece.piece.replace("\u2581", " ")
    return model.SerializeToString()


if __name__ == "__main__":
    main()
