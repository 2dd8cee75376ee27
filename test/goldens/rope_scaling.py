"""Writes rope-scaling.golden.json: what transformers makes of every scaling of rotary positions.

    python3 rope_scaling.py     needs torch, transformers and safetensors; made with torch 2.15.0 and transformers 5.24.0

"tables": for configs drawn at random, the frequencies (float32, base64) and the attention factor with which LLaMA's rotary embedding turns a run
of so many positions. "models": a small model with each scaling, in float64 but for the frequencies: greedy tokens and logits with a cache, from
a shorter and a longer prompt; logits after the whole text without one; the mean loss of the prompt, also with its
tokens far apart. The smallest margin of a greedy choice is printed. Weights are not stored: they follow from the formula in the header of llama.py.
"""

import base64
import json
import pathlib
import random
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, DynamicCache, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUT = pathlib.Path(__file__).parent / "rope-scaling.golden.json"
V, C, F, HEADS, KV, LAYERS, D = 37, 32, 48, 2, 1, 2, 16
STEPS = 9
APART = 397
PROMPTS = {"shorter": 19, "longer": 29}
CONFIG = dict(
    architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=V, hidden_size=C, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
    num_key_value_heads=KV, intermediate_size=F, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=10000.0, torch_dtype="float32",
)  # fmt: skip
SHORT = [1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0]
LONG = [1.1, 1.4, 1.9, 2.6, 3.5, 5.0, 7.0, 9.0]

# What is added to CONFIG. Lengths before scaling are below the longer prompt, and those of scalings that look at the length are crossed from the shorter.
MODELS = {
    "linear": dict(rope_scaling=dict(type="linear", factor=2.5)),
    "dynamic": dict(max_position_embeddings=24, rope_scaling=dict(rope_type="dynamic", factor=3.0)),
    "yarn": dict(rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)),
    "yarn, its numbers named": dict(
        rope_scaling=dict(
            rope_type="yarn", factor=3.0, original_max_position_embeddings=24, beta_fast=6.0, beta_slow=0.5, mscale=1.4, mscale_all_dim=0.6,
            truncate=False,
        ),
    ),
    "longrope": dict(original_max_position_embeddings=24, rope_scaling=dict(rope_type="longrope", short_factor=SHORT, long_factor=LONG)),
    "longrope, its factors named": dict(
        rope_scaling=dict(
            rope_type="longrope", short_factor=SHORT, long_factor=LONG, factor=2.0, attention_factor=0.9, original_max_position_embeddings=24,
        ),
    ),
    "llama3": dict(
        rope_parameters=dict(
            rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16,
        ),
    ),
}  # fmt: skip


def main():
    parameters = parameter_rows()
    weights = {row["name"]: formula(p, row).reshape(row["shape"]) for p, row in enumerate(parameters)}
    with tempfile.TemporaryDirectory() as folder:
        save_file(weights, folder + "/model.safetensors", {"format": "pt"})
        models = [dict(name=name, config=dict(CONFIG, **more), texts=texts(folder, more)) for name, more in MODELS.items()]
    golden = dict(
        madeBy=f"test/goldens/rope_scaling.py, torch {torch.__version__}, transformers {transformers.__version__}",
        parameters=parameters, models=models, tables=tables(),
    )  # fmt: skip
    OUT.write_text(json.dumps(golden) + "\n")


def texts(folder, more):
    (pathlib.Path(folder) / "config.json").write_text(json.dumps(dict(CONFIG, **more)))

    # A model for each run: a dynamic scaling remembers the longest run that a model has seen.
    def fresh():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")

    rows = []
    for which, length in PROMPTS.items():
        prompt = [(7 * i * i + 3 * i + 5) % V for i in range(length)]
        with torch.no_grad():
            losses = dict(loss=loss_of(fresh(), prompt, 1), far=loss_of(fresh(), prompt, APART))
            tokens, logits = greedy(fresh(), prompt)
            whole = fresh()(torch.tensor([prompt + tokens])).logits[0, -1]
        best = torch.stack(logits).topk(2).values
        print(more, which, "smallest margin", (best[:, 0] - best[:, 1]).min().item())
        rows.append(dict(which=which, prompt=prompt, tokens=tokens, logits=packed(torch.stack(logits)), whole=packed(whole), **losses))
    return rows


def loss_of(model, prompt, apart):
    positions = torch.arange(len(prompt))[None] * apart
    return model(torch.tensor([prompt]), position_ids=positions, labels=torch.tensor([prompt])).loss.item()


def greedy(model, prompt):
    cache, ids, tokens, found = DynamicCache(), torch.tensor([prompt]), [], []
    for _ in range(STEPS):
        logits = model(ids, past_key_values=cache, use_cache=True).logits[0, -1]
        tokens.append(logits.argmax().item())
        found.append(logits)
        ids = torch.tensor([tokens[-1:]])
    return tokens, found


def tables():
    rng = random.Random(1)
    rows = []
    for make in (linear, dynamic, yarn, longrope, llama3):
        for _ in range(8):
            head_dim = rng.choice([4, 6, 16, 32, 34, 64, 80, 128])
            config = dict(CONFIG, hidden_size=head_dim, num_attention_heads=1, num_key_value_heads=1, rope_theta=rng.choice([10000.0, 500000.0, 1e6, 50.0]))
            config.update(make(rng, head_dim))
            lengths = lengths_of(config, rng)
            runs = [run(config, length) for length in lengths]
            # One model that grows turns as fresh ones do.
            growing = LlamaRotaryEmbedding(LlamaConfig(**config))
            for one in runs:
                assert turn(growing, one["length"]) == one
            rows.append(dict(config=config, runs=runs))
    return rows


def lengths_of(config, rng):
    scaling = config["rope_scaling"]
    if scaling["rope_type"] not in ("dynamic", "longrope"):
        return [17]
    original = config.get("original_max_position_embeddings", scaling.get("original_max_position_embeddings", config["max_position_embeddings"]))
    return [original - 1, original, original + 1, original + rng.randrange(2, 5 * original)]


def run(config, length):
    return turn(LlamaRotaryEmbedding(LlamaConfig(**config)), length)


def turn(rotary, length):
    rotary(torch.zeros(1), torch.tensor([[length - 1]]))
    return dict(length=length, frequencies=packed(rotary.inv_freq), attentionFactor=float(rotary.attention_scaling))


def linear(rng, _):
    return dict(rope_scaling=dict(rope_type="linear", factor=rng.uniform(1, 16)))


def dynamic(rng, _):
    return dict(max_position_embeddings=rng.choice([64, 2048, 4096]), rope_scaling=dict(rope_type="dynamic", factor=rng.choice([1.0, 2.0, rng.uniform(1, 8)])))


def yarn(rng, _):
    original = rng.choice([32, 512, 4096, 8192])
    factor = rng.choice([1.0, 4.0, 40.0, rng.uniform(1, 64), None])
    scaling = dict(rope_type="yarn", factor=factor, original_max_position_embeddings=original)
    if rng.random() < 0.5:
        scaling.update(beta_fast=rng.uniform(8, 64), beta_slow=rng.uniform(0.2, 4))
    if rng.random() < 0.4:
        scaling.update(mscale=rng.uniform(0.5, 2), mscale_all_dim=rng.choice([0.0, rng.uniform(0.5, 2)]))
    if rng.random() < 0.3:
        scaling.update(attention_factor=rng.uniform(0.5, 2))
    if rng.random() < 0.5:
        scaling.update(truncate=rng.random() < 0.3)
    return dict(max_position_embeddings=original * 4, rope_scaling=scaling)


def longrope(rng, head_dim):
    original = rng.choice([64, 4096])
    factors = lambda most: [round(rng.uniform(1, most), 3) for _ in range(head_dim // 2)]
    scaling = dict(rope_type="longrope", short_factor=factors(2), long_factor=factors(60))
    if rng.random() < 0.5:
        scaling.update(factor=rng.choice([1.0, rng.uniform(1, 40)]))
    if rng.random() < 0.3:
        scaling.update(attention_factor=rng.uniform(0.5, 2))
    where = dict(original_max_position_embeddings=original)
    if rng.random() < 0.5:
        return dict(max_position_embeddings=original * rng.choice([1, 32]), rope_scaling=dict(scaling, **where))
    return dict(max_position_embeddings=original * rng.choice([1, 32]), rope_scaling=scaling, **where)


def llama3(rng, _):
    low = rng.uniform(0.5, 2)
    scaling = dict(rope_type="llama3", factor=rng.uniform(1, 32), low_freq_factor=low, high_freq_factor=low + rng.uniform(0.5, 6))
    return dict(max_position_embeddings=131072, rope_scaling=dict(scaling, original_max_position_embeddings=rng.choice([64, 2048, 8192])))


def packed(tensor):
    return base64.b64encode(tensor.to(torch.float32).numpy().astype("<f4").tobytes()).decode()


def parameter_rows():
    def matrix(name, *shape, scale=0.5):
        return dict(name=name, shape=shape, offset=0.0, scale=scale)

    def norm(name):
        return dict(name=name, shape=[C], offset=1.0, scale=0.2)

    rows = [matrix("model.embed_tokens.weight", V, C, scale=1.0)]
    for i in range(LAYERS):
        at = f"model.layers.{i}."
        rows += [
            norm(at + "input_layernorm.weight"),
            matrix(at + "self_attn.q_proj.weight", C, C),
            matrix(at + "self_attn.k_proj.weight", KV * D, C),
            matrix(at + "self_attn.v_proj.weight", KV * D, C),
            matrix(at + "self_attn.o_proj.weight", C, C),
            norm(at + "post_attention_layernorm.weight"),
            matrix(at + "mlp.gate_proj.weight", F, C),
            matrix(at + "mlp.up_proj.weight", F, C),
            matrix(at + "mlp.down_proj.weight", C, F),
        ]
    return [*rows, norm("model.norm.weight"), matrix("lm_head.weight", V, C)]


def formula(p, row):
    with np.errstate(over="ignore"):
        h = np.uint32(p) * np.uint32(0x9E3779B1) + np.arange(np.prod(row["shape"]), dtype=np.uint32) * np.uint32(0x85EBCA77)
        h ^= h >> 15
        h *= np.uint32(0x2C1B3C6D)
        h ^= h >> 12
        h *= np.uint32(0x297A2D39)
        h ^= h >> 15
    return np.float32(row["offset"] + (h / 2**32 - 0.5) * 2 * row["scale"])


if __name__ == "__main__":
    main()
