"""Small models of every variant that cria reads, drawn at random: what hf_folders.py and check_hf_folders.py have in common."""

import base64

import torch
import transformers

KINDS = ("Llama", "Mistral", "Qwen2", "Qwen3", "SmolLM3")
SCALINGS = ("default", "linear", "dynamic", "yarn", "longrope", "llama3")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
CONTEXT, TRAINED = 48, 16


def random_config(rng, kind, scaling):
    """A config of the class, whose text may be longer than TRAINED where its RoPE is scaled."""
    heads = rng.choice([2, 4])
    head_dim = rng.choice([4, 6, 8])
    layers = rng.randint(1, 3)
    config = dict(
        vocab_size=rng.randint(24, 40), num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=rng.choice([1, 2, heads]),
        hidden_size=heads * head_dim, intermediate_size=rng.randint(12, 28), rms_norm_eps=rng.choice([1e-5, 1e-6]), max_position_embeddings=CONTEXT,
        tie_word_embeddings=rng.random() < 0.4, bos_token_id=1, eos_token_id=2, pad_token_id=None,
        rope_parameters=rope(rng, scaling, head_dim), hidden_act=rng.choice(["silu", "silu", "gelu", "gelu_pytorch_tanh", "relu"]),
    )  # fmt: skip
    if kind in ("Llama", "Mistral", "Qwen3") and rng.random() < 0.4:
        config.update(head_dim=head_dim, hidden_size=rng.choice([12, 16, 20]))
    elif kind == "Qwen3":
        config.update(head_dim=head_dim)
    if kind in ("Llama", "SmolLM3"):
        config.update(attention_bias=rng.random() < 0.4, mlp_bias=rng.random() < 0.4)
    if kind == "Qwen3":
        config.update(attention_bias=rng.random() < 0.4)
    if kind == "Mistral":
        config.update(sliding_window=rng.choice([None, 3, 7]))
    if kind in ("Qwen2", "Qwen3", "SmolLM3") and rng.random() < 0.5:
        config.update(use_sliding_window=True, sliding_window=rng.choice([3, 7]))
        config.update(layer_types=[rng.choice(["full_attention", "sliding_attention"]) for _ in range(layers)])
    if kind == "SmolLM3":
        config.update(no_rope_layers=[rng.randint(0, 1) for _ in range(layers)])
    if scaling == "dynamic":
        config.update(max_position_embeddings=TRAINED)
    if scaling == "longrope" and rng.random() < 0.5:
        config.update(original_max_position_embeddings=TRAINED)
        del config["rope_parameters"]["original_max_position_embeddings"]
    return config


def rope(rng, scaling, head_dim):
    numbers = dict(rope_type=scaling, rope_theta=rng.choice([10000.0, 500000.0, 1000.0]))
    if scaling in ("linear", "dynamic"):
        numbers.update(factor=rng.choice([3.0, 4.0]))
    if scaling == "yarn":
        numbers.update(factor=3.0, original_max_position_embeddings=TRAINED)
        if rng.random() < 0.5:
            numbers.update(beta_fast=rng.choice([6.0, 32.0]), beta_slow=0.5, truncate=rng.random() < 0.5)
        if rng.random() < 0.3:
            numbers.update(attention_factor=1.2)
    if scaling == "longrope":
        pairs = head_dim // 2
        numbers.update(short_factor=[1 + 0.1 * i for i in range(pairs)], long_factor=[1.5 + i for i in range(pairs)])
        numbers.update(factor=3.0, original_max_position_embeddings=TRAINED)
        if rng.random() < 0.3:
            numbers.update(attention_factor=0.9)
    if scaling == "llama3":
        numbers.update(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=TRAINED)
    return numbers


def make_model(rng, kind, config, dtype):
    """A model of the class with weights of few bits, so that files of it compress."""
    made = getattr(transformers, kind + "Config")(**config)
    model = getattr(transformers, kind + "ForCausalLM")(made).to(DTYPES[dtype]).eval()
    generator = torch.Generator().manual_seed(rng.randrange(1 << 30))
    with torch.no_grad():
        for p in model.parameters():
            drawn = torch.randint(-3, 4, tuple(p.shape), generator=generator).double() / 4
            p.copy_(1 + drawn / 2 if p.dim() == 1 and p.abs().sum() > 0 else drawn)
    return model


def said(folder, prompt, new_tokens):
    """Greedy tokens behind a prompt, the logits before each, and the smallest margin; in float64, but for norms, which transformers has in float32."""
    # A model for each text: a dynamic scaling remembers the longest text that a model has seen.
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    found = model.generate(
        torch.tensor([prompt]), max_new_tokens=new_tokens, do_sample=False, eos_token_id=None, output_logits=True, return_dict_in_generate=True
    )
    logits = torch.stack([row[0] for row in found.logits])
    best = logits.topk(2).values
    return logits, found.sequences[0, len(prompt) :].tolist(), (best[:, 0] - best[:, 1]).min().item()


def floats(tensor):
    return base64.b64encode(tensor.float().numpy().astype("<f4").tobytes()).decode()
