"""The model of src/model/config.ts a second time, in plain PyTorch: the outside judge.

It shares no code with cria and takes no shortcut: heads are repeated, scores are stored, masked ones are computed. Weights are a dict
from Hugging Face names to tensors; the number type is the weights' own. Needs Python 3.9 and torch 1.13 or later, nothing else.

Shape letters: B sequences, T positions, C channels (dim), H heads, D channels of a head, F feed-forward channels, V vocabulary.
"""

import math

import torch
import torch.nn.functional as F

PLAIN = ("relu", "gelu", "geluTanh", "swish")
GATED = ("glu", "bilinear", "reglu", "geglu", "gegluTanh", "swiglu")


def parameter_rows(config):
    """(name, shape, kind) of every parameter, in the order that the goldens number them. kind: embedding, matrix, gain or bias."""
    dim, hidden, vocab = config["dim"], config["hiddenDim"], config["vocabSize"]
    queries, kv = config["nHeads"] * head_dim(config), config["nKvHeads"] * head_dim(config)
    rows = [("model.embed_tokens.weight", [vocab, dim], "embedding")]
    if config["positions"] == "learned":
        rows.append(("model.embed_positions.weight", [config["contextLength"], dim], "embedding"))

    def norm(name):
        rows.append((name + ".weight", [dim], "gain"))
        if config["norm"] == "layer":
            rows.append((name + ".bias", [dim], "bias"))

    def linear(name, outputs, inputs, bias):
        rows.append((name + ".weight", [outputs, inputs], "matrix"))
        if config.get(bias):
            rows.append((name + ".bias", [outputs], "bias"))

    for i in range(config["nLayers"]):
        layer = f"model.layers.{i}."
        norm(layer + "input_layernorm")
        linear(layer + "self_attn.q_proj", queries, dim, "qkvBias")
        linear(layer + "self_attn.k_proj", kv, dim, "qkvBias")
        linear(layer + "self_attn.v_proj", kv, dim, "qkvBias")
        linear(layer + "self_attn.o_proj", dim, queries, "attentionOutputBias")
        if config.get("qkNorm"):
            rows.append((layer + "self_attn.q_norm.weight", [head_dim(config)], "gain"))
            rows.append((layer + "self_attn.k_norm.weight", [head_dim(config)], "gain"))
        norm(layer + "post_attention_layernorm")
        if config["activation"] in GATED:
            linear(layer + "mlp.gate_proj", hidden, dim, "ffnBias")
        linear(layer + "mlp.up_proj", hidden, dim, "ffnBias")
        linear(layer + "mlp.down_proj", dim, hidden, "ffnBias")
    if config["normPlacement"] == "pre":
        norm("model.norm")
    if not config["tiedOutput"]:
        rows.append(("lm_head.weight", [vocab, dim], "matrix"))
    return rows


def head_dim(config):
    return config.get("headDim", config["dim"] // config["nHeads"])


def forward(config, weights, tokens):
    """tokens [B, T] to logits [B, T, V]."""
    x = weights["model.embed_tokens.weight"][tokens]  # [B, T, C]
    T = tokens.shape[1]
    if config["positions"] == "sinusoidal":
        x = x + sinusoids(T, config["dim"], x.dtype)
    elif config["positions"] == "learned":
        x = x + weights["model.embed_positions.weight"][:T]
    for i in range(config["nLayers"]):
        layer = f"model.layers.{i}."

        def normed(y, name):
            return norm(config, weights, layer + name, y)

        if config["normPlacement"] == "pre":
            x = x + attention(config, weights, i, normed(x, "input_layernorm"))
            x = x + feed_forward(config, weights, layer, normed(x, "post_attention_layernorm"))
        else:
            x = normed(x + attention(config, weights, i, x), "input_layernorm")
            x = normed(x + feed_forward(config, weights, layer, x), "post_attention_layernorm")
    if config["normPlacement"] == "pre":
        x = norm(config, weights, "model.norm", x)
    return x @ weights["model.embed_tokens.weight" if config["tiedOutput"] else "lm_head.weight"].T  # [B, T, V]


def mean_loss(logits, targets):
    """Mean cross-entropy in nats over the targets that are not -1."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-1)


def norm(config, weights, name, x):
    gain, epsilon = weights[name + ".weight"], config["normEpsilon"]
    if config["norm"] == "layer":
        return F.layer_norm(x, gain.shape, gain, weights[name + ".bias"], epsilon)
    return rms_norm(x, gain, epsilon)


def rms_norm(x, gain, epsilon):
    return gain * x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + epsilon)


def linear(weights, name, x):
    y = x @ weights[name + ".weight"].T
    return y + weights[name + ".bias"] if name + ".bias" in weights else y


def attention(config, weights, i, x):
    B, T, _ = x.shape
    H, kvH, D = config["nHeads"], config["nKvHeads"], head_dim(config)
    layer = f"model.layers.{i}.self_attn."

    def heads(name, count):
        return linear(weights, layer + name, x).reshape(B, T, count, D).transpose(1, 2)

    q, k, v = heads("q_proj", H), heads("k_proj", kvH), heads("v_proj", kvH)  # [B, H or kvH, T, D]
    if config.get("qkNorm"):
        q, k = (rms_norm(y, weights[layer + name + ".weight"], config["normEpsilon"]) for y, name in ((q, "q_norm"), (k, "k_norm")))
    if config["positions"] == "rope" and config.get("ropeLayers", [True] * (i + 1))[i]:
        q, k = rope(config, q), rope(config, k)
    # Query head h reads key head h // (H / kvH).
    k, v = k.repeat_interleave(H // kvH, dim=1), v.repeat_interleave(H // kvH, dim=1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(D)  # [B, H, T, T]
    hidden = torch.ones(T, T, dtype=torch.bool).triu(1)  # [query, key]
    if "slidingWindow" in config and config.get("slidingLayers", [True] * (i + 1))[i]:
        hidden |= torch.ones(T, T, dtype=torch.bool).tril(-config["slidingWindow"])
    y = scores.masked_fill(hidden, -math.inf).softmax(-1) @ v  # [B, H, T, D]
    return linear(weights, layer + "o_proj", y.transpose(1, 2).reshape(B, T, H * D))


def rope(config, x):
    """Turns pair i of every head at position m by m / factor * theta ** (-2i / D); x [B, H, T, D]."""
    T, D = x.shape[-2:]
    frequency = config["ropeTheta"] ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    angle = torch.arange(T, dtype=torch.float64)[:, None] / config.get("ropeScaling", {}).get("factor", 1) * frequency  # [T, D / 2]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    if config["ropePairing"] == "half":
        a, b = x[..., : D // 2], x[..., D // 2 :]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)


def sinusoids(T, dim, dtype):
    """[T, dim]: sin at channel 2i, cos at channel 2i + 1, of position / 10000 ** (2i / dim)."""
    channel = torch.arange(dim)
    even = (channel - channel % 2).to(torch.float64)
    angle = torch.arange(T, dtype=torch.float64)[:, None] / 10000 ** (even / dim)
    return torch.where(channel % 2 == 0, angle.sin(), angle.cos()).to(dtype)


def feed_forward(config, weights, layer, x):
    up = linear(weights, layer + "mlp.up_proj", x)  # [B, T, F]
    if config["activation"] in GATED:
        h = activate(config, linear(weights, layer + "mlp.gate_proj", x)) * up
    else:
        h = activate(config, up)
    return linear(weights, layer + "mlp.down_proj", h)


def activate(config, x):
    name = config["activation"]
    if name == "bilinear":
        return x
    if name == "glu":
        return torch.sigmoid(x)
    if name in ("relu", "reglu"):
        return torch.relu(x)
    if name in ("gelu", "geglu"):
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
    if name in ("geluTanh", "gegluTanh"):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    if name in ("swish", "swiglu"):
        return x * torch.sigmoid(config["swishBeta"] * x)
    raise ValueError(f"[llama] activation {name!r} is none of {PLAIN + GATED}")
