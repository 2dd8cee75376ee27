"""Writes relatives.golden.json: small models of LLaMA's relatives as transformers computes them, from config.json to logits.

    python3 relatives.py     needs torch and transformers; made with torch 2.15.0 and transformers 5.24.0

Of each model: config.json as transformers writes it, the parameters' names and shapes, logits of every row of a prompt that is longer than any
window, without a cache, and greedy tokens with one. Everything is computed in float64, and the smallest margin of a greedy choice is printed.
Weights are not stored: they follow from the formula in the header of llama.py. Loss and gradients of the same parts are in llama/.
"""

import json
import pathlib

import torch
import transformers

from llama import base64_of, make_weights

OUT = pathlib.Path(__file__).parent / "relatives.golden.json"
SIZES = dict(
    vocab_size=41, hidden_size=16, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, intermediate_size=24,
    max_position_embeddings=32, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=None,
)  # fmt: skip

# name: (transformers' class, what it is told beyond SIZES)
MODELS = {
    "LLaMA with biases, wide heads": ("Llama", dict(attention_bias=True, mlp_bias=True, head_dim=6)),
    "Mistral with a window": ("Mistral", dict(sliding_window=5)),
    "Mistral without a window": ("Mistral", dict(sliding_window=None, head_dim=10, tie_word_embeddings=True)),
    "Qwen2": ("Qwen2", dict(tie_word_embeddings=True, num_key_value_heads=4)),
    "Qwen2 with a window in its last layers": ("Qwen2", dict(use_sliding_window=True, sliding_window=3, max_window_layers=1)),
    "Qwen3": ("Qwen3", dict(head_dim=8, num_key_value_heads=4)),
    "Qwen3 with biases and a window in one layer": (
        "Qwen3",
        dict(
            attention_bias=True, head_dim=6, use_sliding_window=True, sliding_window=3,
            layer_types=["full_attention", "full_attention", "sliding_attention"],
        ),
    ),
    "SmolLM3": ("SmolLM3", dict(num_hidden_layers=4)),
    "SmolLM3 with biases and windows": (
        "SmolLM3",
        dict(
            attention_bias=True, mlp_bias=True, no_rope_layers=[0, 1, 0], use_sliding_window=True, sliding_window=4, tie_word_embeddings=False,
        ),
    ),
}  # fmt: skip

PROMPT = [1, 17, 40, 8, 23, 5, 31, 31, 12, 3, 28]
NEW_TOKENS = 8


def main():
    models = [golden(name, kind, more) for name, (kind, more) in MODELS.items()]
    made_by = f"test/goldens/relatives.py, torch {torch.__version__}, transformers {transformers.__version__}, float64"
    OUT.write_text(json.dumps(dict(madeBy=made_by, prompt=PROMPT, models=models)) + "\n")


def golden(name, kind, more):
    config = getattr(transformers, kind + "Config")(**{**SIZES, **more}, attn_implementation="eager")
    model = getattr(transformers, kind + "ForCausalLM")(config).double().eval()
    parameters = [parameter_row(key, list(w.shape)) for key, w in model.named_parameters()]
    with torch.no_grad():
        for key, w in make_weights(parameters).items():
            model.get_parameter(key).copy_(w)
        logits = model(torch.tensor([PROMPT]), use_cache=False).logits[0]
    found = model.generate(
        torch.tensor([PROMPT]), max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=None, output_logits=True, return_dict_in_generate=True
    )
    best = [row[0].topk(2).values for row in found.logits]
    print(name, "smallest margin", min((first - second).item() for first, second in best))
    written = json.loads(config.to_json_string())
    return dict(
        name=name, config=dict(written, architectures=[kind + "ForCausalLM"]), parameters=parameters, logits=base64_of(logits),
        tokens=found.sequences[0, len(PROMPT) :].tolist(),
    )  # fmt: skip


def parameter_row(name, shape):
    if name.endswith(".bias"):
        return dict(name=name, shape=shape, offset=0.0, scale=0.4)
    if len(shape) == 1:
        return dict(name=name, shape=shape, offset=1.0, scale=0.3)
    return dict(name=name, shape=shape, offset=0.0, scale=0.9 if "embed" in name else 0.6)


if __name__ == "__main__":
    main()
