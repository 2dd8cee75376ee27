export { type ChatTemplates, chooseTemplate } from "./choose.ts";
export {
  type EncodeChatOptions,
  type EncodedChat,
  type EncodedTraining,
  type EncodeTrainingOptions,
  encodeChat,
  encodeChatSliced,
  encodeTraining,
} from "./encode.ts";
export { type EndOfTurnOptions, endOfTurnIds, turnEndPieces } from "./end-of-turn.ts";
export { checkChatFits } from "./fits.ts";
export { type Message, type Role, roles, type TextPart, type ToolCall } from "./messages.ts";
export { type RenderChatOptions, type RenderedChat, renderChat } from "./render.ts";
export { type ChatTemplate, parseChatTemplate } from "./template.ts";
export type { Origin, Segment } from "./text.ts";
