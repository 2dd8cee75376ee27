/** What cria opens, as messages tell it. */
export const understood =
  "cria opens Hugging Face and run folders (config.json, *.safetensors or pytorch_model*.bin, tokenizer.json or tokenizer.model), Meta's folders (params.json, consolidated.*.pth, tokenizer.model), GGUF files and llama2.c's .bin";
