/** What cria opens, as messages tell it. */
export const understood =
  "cria opens Hugging Face and run folders (config.json, *.safetensors, tokenizer.json or tokenizer.model) and llama2.c's .bin";
