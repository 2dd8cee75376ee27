"""Writes hugging-face.golden.json: what transformers makes of a small model's folder, for several config.json and generation_config.json.

    python3 hugging_face.py     needs torch, transformers and safetensors; made with torch 2.15.0 and transformers 5.24.0

"rope": greedy tokens for each config.json. "generation": tokens of generate() for each generation_config.json, which says do_sample false.
"beams": texts of beam searches, best first. "rules": the tokens that transformers' logits processors rule out after each text. "sampling": the probabilities that they leave.
"dumps": both documents with every key that transformers knows, as it writes them where nothing was chosen. Everything is computed in float64, and the smallest margin of
a greedy choice is printed. Weights are not stored: they follow from the formula in the header of llama.py.
"""

import json
import pathlib
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, GenerationConfig

OUT = pathlib.Path(__file__).parent / "hugging-face.golden.json"
V, C, F, HEADS, KV, LAYERS = 97, 32, 48, 4, 2, 2
CONFIG = dict(
    architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=V, hidden_size=C, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
    num_key_value_heads=KV, intermediate_size=F, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False, hidden_act="silu",
    bos_token_id=1, eos_token_id=2, torch_dtype="float32",
)  # fmt: skip
PROMPT = [1, 17, 40, 80, 23, 5, 61]

# What is added to CONFIG: RoPE's numbers in several places, some of them null.
ROPE = {
    "nothing": {},
    "at the top": dict(rope_theta=500000.0),
    "null at the top, rope_parameters": dict(rope_theta=None, rope_parameters=dict(rope_type="default", rope_theta=500000.0)),
    "at the top and in rope_parameters": dict(rope_theta=10000.0, rope_parameters=dict(rope_type="default", rope_theta=500000.0)),
    "in rope_scaling": dict(rope_scaling=dict(rope_type="default", rope_theta=500000.0)),
    "linear with theta in rope_scaling": dict(rope_scaling=dict(rope_type="linear", factor=1.5, rope_theta=1000000.0)),
    "linear with theta at the top": dict(rope_theta=1000000.0, rope_scaling=dict(type="linear", factor=1.5)),
    "linear in rope_parameters": dict(rope_parameters=dict(rope_type="linear", factor=1.5, rope_theta=1000000.0)),
    "null rope_scaling": dict(rope_theta=1000000.0, rope_scaling=None, rope_parameters=dict(rope_type="linear", factor=1.5)),
}

# generation_config.json; the tokens named are some that the model likes to say.
GENERATION = {
    "max_new_tokens": dict(max_new_tokens=9),
    "max_length": dict(max_length=12),
    "both": dict(max_length=9, max_new_tokens=5),
    "stop": dict(max_new_tokens=16, eos_token_id=[2, "likes:3"]),
    "min_new_tokens": dict(max_new_tokens=16, eos_token_id=[2, "likes:3"], min_new_tokens=8),
    "min_length": dict(max_new_tokens=16, eos_token_id="likes:3", min_length=13),
    "min_new_tokens before min_length": dict(max_new_tokens=16, eos_token_id="likes:3", min_length=20, min_new_tokens=6),
    "no_repeat_ngram_size 1": dict(max_new_tokens=24, no_repeat_ngram_size=1),
    "no_repeat_ngram_size 2": dict(max_new_tokens=40, no_repeat_ngram_size=2),
    "suppress_tokens": dict(max_new_tokens=16, suppress_tokens=["likes:1", "likes:2", 90]),
    "begin_suppress_tokens": dict(max_new_tokens=16, begin_suppress_tokens=["likes:0", "likes:1"]),
    "bad_words_ids": dict(max_new_tokens=16, bad_words_ids=[["likes:0", "likes:1"], ["likes:3"], [2]]),
    "repetition_penalty": dict(max_new_tokens=24, repetition_penalty=1.4),
    "all": dict(
        max_new_tokens=30, min_new_tokens=12, eos_token_id=[2, "likes:4"], no_repeat_ngram_size=3, suppress_tokens=["likes:2"],
        begin_suppress_tokens=["likes:0"], bad_words_ids=[["likes:1", "likes:3"]], repetition_penalty=1.1,
    ),
}  # fmt: skip

TEXTS = [[1], [1, 5], [1, 5, 6, 5], [7, 7, 7], [1, 5, 6, 9, 5, 6], [3, 4, 5, 3, 4, 8, 3, 4], [2, 9, 2, 9, 2]]
RULES = [
    dict(min_new_tokens=2, eos_token_id=[2, 3]),
    dict(min_length=5, eos_token_id=2),
    dict(no_repeat_ngram_size=1),
    dict(no_repeat_ngram_size=2),
    dict(no_repeat_ngram_size=3),
    dict(suppress_tokens=[0, 11]),
    dict(begin_suppress_tokens=[4, 5]),
    dict(bad_words_ids=[[6], [5, 6], [3, 4, 8], [2]], eos_token_id=2),
    dict(min_new_tokens=1, eos_token_id=2, no_repeat_ngram_size=2, suppress_tokens=[10], begin_suppress_tokens=[4], bad_words_ids=[[9, 2]]),
]

SAMPLING = [
    dict(temperature=0.6, top_k=0),
    dict(temperature=0.6, top_p=0.9),
    dict(temperature=1.7, top_k=7),
    dict(top_k=7, top_p=0.5),
    dict(top_k=0, min_p=0.1),
    dict(temperature=0.7, top_k=15, top_p=0.8, min_p=0.05, repetition_penalty=1.3),
    dict(top_k=0, repetition_penalty=0.8),
    dict(top_k=0, typical_p=0.6),
    dict(temperature=1.5, top_k=20, top_p=0.95, min_p=0.02, typical_p=0.9),
]

ENDS = list(range(40, 90, 7))
# Beam searches; none ends by a time or a count of sentences.
BEAMS = [
    dict(num_beams=2, max_new_tokens=8),
    dict(num_beams=4, max_new_tokens=12, length_penalty=0.0),
    dict(num_beams=3, max_new_tokens=14, eos_token_id=ENDS),
    dict(num_beams=4, max_new_tokens=14, eos_token_id=[2, 77, 84, 45, 29], early_stopping=True),
    dict(num_beams=4, max_new_tokens=14, eos_token_id=[2, 77, 84, 45, 29]),
    dict(num_beams=5, max_new_tokens=10, eos_token_id=ENDS, length_penalty=2.0),
    dict(num_beams=5, max_new_tokens=10, eos_token_id=["likes:2", "likes:5", "likes:1"], length_penalty=-1.0),
]


def main():
    parameters = parameter_rows()
    weights = make_weights(parameters)
    with tempfile.TemporaryDirectory() as folder:
        save_file({name: values.astype(np.float32) for name, values in weights.items()}, folder + "/model.safetensors", {"format": "pt"})
        rope = [dict(name=name, config=dict(CONFIG, **more), tokens=greedy(folder, more)) for name, more in ROPE.items()]
        likes = list(dict.fromkeys(greedy(folder, {})))
        settings = {name: dict(do_sample=False, **named(more, likes)) for name, more in GENERATION.items()}
        generation = [dict(name=name, settings=these, tokens=generated(folder, these)) for name, these in settings.items()]
        beams = [searched(folder, named(these, likes)) for these in BEAMS]
    golden = dict(
        madeBy=f"test/goldens/hugging_face.py, torch {torch.__version__}, transformers {transformers.__version__}, float64",
        prompt=PROMPT, config=CONFIG, parameters=parameters, rope=rope, generation=generation, beams=beams, rules=rules(), sampling=sampling(), dumps=dumps(),
    )  # fmt: skip
    OUT.write_text(json.dumps(golden) + "\n")


def open_model(folder, more, settings):
    path = pathlib.Path(folder)
    (path / "config.json").write_text(json.dumps(dict(CONFIG, **more)))
    (path / "generation_config.json").write_text(json.dumps(settings))
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")


def greedy(folder, more):
    model = open_model(folder, more, dict(do_sample=False, max_new_tokens=16, eos_token_id=2))
    found = model.generate(torch.tensor([PROMPT]), output_logits=True, return_dict_in_generate=True)
    best = [logits[0].topk(2).values for logits in found.logits]
    print(more, "smallest margin", min((first - second).item() for first, second in best))
    return found.sequences[0, len(PROMPT) :].tolist()


def generated(folder, settings):
    model = open_model(folder, {}, settings)
    found = model.generate(torch.tensor([PROMPT]), output_scores=True, return_dict_in_generate=True)
    best = [scores[0].topk(2).values for scores in found.scores]
    print(settings, "smallest margin", min((first - second).item() for first, second in best))
    return found.sequences[0, len(PROMPT) :].tolist()


def searched(folder, settings):
    """Texts behind the prompt without what fills them up behind their ends, and their scores."""
    model = open_model(folder, {}, dict(do_sample=False))
    options = dict(dict(eos_token_id=2), **settings)
    ends = options["eos_token_id"] if isinstance(options["eos_token_id"], list) else [options["eos_token_id"]]
    found = model.generate(
        torch.tensor([PROMPT]), **options, pad_token_id=0, num_return_sequences=options["num_beams"], output_scores=True, return_dict_in_generate=True
    )
    texts = [row[len(PROMPT) :].tolist() for row in found.sequences]
    cut = [text[: next((i + 1 for i, token in enumerate(text) if token in ends), len(text))] for text in texts]
    return dict(settings=options, texts=cut, scores=found.sequences_scores.tolist())


def rules():
    """Each rule after each text, whose first token alone, or whose whole, is the prompt."""
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=12, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8))
    scores = torch.linspace(-1, 1, 12, dtype=torch.float64)[None]
    rows = []
    for settings in RULES:
        for text in TEXTS:
            for prompt_length in {1, len(text)}:
                config = GenerationConfig(**settings)
                model._prepare_special_tokens(config, device="cpu")
                processors = model._get_logits_processor(config, input_ids_seq_length=prompt_length, device="cpu", model_kwargs={})
                left = processors(torch.tensor([text]), scores.clone())
                ruled_out = torch.isinf(left[0]).nonzero().flatten().tolist()
                assert torch.equal(left[0][~torch.isinf(left[0])], scores[0][~torch.isinf(left[0])])
                rows.append(dict(settings=settings, text=text, promptLength=prompt_length, ruledOut=ruled_out))
    return rows


def sampling():
    """Random logits, and the probabilities after a text under each of the settings."""
    size = 30
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=size, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8))
    rows = []
    for p, settings in enumerate(SAMPLING):
        logits = formula(100 + p, dict(shape=[size], offset=0.5, scale=5.0)).tolist()
        text = [1, 4, 9, 4, 16, 25]
        config = GenerationConfig(**{"do_sample": True, "top_k": 50, **settings})
        model._prepare_special_tokens(config, device="cpu")
        processors = model._get_logits_processor(config, input_ids_seq_length=len(text), device="cpu", model_kwargs={})
        left = processors(torch.tensor([text]), torch.tensor([logits], dtype=torch.float64))
        rows.append(dict(settings=settings, text=text, logits=logits, probabilities=left[0].softmax(-1).tolist()))
    return rows


def dumps():
    config = json.loads(transformers.LlamaConfig(**CONFIG).to_json_string(use_diff=False))
    settings = {**GenerationConfig().to_dict(), **GenerationConfig._get_default_generation_params()}
    return dict(config=config, generation=settings)


def named(settings, likes):
    """Puts the n-th different token of the greedy continuation in place of "likes:n"."""
    if isinstance(settings, dict):
        return {key: named(value, likes) for key, value in settings.items()}
    if isinstance(settings, list):
        return [named(value, likes) for value in settings]
    return likes[int(settings.split(":")[1])] if isinstance(settings, str) else settings


def parameter_rows():
    def matrix(name, *shape):
        return dict(name=name, shape=shape, offset=0.0, scale=0.5)

    def norm(name):
        return dict(name=name, shape=[C], offset=1.0, scale=0.2)

    d = C // HEADS
    rows = [dict(matrix("model.embed_tokens.weight", V, C), scale=1.0)]
    for i in range(LAYERS):
        at = f"model.layers.{i}."
        rows += [
            norm(at + "input_layernorm.weight"),
            matrix(at + "self_attn.q_proj.weight", C, C),
            matrix(at + "self_attn.k_proj.weight", KV * d, C),
            matrix(at + "self_attn.v_proj.weight", KV * d, C),
            matrix(at + "self_attn.o_proj.weight", C, C),
            norm(at + "post_attention_layernorm.weight"),
            matrix(at + "mlp.gate_proj.weight", F, C),
            matrix(at + "mlp.up_proj.weight", F, C),
            matrix(at + "mlp.down_proj.weight", C, F),
        ]
    return [*rows, norm("model.norm.weight"), matrix("lm_head.weight", V, C)]


def make_weights(rows):
    return {row["name"]: formula(p, row).reshape(row["shape"]) for p, row in enumerate(rows)}


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
