export { type OpenModel, openAnyTokenizer, openChat, openModel } from "./load.ts";
