"""Holds cria's Hugging Face folders against transformers, both ways, for models drawn at random.

    python3 check_hf_folders.py COUNT SEED     after a build; needs torch, transformers and node

Each model is saved by save_pretrained, in a type of weights and files of a size drawn at random. cria opens it, writes a text behind a prompt, greedily
and beyond the length for which a scaling says that it was trained, and writes the model as a folder of its own. transformers writes the same text with
both folders. Where the type that cria wrote can hold the weights, its folder must give the very logits of the first.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

import torch
import transformers

from hf_variants import DTYPES, KINDS, SCALINGS, make_model, random_config, said

NEW_TOKENS = 18
ROUNDING = {"float32": 0.0, "float16": 2**-11, "bfloat16": 2**-8}


def main(count, seed):
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        jobs = [job(pathlib.Path(folder), random.Random(1000 * seed + i), i) for i in range(count)]
        told = subprocess.run(
            ["node", pathlib.Path(__file__).with_suffix(".mjs")], input=json.dumps(jobs), stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        rows = [held(one, ours) for one, ours in zip(jobs, json.loads(told), strict=True)]
    wrong = [row for row in rows if row["problems"]]
    for row in wrong:
        print(json.dumps(row))
    print(f"{count} models, seed {seed}: {len(wrong)} wrong; largest difference of logits {max(row['difference'] for row in rows):.1e} of the largest")
    print(f"  written again without rounding: {sum(row['again'] == 0 for row in rows)} of {sum(row['exact'] for row in rows)} to the bit")
    print(f"  texts that parted at a margin below the tolerance: {sum(row['parted'] for row in rows)}")
    kinds = [*((kind, "kind") for kind in KINDS), *((scaling, "scaling") for scaling in SCALINGS)]
    print("  " + ", ".join(f"{name} {sum(row[key] == name for row in rows)}" for name, key in kinds))
    return 1 if wrong else 0


def job(folder, rng, i):
    kind, scaling = rng.choice(KINDS), rng.choice(SCALINGS)
    config, stored, written = random_config(rng, kind, scaling), rng.choice([*DTYPES]), rng.choice([*DTYPES])
    source = folder / f"{i}"
    make_model(rng, kind, config, stored).save_pretrained(source, max_shard_size=rng.choice(["1KB", "3KB", "5GB"]))
    prompt = [rng.randrange(config["vocab_size"]) for _ in range(rng.choice([5, 9, 20]))]
    return dict(
        folder=str(source), out=str(folder / f"{i}-written"), type=written, maxShardBytes=rng.choice([500, 3000, 5e9]), prompt=prompt, count=NEW_TOKENS,
        kind=kind, scaling=scaling, stored=stored, config=config,
    )  # fmt: skip


def held(job, ours):
    """What is wrong, and how far the logits are from each other."""
    if not ours["tokens"]:
        said_of = dict(difference=0, exact=False, again=None, parted=False)
        return dict(kind=job["kind"], scaling=job["scaling"], problems=ours["warnings"], **said_of, config=job["config"])
    logits, tokens, _ = said(job["folder"], job["prompt"], NEW_TOKENS)
    again, again_tokens, _ = said(job["out"], job["prompt"], NEW_TOKENS)
    same = next((i for i, (a, b) in enumerate(zip(tokens, ours["tokens"])) if a != b), NEW_TOKENS - 1) + 1
    size = logits.abs().max()
    difference = ((torch.tensor(ours["logits"][:same], dtype=torch.float64) - logits[:same]).abs().max() / size).item()
    margins = logits.topk(2).values
    parted = tokens != ours["tokens"]
    margin = ((margins[same - 1, 0] - margins[same - 1, 1]) / size).item()
    exact = ROUNDING[job["type"]] == 0 or job["type"] == job["stored"]
    written = (again - logits).abs().max().item() if exact else 0.0
    problems = [
        *([f"logits differ by {difference:.1e} of the largest"] if difference > 1e-4 else []),
        *([f"the texts part at a margin of {margin:.1e} of the largest"] if parted and margin > 1e-4 else []),
        *([f"the folder written by cria differs by {written:.1e}"] if written > 0 else []),
        *(["the folder written by cria tells another text"] if exact and again_tokens != tokens else []),
        *ours["warnings"],
    ]
    return dict(
        kind=job["kind"], scaling=job["scaling"], stored=job["stored"], type=job["type"], problems=problems, difference=difference, exact=exact,
        again=written if exact else None, parted=parted, config=job["config"],
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
