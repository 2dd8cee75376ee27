"""Writes llama/NAME.golden.json: logits, loss, every gradient, ten AdamW steps and a greedy continuation for small configs.

    python3 llama.py [NAME …]     writes the goldens, or those named, and prints how far the same sums in float32 lie from them

Everything is computed in float64. Logits and gradients are then rounded to float32 and stored as base64 of little-endian bytes; losses,
norms, rates and margins are stored as they are.

Weights are not stored: both sides compute them. Element j (row-major) of parameter p (its place in "parameters") is
    h = (p * 0x9E3779B1 + j * 0x85EBCA77) mod 2^32
    h ^= h >> 15;  h = h * 0x2C1B3C6D mod 2^32;  h ^= h >> 12;  h = h * 0x297A2D39 mod 2^32;  h ^= h >> 15
    weight = float32(offset + (h / 2^32 - 0.5) * 2 * scale)        in float64, one rounding at the end
with the offset and scale of the parameter's row. Its first three values and its sum are stored, to check the formula by itself.
"""

import base64
import json
import math
import pathlib
import sys

import numpy as np
import torch

from llama_model import GATED, PLAIN, forward, mean_loss, parameter_rows

OUT = pathlib.Path(__file__).parent / "llama"

DEFAULTS = dict(
    vocabSize=53, dim=24, nLayers=2, nHeads=4, nKvHeads=4, hiddenDim=40, contextLength=24, normEpsilon=1e-5, ropeTheta=10000.0,
    ropePairing="half", tiedOutput=False, norm="rms", normPlacement="pre", activation="swiglu", swishBeta=1.0, positions="rope",
)  # fmt: skip

SMALL = dict(vocabSize=37, dim=16, hiddenDim=24)

# name: (what differs from DEFAULTS, B, T, every how-manieth target is -1; 0 for none)
CONFIGS = {
    "default": ({}, 2, 13, 0),
    "neighbours-grouped": (dict(ropePairing="neighbours", nKvHeads=2, hiddenDim=37), 2, 11, 0),
    "tied-grouped": (dict(tiedOutput=True, nKvHeads=2, normEpsilon=1e-6), 3, 11, 0),
    "multi-query-beta": (dict(nKvHeads=1, swishBeta=1.7, ropeTheta=500000.0, hiddenDim=41), 2, 17, 5),
    "layer-norm-gelu": (dict(norm="layer", activation="gelu", hiddenDim=37), 2, 13, 0),
    "post-rms-gelu-tanh": (dict(normPlacement="post", activation="geluTanh", nKvHeads=2), 2, 12, 0),
    "post-layer-relu-sinusoidal": (
        dict(norm="layer", normPlacement="post", activation="relu", positions="sinusoidal", dim=22, nHeads=2, nKvHeads=2), 2, 13, 4,
    ),
    "sinusoidal-bilinear": (dict(positions="sinusoidal", activation="bilinear", nLayers=1), 3, 12, 0),
    "learned-geglu": (dict(positions="learned", activation="geglu", dim=21, nHeads=3, nKvHeads=1, contextLength=17), 2, 17, 0),
    "learned-layer-swish-beta": (
        dict(positions="learned", norm="layer", activation="swish", swishBeta=0.6, tiedOutput=True, contextLength=19), 2, 13, 3,
    ),
    "no-positions-glu": (dict(positions="none", activation="glu", dim=21, nHeads=3, nKvHeads=3, hiddenDim=31), 2, 13, 0),
    "reglu-three-layers": (dict(activation="reglu", nLayers=3, dim=20, nHeads=2, nKvHeads=1, hiddenDim=29), 2, 11, 6),
    "layer-geglu-tanh-neighbours": (dict(norm="layer", activation="gegluTanh", ropePairing="neighbours", hiddenDim=33), 2, 13, 0),
    "linear-scaling-grouped": (dict(ropeScaling=dict(type="linear", factor=2.5), nKvHeads=2, hiddenDim=37), 2, 13, 0),
    "post-layer-tied-swiglu": (dict(norm="layer", normPlacement="post", tiedOutput=True, nKvHeads=1, normEpsilon=1e-6), 2, 13, 0),
    # LLaMA's relatives, each as one class of transformers computes it.
    "llama-biases-head-dim": (dict(SMALL, headDim=6, nKvHeads=2, qkvBias=True, attentionOutputBias=True, ffnBias=True), 2, 13, 0),
    "qwen3-norms-window": (dict(SMALL, qkNorm=True, headDim=6, nKvHeads=2, slidingWindow=4, slidingLayers=[False, True]), 2, 13, 0),
    "smollm3-no-rope-window": (dict(SMALL, ropeLayers=[True, False], slidingWindow=5, slidingLayers=[False, True], ffnBias=True), 2, 13, 0),
}  # fmt: skip

TRAINING = dict(
    steps=10, warmupSteps=3, totalSteps=10, peakLearningRate=1e-2, minLearningRate=1e-3, beta1=0.9, beta2=0.95, epsilon=1e-8,
    weightDecay=0.1, maxGradientNorm=1.0,
)  # fmt: skip
PROMPT_TOKENS, NEW_TOKENS = 5, 8


def main():
    assert {settings(name)["activation"] for name in CONFIGS} == {*PLAIN, *GATED}
    OUT.mkdir(exist_ok=True)
    for name in sys.argv[1:] or CONFIGS:
        golden = make_golden(name)
        (OUT / f"{name}.golden.json").write_text(json.dumps(golden, indent=1) + "\n")
        print(f"{name}: {float32_distance(golden)}")


def make_golden(name):
    config, (tokens, targets) = settings(name), batch(name)
    parameters = with_spread(config)
    weights = make_weights(parameters)
    logits, loss, gradients = logits_loss_gradients(config, weights, tokens, targets)
    for row in parameters:
        values = weights[row["name"]].flatten().tolist()
        row.update(first=values[:3], sum=math.fsum(values), gradient=base64_of(gradients[row["name"]]))
    return dict(
        madeBy=f"test/goldens/llama.py, torch {torch.__version__}, numpy {np.__version__}, float64",
        name=name,
        config=config,
        tokens=tokens.tolist(),
        targets=targets.tolist(),
        loss=loss.item(),
        logits=base64_of(logits),
        parameters=parameters,
        training=dict(**TRAINING, **train(config, weights, tokens, targets)),
        generation=continue_greedily(config, weights, tokens[0, :PROMPT_TOKENS]),
    )


def settings(name):
    return {**DEFAULTS, **CONFIGS[name][0]}


def batch(name):
    """tokens and targets [B, T]; the targets are no shifted tokens, so that every position has something of its own to learn."""
    _, B, T, ignore_every = CONFIGS[name]
    vocab = settings(name)["vocabSize"]
    tokens, targets = ((hashed(1000 + i, B * T) >> 8).astype(np.int64) % vocab for i in range(2))
    if ignore_every:
        targets[::ignore_every] = -1
    return torch.from_numpy(tokens.reshape(B, T)), torch.from_numpy(targets.reshape(B, T))


def with_spread(config):
    """The rows of a golden's "parameters" that say which weights to make."""
    return [dict(name=row[0], shape=row[1], **spread(config, row)) for row in parameter_rows(config)]


def spread(config, row):
    """offset and scale of a parameter: variances that carry through the layers, and gains and biases that do not hide behind 1 and 0."""
    _, shape, kind = row
    if kind == "gain":
        return dict(offset=1.0, scale=0.25)
    if kind == "bias":
        return dict(offset=0.0, scale=0.25)
    if kind == "embedding":
        return dict(offset=0.0, scale=0.75 if not config["tiedOutput"] else 0.375)
    return dict(offset=0.0, scale=round(math.sqrt(3 / shape[1]), 3))


def make_weights(parameters):
    """name to float64 tensor, from the rows' offset and scale by the formula at the top."""
    weights = {}
    for p, row in enumerate(parameters):
        u = hashed(p, math.prod(row["shape"])).astype(np.float64) / 2.0**32
        values = (row["offset"] + (u - 0.5) * 2 * row["scale"]).astype(np.float32)
        weights[row["name"]] = torch.from_numpy(values.astype(np.float64).reshape(row["shape"]))
    return weights


def hashed(p, count):
    """The hash at the top for j = 0 … count - 1, as uint64 below 2^32."""
    mask = np.uint64(0xFFFFFFFF)
    j = np.arange(count, dtype=np.uint64)
    h = (np.uint64(p * 0x9E3779B1 & 0xFFFFFFFF) + j * np.uint64(0x85EBCA77)) & mask
    h ^= h >> np.uint64(15)
    h = h * np.uint64(0x2C1B3C6D) & mask
    h ^= h >> np.uint64(12)
    h = h * np.uint64(0x297A2D39) & mask
    return h ^ (h >> np.uint64(15))


def logits_loss_gradients(config, weights, tokens, targets):
    leaves = {name: w.clone().requires_grad_() for name, w in weights.items()}
    logits = forward(config, leaves, tokens)
    loss = mean_loss(logits, targets)
    loss.backward()
    return logits.detach(), loss.detach(), {name: w.grad for name, w in leaves.items()}


def train(config, weights, tokens, targets):
    """Steps on the same batch; of each: the loss before the update, the gradient norm before clipping, the learning rate."""
    leaves = {name: w.clone().requires_grad_() for name, w in weights.items()}
    groups = [
        dict(params=[w for w in leaves.values() if w.dim() == 2], weight_decay=TRAINING["weightDecay"]),
        dict(params=[w for w in leaves.values() if w.dim() == 1], weight_decay=0.0),
    ]
    optimizer = torch.optim.AdamW(groups, betas=(TRAINING["beta1"], TRAINING["beta2"]), eps=TRAINING["epsilon"])
    losses, norms, rates = [], [], []
    for step in range(TRAINING["steps"]):
        optimizer.zero_grad()
        loss = mean_loss(forward(config, leaves, tokens), targets)
        loss.backward()
        # Scales by min(1, max / (norm + 1e-6)) and returns the norm before.
        norms.append(torch.nn.utils.clip_grad_norm_(leaves.values(), TRAINING["maxGradientNorm"]).item())
        losses.append(loss.item())
        rates.append(learning_rate(step))
        for group in optimizer.param_groups:
            group["lr"] = rates[-1]
        optimizer.step()
    return dict(losses=losses, gradientNorms=norms, learningRates=rates)


def learning_rate(step):
    """Linear warm-up, then a cosine from the peak down to the minimum, which it would reach at step totalSteps."""
    peak, low, warmup = TRAINING["peakLearningRate"], TRAINING["minLearningRate"], TRAINING["warmupSteps"]
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (TRAINING["totalSteps"] - warmup)
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * progress))


def continue_greedily(config, weights, prompt):
    """The likeliest token, again and again, with no cache; margins are logit differences between the first and the second choice."""
    tokens, margins = prompt, []
    for _ in range(NEW_TOKENS):
        top = forward(config, weights, tokens[None])[0, -1].topk(2)
        tokens = torch.cat([tokens, top.indices[:1]])
        margins.append((top.values[0] - top.values[1]).item())
    return dict(prompt=prompt.tolist(), tokens=tokens[len(prompt) :].tolist(), margins=margins)


def float32_distance(golden):
    """The same sums in float32, as a golden's own yardstick: what an exact implementation with that type can be expected to reach."""
    config, tokens, targets = golden["config"], torch.tensor(golden["tokens"]), torch.tensor(golden["targets"])
    weights = {name: w.float() for name, w in make_weights(golden["parameters"]).items()}
    logits, _, gradients = logits_loss_gradients(config, weights, tokens, targets)
    worst = max(distance(gradients[row["name"]], from_base64(row["gradient"])) for row in golden["parameters"])
    losses = train(config, weights, tokens, targets)["losses"]
    drift = max(abs(a - b) / b for a, b in zip(losses, golden["training"]["losses"]))
    same = continue_greedily(config, weights, tokens[0, :PROMPT_TOKENS])["tokens"] == golden["generation"]["tokens"]
    return (
        f"loss {losses[0]:.4f} to {losses[-1]:.4f}; float32 is off by logits {distance(logits, from_base64(golden['logits'])):.1e}, "
        f"worst gradient {worst:.1e}, losses {drift:.1e}; least margin {min(golden['generation']['margins']):.3f}, "
        f"continuation {'the same' if same else 'DIFFERS'}"
    )


def distance(a, b):
    """|a - b| / |b| in the Euclidean norm."""
    a, b = a.flatten().double(), b.flatten().double()
    return ((a - b).norm() / b.norm()).item()


def base64_of(tensor):
    return base64.b64encode(tensor.numpy().astype("<f4").tobytes()).decode()


def from_base64(text):
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64))


if __name__ == "__main__":
    main()
