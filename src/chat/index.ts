export { type Message, type Role, roles, type TextPart, type ToolCall } from "./messages.ts";
export { type RenderChatOptions, type RenderedChat, renderChat } from "./render.ts";
export { type ChatTemplate, parseChatTemplate } from "./template.ts";
export type { Origin, Segment } from "./text.ts";
