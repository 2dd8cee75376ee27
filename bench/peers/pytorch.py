"""The same LLaMA's training step in PyTorch, one step at a time on request, so that it can take turns with ours.

    python pytorch.py '{"dim": 288, ..., "batch": 8, "length": 256, "threads": 2}'

The argument is a model's configuration in cria's names with the batch. The first line on stdout says what runs, as JSON. Then every line
on stdin names a precision, "float32" or "bfloat16" (autocast); it is answered with a line of JSON: the seconds of one whole step (forward,
backward, clipping, AdamW) and its loss. The end of stdin ends the program. `--alone ROUNDS` measures without a partner and prints medians.
"""
import argparse
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    """RMSNorm (Zhang & Sennrich 2019)."""

    def __init__(self, dim, epsilon):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))
        self.epsilon = epsilon

    def forward(self, x):
        if hasattr(F, "rms_norm"):
            return F.rms_norm(x, x.shape[-1:], self.gain, self.epsilon)
        return self.gain * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon)


def rope_tables(length, head_dim, theta):
    frequencies = theta ** (-torch.arange(0, head_dim, 2).float() / head_dim)
    angles = torch.outer(torch.arange(length).float(), frequencies)
    return angles.cos(), angles.sin()  # [T, D/2]


def rope(x, cos, sin):
    """Turns the halves (i, i + D/2) of x [B, H, T, D]."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), -1)


def causal_attention(q, k, v):
    """[B, H, T, D]; the fused one where this PyTorch has it."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    length = q.shape[-2]
    above = torch.ones(length, length, dtype=torch.bool).triu(1)
    scores = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
    return scores.masked_fill(above, float("-inf")).softmax(-1) @ v


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        dim, heads, kv_heads = config["dim"], config["nHeads"], config["nKvHeads"]
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, dim // heads
        self.attention_norm = Norm(dim, config["normEpsilon"])
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, kv_heads * self.head_dim, bias=False)
        self.value = nn.Linear(dim, kv_heads * self.head_dim, bias=False)
        self.output = nn.Linear(dim, dim, bias=False)
        self.ffn_norm = Norm(dim, config["normEpsilon"])
        self.gate = nn.Linear(dim, config["hiddenDim"], bias=False)
        self.up = nn.Linear(dim, config["hiddenDim"], bias=False)
        self.down = nn.Linear(config["hiddenDim"], dim, bias=False)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.attention_norm(x), cos, sin)
        h = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def attention(self, x, cos, sin):
        batch, length, dim = x.shape
        split = lambda y, heads: y.view(batch, length, heads, self.head_dim).transpose(1, 2)
        q, k, v = split(self.query(x), self.heads), split(self.key(x), self.kv_heads), split(self.value(x), self.kv_heads)
        q, k = rope(q, cos, sin), rope(k, cos, sin)
        if self.kv_heads < self.heads:
            k, v = (y.repeat_interleave(self.heads // self.kv_heads, 1) for y in (k, v))
        return self.output(causal_attention(q, k, v).transpose(1, 2).reshape(batch, length, dim))


class Llama(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = nn.Embedding(config["vocabSize"], config["dim"])
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["nLayers"]))
        self.norm = Norm(config["dim"], config["normEpsilon"])
        self.output = nn.Linear(config["dim"], config["vocabSize"], bias=False)
        if config["tiedOutput"]:
            self.output.weight = self.embedding.weight
        cos, sin = rope_tables(config["length"], config["dim"] // config["nHeads"], config["ropeTheta"])
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return F.cross_entropy(self.output(self.norm(x)).flatten(0, 1), targets.flatten())


def make_optimizer(model):
    """AdamW with decay on matrices alone, in the quickest form that this PyTorch has for the CPU."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    for form in ("fused", "foreach"):
        try:
            optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), **{form: True})
            probe(optimizer, matrices[0])
            return optimizer, form
        except (RuntimeError, TypeError):
            continue
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95)), "loop"


def probe(optimizer, parameter):
    """A step on one zero gradient: whether the form works here shows only then."""
    parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


class Trainer:
    def __init__(self, config):
        torch.manual_seed(1)
        self.model = Llama(config)
        self.optimizer, self.form = make_optimizer(self.model)
        shape = (config["batch"], config["length"])
        self.tokens = torch.randint(config["vocabSize"], shape)
        self.targets = torch.randint(config["vocabSize"], shape)
        self.forward = torch.compile(self.model) if config.get("compile") else self.model

    def step(self, precision):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = self.forward(self.tokens, self.targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"seconds": time.perf_counter() - start, "loss": loss.item()}


def describe(trainer, config):
    settings = torch.__config__.show()
    mkl = torch.backends.mkl.is_available()
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "blas": "MKL" if mkl else "the system's BLAS",
        "instructions": next((line.split(":")[1].strip() for line in settings.splitlines() if "CPU capability" in line), "unknown"),
        "oneDnn": torch.backends.mkldnn.is_available(),
        "adamw": trainer.form,
        "fusedAttention": hasattr(F, "scaled_dot_product_attention"),
        "compiled": bool(config.get("compile")),
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
    }


def say(value):
    print(json.dumps(value), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=json.loads)
    parser.add_argument("--alone", type=int, metavar="ROUNDS")
    flags = parser.parse_args()
    torch.set_num_threads(flags.config["threads"])
    trainer = Trainer(flags.config)
    say(describe(trainer, flags.config))
    if flags.alone:
        for precision in ("float32", "bfloat16"):
            trainer.step(precision)
            say({precision: statistics.median(trainer.step(precision)["seconds"] for _ in range(flags.alone))})
        return
    for line in sys.stdin:
        say(trainer.step(line.strip()))


main()
