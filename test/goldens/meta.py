"""Writes meta.golden.json: small models in Meta's form, as torch.save writes consolidated.*.pth, and what transformers computes with the same weights.

    python3 meta.py     needs torch and transformers; made with torch 2.15.0 and transformers 5.24.0

Of each model: params.json, the files (gzip, base64), logits of every row of a prompt (float32, base64) and greedy tokens, in float64. Weights are
multiples of 1/8, which 16-bit floats hold. The matrices are cut as fairscale's layers cut them: rows of wq, wk, wv, w1, w3 and output, columns of wo
and w2, columns of tok_embeddings in LLaMA 1 and 2 and rows in LLaMA 3; where there are more files than heads of keys and values, files repeat them.
"bins": the same of models that transformers' state_dict() gives, as pytorch_model.bin. The smallest margin of a greedy choice is printed.
"""

import base64
import gzip
import io
import json
import pathlib
import tempfile

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).parent / "meta.golden.json"
PROMPT = [1, 17, 20, 8, 23, 5, 11, 11, 12, 3, 18]
NEW_TOKENS = 8
SCALED = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)

LLAMA_1 = dict(dim=16, multiple_of=8, n_heads=4, n_layers=1, norm_eps=1e-06, vocab_size=-1)
LLAMA_3 = dict(
    dim=16, n_layers=2, n_heads=4, n_kv_heads=2, vocab_size=24, ffn_dim_multiplier=1.3, multiple_of=8, norm_eps=1e-05, rope_theta=500000.0,
    use_scaled_rope=True,
)  # fmt: skip

# name: (params.json, type, files, the axis along which the table of tokens is cut)
MODELS = {
    "LLaMA 1": (LLAMA_1, torch.float16, 1, 1),
    "LLaMA 1 in two files": (LLAMA_1, torch.float16, 2, 1),
    "LLaMA 3": (LLAMA_3, torch.bfloat16, 1, 0),
    "LLaMA 3 in two files": (LLAMA_3, torch.bfloat16, 2, 0),
    "LLaMA 3 in more files than heads of keys": (LLAMA_3, torch.bfloat16, 4, 0),
}
ROWS = ("wq", "wk", "wv", "w1", "w3", "output")
COLUMNS = ("wo", "w2")


def main():
    models = [golden(name, *rest) for name, rest in MODELS.items()]
    bins = [bin_golden(name, more) for name, more in [("tied", dict(tie_word_embeddings=True)), ("untied", {})]]
    made_by = f"test/goldens/meta.py, torch {torch.__version__}, transformers {transformers.__version__}, float64"
    OUT.write_text(json.dumps(dict(madeBy=made_by, prompt=PROMPT, models=models, bins=bins)) + "\n")


def golden(name, params, dtype, count, axis):
    weights = meta_weights(params)
    files = [shard(weights, params, i, count, axis, dtype) for i in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        packed = []
        for i, tensors in enumerate(files):
            path = f"{folder}/consolidated.{i:02}.pth"
            torch.save(tensors, path)
            packed.append(pack(pathlib.Path(path).read_bytes()))
    model = llama(params, weights)
    return dict(name=name, params=params, files=packed, **said(name, model))


def hidden(params):
    width = int(params.get("ffn_dim_multiplier", 1) * int(2 * 4 * params["dim"] / 3))
    return params["multiple_of"] * ((width + params["multiple_of"] - 1) // params["multiple_of"])


def meta_weights(params):
    c, f, v = params["dim"], hidden(params), 24
    kv = c // params["n_heads"] * params.get("n_kv_heads", params["n_heads"])
    shapes = {"tok_embeddings.weight": (v, c), "norm.weight": (c,), "output.weight": (v, c)}
    for i in range(params["n_layers"]):
        layer = {
            "attention.wq": (c, c), "attention.wk": (kv, c), "attention.wv": (kv, c), "attention.wo": (c, c), "feed_forward.w1": (f, c),
            "feed_forward.w2": (c, f), "feed_forward.w3": (f, c), "attention_norm": (c,), "ffn_norm": (c,),
        }  # fmt: skip
        shapes.update({f"layers.{i}.{key}.weight": shape for key, shape in layer.items()})
    generator = torch.Generator().manual_seed(len(shapes) + f)
    return {key: numbers(generator, shape) for key, shape in shapes.items()}


def numbers(generator, shape):
    drawn = torch.randint(-4, 5, shape, generator=generator).double() / 8
    return 1 + drawn / 4 if len(shape) == 1 else drawn


def shard(weights, params, i, count, axis, dtype):
    tensors = {key: cut(key, w, params, i, count, axis).to(dtype).clone() for key, w in weights.items()}
    half = params["dim"] // params["n_heads"] // 2
    return {**tensors, "rope.freqs": (1.0 / 10000 ** (torch.arange(half) / half)).to(dtype)}


def cut(key, w, params, i, count, axis):
    kind = key.split(".")[-2]
    kv_heads = params.get("n_kv_heads", params["n_heads"])
    if kind in ("wk", "wv") and count > kv_heads:
        return w.chunk(kv_heads, 0)[i * kv_heads // count]
    if kind in ROWS:
        return w.chunk(count, 0)[i]
    if kind in COLUMNS:
        return w.chunk(count, 1)[i]
    return w.chunk(count, axis)[i] if kind == "tok_embeddings" else w


def llama(params, weights):
    scaling = dict(rope_parameters=dict(SCALED, rope_theta=params["rope_theta"])) if params.get("use_scaled_rope") else dict(rope_theta=10000.0)
    kv_heads = params.get("n_kv_heads", params["n_heads"])
    config = LlamaConfig(
        vocab_size=24, hidden_size=params["dim"], num_hidden_layers=params["n_layers"], num_attention_heads=params["n_heads"],
        num_key_value_heads=kv_heads, intermediate_size=hidden(params), rms_norm_eps=params["norm_eps"], max_position_embeddings=131072,
        attn_implementation="eager", **scaling,
    )  # fmt: skip
    model = LlamaForCausalLM(config).double().eval()
    names = {
        "tok_embeddings": "model.embed_tokens", "norm": "model.norm", "output": "lm_head", "attention.wq": "self_attn.q_proj",
        "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj", "attention.wo": "self_attn.o_proj", "feed_forward.w1": "mlp.gate_proj",
        "feed_forward.w2": "mlp.down_proj", "feed_forward.w3": "mlp.up_proj", "attention_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }  # fmt: skip
    state = {}
    for key, w in weights.items():
        layer, path = (key.split(".")[1], ".".join(key.split(".")[2:-1])) if key.startswith("layers.") else (None, key[: -len(".weight")])
        heads = {"attention.wq": params["n_heads"], "attention.wk": kv_heads}.get(path)
        if heads:  # neighbours that turn together become halves
            w = w.view(heads, -1, 2, w.shape[1]).transpose(1, 2).reshape(w.shape)
        state[("" if layer is None else f"model.layers.{layer}.") + names[path] + ".weight"] = w
    model.load_state_dict(state)
    return model


def bin_golden(name, more):
    config = LlamaConfig(
        vocab_size=24, hidden_size=16, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2, intermediate_size=20,
        max_position_embeddings=32, attn_implementation="eager", **more,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(numbers(generator, tuple(p.shape)))
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    written = dict(json.loads(config.to_json_string()), architectures=["LlamaForCausalLM"])
    return dict(name=name, config=written, file=pack(buffer.getvalue()), **said(name, model.double()))


def said(name, model):
    with torch.no_grad():
        logits = model(torch.tensor([PROMPT]), use_cache=False).logits[0]
    found = model.generate(
        torch.tensor([PROMPT]), max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=None, output_logits=True, return_dict_in_generate=True
    )
    best = [row[0].topk(2).values for row in found.logits]
    print(name, "smallest margin", min((first - second).item() for first, second in best))
    packed = base64.b64encode(logits.float().numpy().astype("<f4").tobytes()).decode()
    return dict(logits=packed, tokens=found.sequences[0, len(PROMPT) :].tolist())


def pack(data):
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


if __name__ == "__main__":
    main()
