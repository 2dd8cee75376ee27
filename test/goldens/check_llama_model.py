"""Who judges the judge: compares llama_model.py with implementations that others wrote, in logits, loss and every gradient.

    python3 check_llama_model.py

transformers' LlamaForCausalLM (where it is installed) for RMSNorm, pre-placement, RoPE in both pairings, grouped heads, tied output and
the whole GLU family, and its classes of LLaMA's relatives for biases, windows, norms of queries and keys, layers without RoPE; torch.nn.TransformerEncoder for LayerNorm in both placements and the plain activations. Exit code 1 where a
comparison is off by more than 1e-5 (transformers computes norms and softmax in float32) or, for torch.nn, 1e-12.
"""

import importlib.util
import sys

import torch
import torch.nn.functional as F

from llama import DEFAULTS, batch, distance, logits_loss_gradients, make_weights, settings, with_spread
from llama_model import GATED, head_dim, mean_loss

# What transformers calls the gate's function; its Llama takes any of them as hidden_act.
HIDDEN_ACT = dict(swiglu="silu", geglu="gelu", gegluTanh="gelu_pytorch_tanh", reglu="relu", glu="sigmoid", bilinear="linear")

# Goldens of LLaMA's relatives, and the class of transformers that computes each.
RELATIVES = {"llama-biases-head-dim": "Llama", "qwen3-norms-window": "Qwen3", "smollm3-no-rope-window": "SmolLM3"}

# x * sigmoid(beta * x), written as torch's silu(beta * x) / beta.
BETA = 1.3
THEIR_ACTIVATIONS = dict(
    relu=F.relu, gelu=F.gelu, geluTanh=lambda x: F.gelu(x, approximate="tanh"), swish=lambda x: F.silu(BETA * x) / BETA,
)  # fmt: skip


def main():
    print(f"torch {torch.__version__}")
    good = [check_encoder(norm_placement, activation) for norm_placement in ("pre", "post") for activation in THEIR_ACTIVATIONS]
    if importlib.util.find_spec("transformers"):
        import transformers

        print(f"transformers {transformers.__version__}")
        good += [check_transformers(name, settings(name)) for name in ("default", "neighbours-grouped", "tied-grouped", "reglu-three-layers")]
        good += [check_transformers("default", {**DEFAULTS, "activation": activation}) for activation in GATED]
        good += [check_transformers(name, settings(name), kind) for name, kind in RELATIVES.items()]
    else:
        print("transformers is not installed: LlamaForCausalLM was not compared")
    sys.exit(0 if all(good) else 1)


def check_encoder(placement, activation):
    config = {**DEFAULTS, "norm": "layer", "normPlacement": placement, "activation": activation, "positions": "none", "swishBeta": BETA}
    tokens, targets = batch("default")
    weights = make_weights(with_spread(config))
    ours = logits_loss_gradients(config, weights, tokens, targets)
    leaves = {name: w.clone().requires_grad_() for name, w in weights.items()}
    logits = encoder_logits(config, leaves, tokens)
    loss = mean_loss(logits, targets)
    loss.backward()
    gradients = {name: w.grad for name, w in leaves.items()}
    return compare(f"torch.nn.TransformerEncoder, {placement}, {activation}", ours, (logits, loss, gradients), 1e-12)


def encoder_logits(config, leaves, tokens):
    """The encoder under a causal mask, its modules' own weights replaced by ours and its biases in linear layers by zeros."""
    C, eps = config["dim"], config["normEpsilon"]
    final_norm = torch.nn.LayerNorm(C, eps) if config["normPlacement"] == "pre" else None
    layer = torch.nn.TransformerEncoderLayer(
        C, config["nHeads"], config["hiddenDim"], dropout=0.0, activation=THEIR_ACTIVATIONS[config["activation"]], layer_norm_eps=eps,
        batch_first=True, norm_first=final_norm is not None,
    )  # fmt: skip
    encoder = torch.nn.TransformerEncoder(layer, config["nLayers"], final_norm).double()
    state = {name: torch.zeros_like(value) for name, value in encoder.state_dict().items()}
    for i in range(config["nLayers"]):
        theirs, ours = f"layers.{i}.", f"model.layers.{i}."
        state[theirs + "self_attn.in_proj_weight"] = torch.cat([leaves[f"{ours}self_attn.{n}_proj.weight"] for n in "qkv"])
        state[theirs + "self_attn.out_proj.weight"] = leaves[ours + "self_attn.o_proj.weight"]
        state[theirs + "linear1.weight"] = leaves[ours + "mlp.up_proj.weight"]
        state[theirs + "linear2.weight"] = leaves[ours + "mlp.down_proj.weight"]
        for part in ("weight", "bias"):
            state[f"{theirs}norm1.{part}"] = leaves[f"{ours}input_layernorm.{part}"]
            state[f"{theirs}norm2.{part}"] = leaves[f"{ours}post_attention_layernorm.{part}"]
    if final_norm is not None:
        state.update({f"norm.{part}": leaves[f"model.norm.{part}"] for part in ("weight", "bias")})
    put_in(encoder, state)
    T = tokens.shape[1]
    future = torch.full((T, T), -torch.inf, dtype=torch.float64).triu(1)
    return encoder(leaves["model.embed_tokens.weight"][tokens], mask=future) @ leaves["lm_head.weight"].T


def put_in(module, state):
    """Sets parameters to tensors that already belong to a computation, so that gradients reach the leaves."""
    for name, value in state.items():
        *path, last = name.split(".")
        owner = module.get_submodule(".".join(path))
        del owner._parameters[last]
        setattr(owner, last, value)


def check_transformers(name, config, kind="Llama"):
    tokens, targets = batch(name)
    weights = make_weights(with_spread(config))
    logits, loss, gradients = logits_loss_gradients(config, weights, tokens, targets)
    model = transformers_model(config, weights, kind)
    their_logits = model(tokens).logits
    their_loss = mean_loss(their_logits, targets)
    their_loss.backward()
    ours = logits, loss, {key: as_half(config, key, gradient) for key, gradient in gradients.items()}
    theirs = their_logits, their_loss, {key: w.grad for key, w in model.named_parameters()}
    return compare(f"{kind}ForCausalLM, {name}, {config['activation']}", ours, theirs, 1e-5)


def transformers_model(config, weights, kind):
    import transformers

    theirs = getattr(transformers, kind + "Config")(
        vocab_size=config["vocabSize"], hidden_size=config["dim"], num_hidden_layers=config["nLayers"],
        num_attention_heads=config["nHeads"], num_key_value_heads=config["nKvHeads"], intermediate_size=config["hiddenDim"],
        max_position_embeddings=config["contextLength"], rms_norm_eps=config["normEpsilon"], rope_theta=config["ropeTheta"],
        tie_word_embeddings=config["tiedOutput"], hidden_act=HIDDEN_ACT[config["activation"]], attn_implementation="eager",
        pad_token_id=None, **variant(config, kind),
    )  # fmt: skip
    model = getattr(transformers, kind + "ForCausalLM")(theirs).double()
    state = {name: as_half(config, name, w) for name, w in weights.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= ({"lm_head.weight"} if config["tiedOutput"] else set()), (missing, unexpected)
    return model


def variant(config, kind):
    """What a class is told beyond LLaMA's sizes."""
    window, layers = config.get("slidingWindow"), config.get("slidingLayers")
    keys = dict(head_dim=head_dim(config))
    if kind != "Llama":
        keys.update(use_sliding_window=window is not None, sliding_window=window)
        keys.update(layer_types=["sliding_attention" if window and layers[i] else "full_attention" for i in range(config["nLayers"])])
    if kind == "SmolLM3":
        keys.update(no_rope_layers=[int(turns) for turns in config["ropeLayers"]])
    if kind in ("Llama", "SmolLM3"):
        keys.update(mlp_bias=config.get("ffnBias", False))
    return dict(keys, attention_bias=config.get("attentionOutputBias", False))


def as_half(config, name, w):
    """A weight, or its gradient, for pairing "half": within each head rows 0, 2, 4, …, then 1, 3, 5, …"""
    if config["ropePairing"] == "half" or not name.endswith(("q_proj.weight", "k_proj.weight")):
        return w
    heads = w.reshape(-1, head_dim(config), w.shape[1])
    return torch.cat([heads[:, 0::2], heads[:, 1::2]], 1).reshape(w.shape)


def compare(what, ours, theirs, tolerance):
    assert ours[2].keys() == theirs[2].keys(), ours[2].keys() ^ theirs[2].keys()
    logits, loss = distance(theirs[0].detach(), ours[0]), abs(theirs[1].item() - ours[1].item())
    worst = max(distance(theirs[2][key], ours[2][key]) for key in ours[2])
    good = max(logits, loss, worst) <= tolerance
    print(f"{what}: logits {logits:.1e}, loss {loss:.1e}, worst gradient {worst:.1e}: {'ok' if good else 'DIFFERS'}")
    return good


if __name__ == "__main__":
    main()
