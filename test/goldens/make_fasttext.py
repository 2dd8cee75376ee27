"""Small classifiers trained by fastText, and what it says of texts with them.

    python3 make_fasttext.py > fasttext.golden.json

Made with Debian's fasttext 0.9.2. Training on several runs gives the same bytes, because it has one thread and its own seed.
"""

import base64
import json
import os
import random
import subprocess
import sys
import tempfile

LANGUAGES = {
    "en": "the llama walked to the water and drank with the others while it was cold on the hill".split(),
    "de": "das Lama ging zum Wasser und trank mit den anderen während es kalt auf dem Hügel war".split(),
    "ru": "лама пошла к воде и пила с другими пока на холме было холодно".split(),
    "zh": "羊驼 走 到 水边 和 其他 的 一起 喝水 因为 山上 很 冷".split(),
    "xx": "😀 𝔘𝔫𝔦 naïve ﬁn x y z qq".split(),
}
SETTINGS = {
    "softmax": ["-loss", "softmax", "-minn", "2", "-maxn", "4", "-bucket", "400"],
    "hierarchical": ["-loss", "hs", "-minn", "2", "-maxn", "3", "-bucket", "300"],
    "one against all, words in a row": ["-loss", "ova", "-wordNgrams", "3", "-bucket", "50"],
    "negative sampling, words alone": ["-loss", "ns"],
}
QUANTISED = {"softmax": ["-qnorm", "-cutoff", "280", "-dsub", "4"], "hierarchical": ["-dsub", "2"]}


def sentences(rng, count):
    rows = []
    for _ in range(count):
        language = rng.choice(list(LANGUAGES))
        rows.append((language, " ".join(rng.choices(LANGUAGES[language], k=rng.randint(1, 8)))))
    return rows


def main():
    rng = random.Random(5)
    training = sentences(rng, 300)
    texts = [text for _, text in sentences(rng, 25)]
    texts += ["", "   ", "\t", "unknown words here", "the\u00a0llama", "a", "llama\u3000walked", "лама the 羊驼", "LAMA", "<>", "é"]
    models = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "train.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"__label__{label} {text}\n" for label, text in training)
        asked = os.path.join(folder, "texts.txt")
        with open(asked, "w", encoding="utf-8") as file:
            file.writelines(text + "\n" for text in texts)
        for name, settings in SETTINGS.items():
            model = os.path.join(folder, "model")
            run("supervised", "-input", path, "-output", model, "-dim", "5", "-epoch", "40", "-thread", "1", "-lr", "0.5", *settings)
            models.append(golden(name, model + ".bin", asked))
            if name in QUANTISED:
                run("quantize", "-input", path, "-output", model, *QUANTISED[name])
                models.append(golden(name + ", quantised", model + ".ftz", asked))
    json.dump({"texts": texts, "models": models}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


def golden(name, path, asked):
    said = run("predict-prob", path, asked, "5").decode().split("\n")[:-1]
    predictions = []
    for line in said:
        parts = line.split()
        predictions.append([[parts[i].removeprefix("__label__"), float(parts[i + 1])] for i in range(0, len(parts), 2)])
    with open(path, "rb") as file:
        return {"name": name, "model": base64.b64encode(file.read()).decode(), "predictions": predictions}


def run(*words):
    return subprocess.run(["fasttext", *words], check=True, capture_output=True).stdout


main()
