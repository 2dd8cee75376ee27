"""Makes spm-training.golden.json: what SentencePiece's trainers make of a small corpus, Debian's `spm_train` (0.1.97) and the newest of PyPI, which
differ. Run from the root: python3 test/goldens/make_spm_training.py FILE..., or with the golden file itself, whose corpus is taken then; made with ARCHITECTURE.md, docs/paper/zh/model.md and
src/tokenizer/train-sentencepiece.ts as they were then. The corpus is the first 12,000 bytes of each, in whole lines, and lines that try rules of the
trainers; it stands in the golden file."""
import json, os, subprocess, sys, tempfile
import sentencepiece as spm

SETTINGS = dict(model_type="bpe", byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True,
                normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.99)
ODD_LINES = [
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Съешь же ещё, выпей же чаю!", "Привет, мир! Мир, привет!",
    "tab\ttab\t\ttab\t\t\ttab", "<s> </s> <unk> <0x41> <s></s>", "a ▁ b▁c ▁▁ d", "this line is left out for its ▅", "long " * 1000,
    "aaa aaaa aaaaa aaaaaa aaaaaaa baaa caaaa daaaaaaa", "==== ===== ====== ======= =========", "x\x1fy x\x1fy x\x1fy", "e\u0301e\u0301 я\u0301я\u0301 \u0301a",
    "１２３ ٣٤٥ १२३ 2024 1,000", "          ten    four  two", "trailing   ", "same line", "same line", "カタカナー ひらがな 漢字カナかな", "Iͅ \u0953 \u0589",
]


def corpus(files):
    texts = []
    for path in files:
        with open(path, encoding="utf-8") as file:
            lines, size = [], 0
            for line in file:
                size += len(line.encode())
                if size > 12_000:
                    break
                lines.append(line.rstrip("\n"))
        texts += lines
    return "\n".join(texts + ODD_LINES) + "\n"


def read(prefix):
    """The pieces. Scores are 0 for every special piece and byte, then 0, -1, -2, and so on."""
    model = spm.SentencePieceProcessor(model_file=prefix + ".model")
    size = range(model.get_piece_size())
    assert [model.get_score(i) for i in size] == [min(0, 259 - i) for i in size]
    return [model.id_to_piece(i) for i in size]


def debian(path, prefix, size):
    settings = dict(SETTINGS, vocab_size=size)
    flags = [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in settings.items()]
    subprocess.run(["spm_train", f"--input={path}", f"--model_prefix={prefix}", "--minloglevel=2", *flags], check=True)
    return read(prefix)


def newest(path, prefix, size):
    spm.SentencePieceTrainer.train(input=path, model_prefix=prefix, minloglevel=2, vocab_size=size, **SETTINGS)
    return read(prefix)


with tempfile.TemporaryDirectory() as folder:
    if sys.argv[1].endswith(".json"):
        with open(sys.argv[1], encoding="utf-8") as file:
            text = json.load(file)["corpus"]
    else:
        text = corpus(sys.argv[1:])
    path = os.path.join(folder, "corpus.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    prefix = os.path.join(folder, "model")
    models = [
        dict(mode="spm", size=1000, pieces=newest(path, prefix, 1000)),
        dict(mode="spm-0.1.97", size=1000, pieces=debian(path, prefix, 1000)),
        # Here equally frequent pairs lie at the edge of its cache, 273 pieces apart from what another order of the table gives.
        dict(mode="spm-0.1.97", size=2500, pieces=debian(path, prefix, 2500)),
    ]
with open(os.path.join(os.path.dirname(__file__), "spm-training.golden.json"), "w", encoding="utf-8") as out:
    json.dump(dict(newest=spm.__version__, settings=SETTINGS, corpus=text, models=models), out, ensure_ascii=False, separators=(",", ":"))
    out.write("\n")
