/** For messages. */
export const understood = "cria opens Hugging Face and run folders (config.json, *.safetensors, tokenizer.json) and llama2.c's .bin";
