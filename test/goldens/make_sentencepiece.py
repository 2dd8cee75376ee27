"""Makes sentencepiece.golden.json: models by Google's trainer (Debian: sentencepiece, python3-sentencepiece), and what its encoder and
decoder make of difficult texts. Run from the root: python3 test/goldens/make_sentencepiece.py CORPUS.txt; made with botchan.txt, the English
sample that google/sentencepiece carries in data/."""
import json, os, sys, tempfile
import sentencepiece as spm

LLAMA = dict(split_digits=True, allow_whitespace_only_pieces=True, normalization_rule_name="identity",
             remove_extra_whitespaces=False, character_coverage=0.99995, max_sentence_length=100000)
MODELS = {
    "llama": dict(LLAMA, vocab_size=900, byte_fallback=True),
    "no bytes": dict(LLAMA, vocab_size=300),
    "pieces across spaces": dict(LLAMA, vocab_size=500, byte_fallback=True, split_by_whitespace=False),
    "no prefix": dict(LLAMA, vocab_size=400, byte_fallback=True, add_dummy_prefix=False),
}
TEXTS = [
    "", " ", "  ", "a", "Hello, world!", " leading", "trailing ", "  two  spaces  ", " " * 33, "tabs\tand\t\ttabs", "line\nline\r\n\nline",
    "I'm you're he'll they've it's", "1 12 123 1234 3.14159 1,000,000", "naïve café Straße e\u0301", "Привет, мир!", "日本語の文章です。カタカナ",
    "안녕 你好，世界 שלום مرحبا", "🦙 👩‍👩‍👧‍👦 𝔘𝔫𝔦", "\u0001\u007f\u00a0\u2028\u3000\ufffd", "for (let i = 0; i < n; i++) {\n\tx += a[i];\n}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "<s> </s> <unk> <0x0A>", "!!!!!!!!....---- (a) [b] {c} \"q\"",
    "sss ssssss  ssssssssssss lllll eeeeeeeeee", "x" * 200 + " the " * 40,
]


def golden(corpus, settings, folder):
    prefix = os.path.join(folder, "model")
    spm.SentencePieceTrainer.train(input=corpus, model_prefix=prefix, model_type="bpe", minloglevel=2, **settings)
    model = spm.SentencePieceProcessor(model_file=prefix + ".model")
    size = range(model.get_piece_size())
    with open(corpus, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file][:4000:200]
    return dict(
        settings=settings,
        pieces=[model.id_to_piece(i) for i in size],
        scores=[model.get_score(i) for i in size],
        texts=[dict(text=text, ids=model.encode(text)) for text in TEXTS + lines],
    )


with tempfile.TemporaryDirectory() as folder:
    made = {name: golden(sys.argv[1], settings, folder) for name, settings in MODELS.items()}
with open(os.path.join(os.path.dirname(__file__), "sentencepiece.golden.json"), "w", encoding="utf-8") as out:
    json.dump(dict(version=spm.__version__, models=made), out, ensure_ascii=False, separators=(",", ":"))
    out.write("\n")
