"""Writes llama2c.golden.json: small models in the forms that llama2.c's export.py describes, and what transformers computes with the same weights.

    python3 llama2c.py     needs numpy, torch and transformers; made with torch 2.15.0 and transformers 5.24.0

Of each model: the file (gzip, base64), logits of every row of a prompt (float32, base64) and greedy tokens, in float64, of the weights as the file has
them: those of version 2 are rounded to 127 steps to either side of zero, in groups that share a scale. Written from the description of the forms at
the top of src/formats/llama2c.ts. The smallest margin of a greedy choice is printed.
"""

import json
import pathlib
import struct

import numpy as np
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from meta import PROMPT, pack, said

OUT = pathlib.Path(__file__).parent / "llama2c.golden.json"
V, CONTEXT = 24, 32

# name: (version, dim, hidden_dim, heads, heads of keys, tied, group)
MODELS = {
    "version 1, tied": (1, 16, 20, 4, 2, True, None),
    "version 2, tied": (2, 16, 24, 4, 2, True, 16),
    "version 2, in groups that reach across rows": (2, 16, 20, 2, 2, False, 8),
}  # fmt: skip
LAYERS = 2
NORMS = ("input_layernorm", "post_attention_layernorm")
MATRICES = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj")


def main():
    models = [golden(name, *rest) for name, rest in MODELS.items()]
    made_by = f"test/goldens/llama2c.py, torch {torch.__version__}, transformers {transformers.__version__}, float64"
    OUT.write_text(json.dumps(dict(madeBy=made_by, prompt=PROMPT, models=models)) + "\n")


def golden(name, version, dim, hidden, heads, kv_heads, tied, group):
    rng = np.random.default_rng(dim * hidden + heads)
    kv = dim // heads * kv_heads
    shapes = dict(zip(MATRICES, [(dim, dim), (kv, dim), (kv, dim), (dim, dim), (hidden, dim), (dim, hidden), (hidden, dim)]))
    # In the order of the file: all layers of one kind before the next.
    rows = [(f"model.layers.{i}.{norm}", (dim,)) for norm in NORMS for i in range(LAYERS)] + [("model.norm", (dim,)), ("model.embed_tokens", (V, dim))]
    rows += [(f"model.layers.{i}.{kind}", shapes[kind]) for kind in MATRICES for i in range(LAYERS)]
    rows += [] if tied else [("lm_head", (V, dim))]
    data = struct.pack("<Iiiiiiiii", 0x616B3432, version, dim, hidden, LAYERS, heads, kv_heads, V, CONTEXT) + struct.pack("<B", tied)
    data += b"" if group is None else struct.pack("<i", group)
    data += bytes(256 - len(data))
    state = {}
    for key, shape in rows:
        drawn = np.round(rng.normal(size=shape) * (2 if len(shape) == 1 else 8)) / 16  # few bits, which compress
        values = drawn.astype(np.float32) + np.float32(len(shape) == 1)
        stored, values = (values.astype("<f4").tobytes(), values) if group is None or len(shape) == 1 else in_groups(values, group)
        data += stored
        state[key + ".weight"] = torch.from_numpy(np.array(values, np.float64))
    config = LlamaConfig(
        vocab_size=V, hidden_size=dim, num_hidden_layers=LAYERS, num_attention_heads=heads, num_key_value_heads=kv_heads, intermediate_size=hidden,
        rms_norm_eps=1e-5, max_position_embeddings=CONTEXT, tie_word_embeddings=tied, attn_implementation="eager",
    )  # fmt: skip
    model = LlamaForCausalLM(config).double().eval()
    model.load_state_dict({key: in_halves(key, w, heads, kv_heads) for key, w in state.items()}, strict=not tied)
    return dict(name=name, file=pack(data), **said(name, model))


def in_groups(values, group):
    groups = values.reshape(-1, group)
    scales = np.abs(groups).max(axis=1, keepdims=True) / np.float32(127)
    steps = np.round(groups / scales).astype(np.int8)
    return steps.tobytes() + scales.astype("<f4").tobytes(), (steps * scales).astype(np.float32).reshape(values.shape)


def in_halves(key, w, heads, kv_heads):
    """Neighbours that turn together become halves."""
    count = heads if "q_proj" in key else kv_heads if "k_proj" in key else None
    return w if count is None else w.view(count, -1, 2, w.shape[1]).transpose(1, 2).reshape(w.shape)


if __name__ == "__main__":
    main()
