"""Writes scores.golden.json: embeddings and log-probabilities of texts by transformers, on the small model of hugging_face.py.

    python3 scores.py     needs torch, transformers and safetensors; made with torch 2.15.0 and transformers 5.24.0

"embeddings": of each text the mean of last_hidden_state's rows and its last row. "scores": of each prompt with continuations the log-probability of each token and
whether all of them are the most probable ones. "rolling": the log-probability of each token of a text that is longer than the context, by windows as
lm-evaluation-harness cuts them (lm_eval/utils.py, get_rolling_token_windows and make_disjoint_window, written again here). Everything is in float64.
"""

import json
import pathlib
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

from hugging_face import CONFIG, V, make_weights, open_model, parameter_rows

OUT = pathlib.Path(__file__).parent / "scores.golden.json"
CONTEXT = CONFIG["max_position_embeddings"]
PREFIX = CONFIG["bos_token_id"]


def text_of(length, seed):
    return [(seed * 31 + i * i * 7 + i * (seed + 3)) % V for i in range(length)]


TEXTS = [text_of(1, 1), text_of(2, 5), text_of(7, 2), text_of(23, 3), text_of(CONTEXT, 4)]
ROLLING = [dict(length=5, overlap=1), dict(length=64, overlap=1), dict(length=65, overlap=1), dict(length=150, overlap=1), dict(length=150, overlap=32), dict(length=133, overlap=64)]


def main():
    with tempfile.TemporaryDirectory() as folder:
        weights = make_weights(parameter_rows())
        save_file({name: values.astype(np.float32) for name, values in weights.items()}, folder + "/model.safetensors", {"format": "pt"})
        model = open_model(folder, {}, dict(do_sample=False))
    golden = dict(
        madeBy=f"test/goldens/scores.py, torch {torch.__version__}, transformers {transformers.__version__}, float64",
        prefix=PREFIX,
        embeddings=[embedded(model, text) for text in TEXTS],
        scores=[scored(model, prompt) for prompt in [text_of(1, 1), text_of(9, 2), text_of(40, 6)]],
        rolling=[rolled(model, text_of(row["length"], 8), row["overlap"]) for row in ROLLING],
    )
    OUT.write_text(json.dumps(golden) + "\n")


def rounded(values):
    return [float(f"{value:.9g}") for value in values]


def embedded(model, text):
    with torch.no_grad():
        rows = model.model(torch.tensor([text])).last_hidden_state[0]
    return dict(text=text, mean=rounded(rows.mean(0).tolist()), last=rounded(rows[-1].tolist()))


def log_probabilities(model, text):
    """Of each token but the first, and whether it is the most probable one."""
    with torch.no_grad():
        logits = model(torch.tensor([text])).logits[0, :-1]
    told = logits.log_softmax(-1)
    return told[range(len(text) - 1), text[1:]].tolist(), (told.argmax(-1) == torch.tensor(text[1:])).tolist()


def greedy(model, prompt, count):
    text = list(prompt)
    for _ in range(count):
        with torch.no_grad():
            text.append(model(torch.tensor([text])).logits[0, -1].argmax().item())
    return text[len(prompt) :]


def scored(model, prompt):
    likely = greedy(model, prompt, 6)
    continuations = [likely[:1], likely, likely[:3] + [(likely[3] + 1) % V], text_of(5, 7), text_of(20, 9)]
    rows = []
    for continuation in continuations:
        told, is_greedy = log_probabilities(model, prompt + continuation)
        count = len(continuation)
        rows.append(dict(continuation=continuation, logProbabilities=rounded(told[-count:]), isGreedy=all(is_greedy[-count:])))
    return dict(prompt=prompt, continuations=rows)


def windows(text, overlap):
    """Pairs of what is read before and what is predicted."""
    predicted = min(CONTEXT, len(text))
    found = [([PREFIX] + text[: predicted - 1], text[:predicted])]
    while predicted < len(text):
        count = min(len(text) - predicted, CONTEXT - overlap + 1)
        end = predicted + count
        found.append((text[end - CONTEXT - 1 : end - 1], text[end - count : end]))
        predicted += count
    return [(read[: len(read) - (len(said) - 1)], said) for read, said in found]


def rolled(model, text, overlap):
    told = []
    for before, said in windows(text, overlap):
        told += log_probabilities(model, before + said)[0][-len(said) :]
    return dict(text=text, overlap=overlap, logProbabilities=rounded(told))


main()
