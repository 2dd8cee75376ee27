"""Writes gguf-models/*.gguf and gguf-models.golden.json: small models as gguf-py writes them, and what transformers computes with the same weights.

    python3 gguf_models.py     needs torch, transformers, accelerate, numpy and gguf; made with torch 2.15.0, transformers 5.24.0, gguf 0.19.0

Of each model: the file (or the files of a split one), logits of some rows of a prompt without a cache, and greedy tokens with one, in float64; the smallest
margin of a greedy choice is printed. Weights follow from the formula in the header of llama.py, rounded to the type that they are stored in; blocks of quantised types are
random bytes, whose values gguf-py computes. Rows of queries and keys are reordered as llama.cpp's conversion does where the architecture pairs neighbours, which transformers'
own reader of GGUF undoes: where it knows the architecture, its logits of the file are held against the model's.
"""

import json
import math
import pathlib

import gguf
import numpy as np
import torch
import transformers

from llama import base64_of, hashed, make_weights
from relatives import parameter_row

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "gguf-models"
Types = gguf.GGMLQuantizationType
SIZES = dict(
    vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=16,
    max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=None,
)  # fmt: skip
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
LONG = dict(
    rope_type="longrope", short_factor=[1.0, 1.1, 1.3, 1.2], long_factor=[1.5, 2.0, 3.0, 4.0], original_max_position_embeddings=16, attention_factor=1.2
)  # fmt: skip

# name: (architecture of the GGUF, transformers' class, what it is told beyond SIZES, keys beyond the usual ones)
MODELS = {
    "llama": ("llama", "Llama", {}, {}),
    "llama3": ("llama", "Llama", dict(head_dim=16, num_key_value_heads=2, rope_theta=100.0, rope_scaling=LLAMA3), {}),
    "llama-biases": ("llama", "Llama", dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True), {}),
    "llama-linear": ("llama", "Llama", dict(rope_scaling=dict(rope_type="linear", factor=4.0)), {"rope.scaling.factor": 4.0}),
    "llama-yarn": (
        "llama", "Llama", dict(rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)),
        {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16},
    ),
    "llama-longrope": (
        "llama", "Llama", dict(rope_scaling=LONG),
        {"rope.scaling.type": "longrope", "rope.scaling.attn_factor": 1.2, "rope.scaling.original_context_length": 16},
    ),
    "mistral": ("llama", "Mistral", dict(sliding_window=5), {"attention.sliding_window": 5}),
    "qwen2": ("qwen2", "Qwen2", dict(tie_word_embeddings=True), {}),
    "qwen3": ("qwen3", "Qwen3", dict(head_dim=12), {}),
    "smollm3": ("smollm3", "SmolLM3", dict(num_hidden_layers=4, intermediate_size=8), {}),
    "types": ("llama", "Llama", dict(hidden_size=256, intermediate_size=32, head_dim=16, tie_word_embeddings=True), {}),
    "split": ("llama", "Llama", {}, {}),
}  # fmt: skip
NEIGHBOURS = ("llama", "smollm3")
READ_BY_TRANSFORMERS = ("llama", "llama-linear", "qwen2", "qwen3", "types")

# What the matrices of "types" are stored as, by their names without the layer.
LAYER_TYPES = [
    dict(attn_q="Q2_K", attn_k="Q3_K", attn_v="Q4_K", attn_output="Q4_0", ffn_gate="Q5_K", ffn_up="Q6_K", ffn_down="Q4_1"),
    dict(attn_q="IQ4_XS", attn_k="BF16", attn_v="IQ4_NL", attn_output="Q5_0", ffn_gate="F16", ffn_up="Q8_0", ffn_down="Q5_1"),
]
# Where the halves of floats stand in a block: scales, then offsets.
HALVES = dict(
    Q4_0=(0,), Q4_1=(0, 2), Q5_0=(0,), Q5_1=(0, 2), Q8_0=(0,), Q2_K=(80, 82), Q3_K=(108,), Q4_K=(0, 2), Q5_K=(0, 2), Q6_K=(208,), IQ4_NL=(0,), IQ4_XS=(0,)
)  # fmt: skip

PROMPT = [1, 17, 30, 8, 23, 5, 31, 31, 12, 3, 28, 9, 4, 4, 20, 13, 7, 25, 6, 2, 11]
ROWS = [0, 7, 15, 20]
NEW_TOKENS = 6


def main():
    FOLDER.mkdir(exist_ok=True)
    models = [golden(name, *row) for name, row in MODELS.items()]
    made_by = f"test/goldens/gguf_models.py, torch {torch.__version__}, transformers {transformers.__version__}, gguf 0.19.0, float64"
    (HERE / "gguf-models.golden.json").write_text(json.dumps(dict(madeBy=made_by, prompt=PROMPT, models=models)) + "\n")


def golden(name, architecture, kind, more, keys):
    config = getattr(transformers, kind + "Config")(**{**SIZES, **more}, attn_implementation="eager")
    model = getattr(transformers, kind + "ForCausalLM")(config).double().eval()
    weights = make_weights([parameter_row(key, list(w.shape)) for key, w in model.named_parameters()])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], config.num_hidden_layers)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    stored = {}
    with torch.no_grad():
        for key, weight in weights.items():
            theirs = names.get_name(key, try_suffixes=(".weight", ".bias"))
            turned = architecture in NEIGHBOURS and ("q_proj" in key or "k_proj" in key)
            rows = weight.shape[0]
            order = neighbours(rows, head_dim) if turned else torch.arange(rows)
            data, kind_of, values = pack(type_of(name, theirs), weight[order].numpy(), theirs)
            stored[theirs] = (data, kind_of)
            back = torch.empty_like(weight)
            back[order] = torch.from_numpy(values.astype(np.float64))
            model.get_parameter(key).copy_(back)
        # A text of its own for every row: longrope's divisors depend on the length.
        logits = torch.stack([model(torch.tensor([PROMPT[: row + 1]]), use_cache=False).logits[0, -1] for row in ROWS])
    files = write(name, architecture, config, head_dim, more, keys, stored)
    if name in READ_BY_TRANSFORMERS:
        check_reader(name, kind, files[0], model)
    found = model.generate(
        torch.tensor([PROMPT]), max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=None, output_logits=True, return_dict_in_generate=True
    )
    best = [row[0].topk(2).values for row in found.logits]
    print(name, "smallest margin", min((first - second).item() for first, second in best), [(FOLDER / file).stat().st_size for file in files])
    return dict(name=name, file=files[0], logits=base64_of(logits), tokens=found.sequences[0, len(PROMPT) :].tolist())


def neighbours(rows, head_dim):
    """Where the rows of a projection come from: of a head's halves alternately one row each."""
    in_head = torch.arange(head_dim).reshape(2, head_dim // 2).T.reshape(-1)
    return torch.cat([head * head_dim + in_head for head in range(rows // head_dim)])


def type_of(name, tensor):
    if tensor.endswith("norm.weight") or tensor.endswith(".bias"):
        return "F32"
    if name != "types":
        return "F16"
    _, layer, *rest = tensor.split(".")
    return LAYER_TYPES[int(layer)][rest[0]] if rest else "Q8_0"


def pack(kind, values, name):
    """The bytes of a tensor, its type, and the values that they stand for."""
    if kind in ("F32", "F16"):
        data = values.astype(np.float32 if kind == "F32" else np.float16)
        return data, Types[kind], data
    if kind == "BF16":
        data = gguf.quants.quantize(values.astype(np.float32), Types.BF16)
        return data, Types.BF16, gguf.quants.dequantize(data, Types.BF16)
    block, size = gguf.GGML_QUANT_SIZES[Types[kind]]
    rows, columns = values.shape
    count = rows * columns // block
    seed = sum(name.encode()) + 1000
    data = (hashed(seed, count * size) & np.uint64(255)).astype(np.uint8).reshape(count, size)
    spread = hashed(seed + 1, count).astype(np.float64) / 2.0**32 + 0.5
    write_halves(kind, data, np.ones(count))
    scale = 0.2 / np.std(gguf.quants.dequantize(data.reshape(rows, -1), Types[kind]))
    write_halves(kind, data, scale * spread)
    data = data.reshape(rows, -1)
    return data, Types[kind], gguf.quants.dequantize(data, Types[kind])


def write_halves(kind, data, scales):
    at, *offsets = HALVES[kind]
    data[:, at : at + 2] = scales.astype(np.float16).view(np.uint8).reshape(-1, 2)
    # An offset of the middle of the range is taken away by K types, and added by others.
    middle = dict(Q4_1=-7.5, Q5_1=-15.5, Q2_K=1.5, Q4_K=7.5, Q5_K=15.5).get(kind, 0)
    for where in offsets:
        data[:, where : where + 2] = (scales * middle).astype(np.float16).view(np.uint8).reshape(-1, 2)


def write(name, architecture, config, head_dim, more, keys, stored):
    path = FOLDER / f"{name}.gguf"
    split = dict(split_max_tensors=8, small_first_shard=True) if name == "split" else {}
    writer = gguf.GGUFWriter(path, architecture, **split)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    if head_dim * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if architecture == "llama":
        writer.add_rope_dimension_count(head_dim)
    for key, value in keys.items():
        add = writer.add_string if isinstance(value, str) else writer.add_uint32 if isinstance(value, int) else writer.add_float32
        add(f"{architecture}.{key}", value)
    add_vocabulary(writer, config.vocab_size)
    for theirs, (data, kind) in stored.items():
        writer.add_tensor(theirs, data, raw_dtype=kind)
    for theirs, factors in rope_tensors(config, head_dim, more):
        writer.add_tensor(theirs, np.array(factors, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(file.name for file in FOLDER.glob(f"{name}-0*.gguf")) or [path.name]


def add_vocabulary(writer, size):
    letters = ["\u2581", "a", "b", "\u2581a", "ab", "\u2581b"]
    pieces = ["<unk>", "<s>", "</s>", *letters, *(f"[PAD{i}]" for i in range(3 + len(letters), size))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(i) for i in range(size)])
    writer.add_token_types([2, 3, 3, *(1 for _ in letters), *(5 for _ in pieces[3 + len(letters) :])])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def rope_tensors(config, head_dim, more):
    """As convert_hf_to_gguf.py makes them: what frequencies are divided by."""
    scaling = more.get("rope_scaling", {})
    if scaling.get("rope_type") == "longrope":
        return [("rope_factors_long.weight", scaling["long_factor"]), ("rope_factors_short.weight", scaling["short_factor"])]
    if scaling.get("rope_type") != "llama3":
        return []
    factors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * math.pi * more["rope_theta"] ** (i / head_dim)
        turns = scaling["original_max_position_embeddings"] / wavelength
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        smooth = min(max((turns - low) / (high - low), 0), 1)
        factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return [("rope_freqs.weight", factors)]


def check_reader(name, kind, file, model):
    """Holds the file against transformers' own reader, which is told what it does not read."""
    theirs = getattr(transformers, kind + "ForCausalLM").from_pretrained(FOLDER, gguf_file=file, config=model.config, dtype=torch.float32).double()
    difference = max((theirs.get_parameter(key) - w).abs().max().item() for key, w in model.named_parameters())
    print(name, "as transformers reads it: largest difference of a weight", difference)
    assert difference < 1e-6


if __name__ == "__main__":
    main()
