"""Writes hf-folders.golden.json: folders of small models as transformers' save_pretrained writes them, and the texts that it writes with them.

    python3 hf_folders.py     needs torch and transformers; made with torch 2.15.0 and transformers 5.24.0

Of each model: its files (gzip, base64), several of weights where they are cut, and for two prompts greedy tokens that go beyond the length for which
its scaling says that it was trained, with the logits before the first and the last of them. The smallest margin of a greedy choice is printed.
"""

import json
import pathlib
import random
import tempfile

import torch
import transformers

from hf_variants import floats, make_model, random_config, said
from meta import pack

OUT = pathlib.Path(__file__).parent / "hf-folders.golden.json"
NEW_TOKENS = 16

# class, scaling, type, bytes of a file of weights at most
MODELS = [
    ("Llama", "default", "float32", "5GB"), ("Llama", "linear", "bfloat16", "2KB"), ("Llama", "dynamic", "float16", "5GB"),
    ("Llama", "yarn", "bfloat16", "5GB"), ("Llama", "longrope", "float16", "2KB"), ("Llama", "llama3", "bfloat16", "2KB"),
    ("Mistral", "default", "bfloat16", "2KB"), ("Qwen2", "yarn", "float16", "5GB"), ("Qwen3", "llama3", "bfloat16", "2KB"),
    ("SmolLM3", "dynamic", "bfloat16", "2KB"),
]  # fmt: skip


def main():
    models = [golden(i, *row) for i, row in enumerate(MODELS)]
    made_by = f"test/goldens/hf_folders.py, torch {torch.__version__}, transformers {transformers.__version__}"
    OUT.write_text(json.dumps(dict(madeBy=made_by, models=models)) + "\n")


def golden(seed, kind, scaling, dtype, shard):
    rng = random.Random(100 + seed)
    config = random_config(rng, kind, scaling)
    with tempfile.TemporaryDirectory() as folder:
        make_model(rng, kind, config, dtype).save_pretrained(folder, max_shard_size=shard)
        files = {path.name: pack(path.read_bytes()) for path in sorted(pathlib.Path(folder).iterdir())}
        texts = [text(folder, [(7 * i * i + 3 * i + 1) % config["vocab_size"] for i in range(length)]) for length in (9, 20)]
    print(kind, scaling, dtype, len(files), "files, smallest margin", min(margin for _, margin in texts))
    return dict(name=f"{kind}, {scaling}, {dtype}", files=files, texts=[one for one, _ in texts])


def text(folder, prompt):
    logits, tokens, margin = said(folder, prompt, NEW_TOKENS)
    return dict(prompt=prompt, tokens=tokens, first=floats(logits[0]), last=floats(logits[-1])), margin


if __name__ == "__main__":
    main()
