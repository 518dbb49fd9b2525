"""Records what tests/models/test_language_models.cpp must reproduce: a small random GPT-2 and a small random Llama as `transformers` writes
them, and what they give: logits, the loss, digests of its gradients, and 64 tokens of greedy generation.

    python3 tests/reference/make_language_models.py tests/reference/language_models
"""
import json
import pathlib
import sys

import tokenizers
import torch

# transformers imports torchvision where it is, whose library fits one build of torch only.
for operation in "nms", "qnms":
    torch.library.define(f"torchvision::{operation}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import transformers  # noqa: E402

directory = pathlib.Path(sys.argv[1])


def digest(tensor):
    """The norm, and the product with a fixed direction, which is small where the tensor is wrong anywhere."""
    flat = tensor.detach().double().flatten()
    return [flat.norm().item(), (flat @ torch.cos(torch.arange(len(flat), dtype=torch.float64))).item()]


configs = {
    "gpt2": transformers.GPT2Config(vocab_size=280, n_positions=80, n_embd=32, n_layer=2, n_head=4, initializer_range=0.3, bos_token_id=0,
                                    eos_token_id=None, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0),
    "llama": transformers.LlamaConfig(vocab_size=280, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                                      num_key_value_heads=2, max_position_embeddings=80, initializer_range=0.3, bos_token_id=0,
                                      eos_token_id=None, pad_token_id=None),
}
tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.train_from_iterator(["the cat sat on the mat and the dog sat on the cat and that was that"], tokenizers.trainers.BpeTrainer(
    vocab_size=280, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"]))
result = {}
for name, config in configs.items():
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():  # biases and norms begin as constants, which would not be tested
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(directory / name)
    (directory / name / "generation_config.json").unlink(missing_ok=True)
    tokens = torch.randint(0, config.vocab_size, (2, 8))
    output = model(tokens, labels=tokens)
    output.loss.backward()
    generated = model.generate(tokens[:, :6], max_new_tokens=64, do_sample=False, pad_token_id=0)
    result[name] = {
        "tokens": tokens.tolist(),
        "logits": [round(value, 6) for value in output.logits.flatten().tolist()],
        "loss": output.loss.item(),
        "gradients": {key: digest(value.grad) for key, value in model.named_parameters()},
        "generated": generated.tolist(),
    }
tokenizer.save(str(directory / "gpt2" / "tokenizer.json"), pretty=False)
with open(directory / "reference.json", "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
