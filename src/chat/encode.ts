// A chat as ids: special pieces where the template writes them and nowhere else, and which ids are the assistant's.
import { check, fail, type Sliced, wholly } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Encoded, encodeSegments, segmentIds, type Writing } from "./encode-segments.ts";
import { marksOf } from "./marks.ts";
import type { Message } from "./messages.ts";
import { firstWhere, type Place, placesOf, segmentsBetween } from "./places.ts";
import { type RenderChatOptions, type RenderedChat, renderChat } from "./render.ts";
import type { ChatTemplate } from "./template.ts";
import { Text } from "./text.ts";
import { assistantTurns } from "./turns.ts";

/** Options of a chat that is encoded: those of rendering, and whether begin-of-text goes in front. */
export interface EncodeChatOptions extends RenderChatOptions {
  /**
   * Puts what the tokenizer puts in front of a text there, unless the chat begins with it. A template usually writes begin-of-text itself,
   * and what it does not write was not there in training either, as transformers has it. @default false
   */
  readonly bos?: boolean;
}

/** Options of a chat that is encoded for training, where no generation prompt is added. */
export interface EncodeTrainingOptions extends Omit<EncodeChatOptions, "addGenerationPrompt"> {
  /** The ids that end a turn, as {@link endOfTurnIds} gives them. */
  readonly endOfTurn: readonly number[];
}

/** A rendered chat and its ids. */
export interface EncodedChat extends RenderedChat {
  readonly ids: Uint32Array;
}

/** A chat encoded for training, and which of its ids the assistant writes. */
export interface EncodedTraining extends EncodedChat {
  /** 1 for each id that the assistant writes, the one that ends its turn included; 0 for all others. */
  readonly assistantMask: Uint8Array;
}

/**
 * The ids of a chat for inference. Text is encoded as one, so that ids are those of the whole; special pieces are found in the template's own
 * text only, so that a message that spells one is encoded as its characters; so are added pieces that the template writes, for who may not
 * write them ({@link marksOf}).
 * @throws CriaError as {@link renderChat}
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly Message[],
  options: EncodeChatOptions = {},
): EncodedChat {
  return wholly(encodeChatSliced(tokenizer, template, messages, options));
}

/** {@link encodeChat} in slices: a long conversation takes tens of milliseconds. */
export function* encodeChatSliced(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly Message[],
  options: EncodeChatOptions = {},
): Sliced<EncodedChat> {
  const rendered = renderChat(template, messages, withSpecials(tokenizer, options));
  const writing = { marks: marksOf(tokenizer, template, messages, rendered.segments), bos: options.bos ?? false };
  yield;
  return { ...rendered, ids: yield* segmentIds(tokenizer, rendered.segments, writing) };
}

/**
 * The ids of a chat for training on the assistant's turns, and which ids these are. An id counts where its first character is in a turn: a token
 * that begins in the text before was not the assistant's to write. A turn ends with the first of `endOfTurn` behind its message's last character.
 * @throws CriaError as {@link renderChat}; where the template does not let the assistant's part be told, which serves for inference only; and
 * where a turn has no token that ends it, so that the model would never learn to stop
 */
export function encodeTraining(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly Message[],
  options: EncodeTrainingOptions,
): EncodedTraining {
  const given = { ...withSpecials(tokenizer, options), addGenerationPrompt: false };
  const rendered = renderChat(template, messages, given);
  const text = new Text(rendered.segments);
  const writing = { marks: marksOf(tokenizer, template, messages, rendered.segments), bos: options.bos ?? false };
  const encoded = encodeSegments(tokenizer, rendered.segments, writing);
  const { ids } = encoded;
  const places = placesOf(rendered.segments);
  const firstFrom = (place: number) => idsBefore(tokenizer, places, encoded, place, writing);
  const assistantMask = new Uint8Array(ids.length);
  for (const { start, own, end, isBlock, message } of assistantTurns(template, messages, given, text)) {
    const [first, last] = [firstFrom(start), firstFrom(end)];
    const stop = isBlock ? last : endOf(ids, firstFrom(own), last, options.endOfTurn);
    check(
      stop !== undefined,
      "chat",
      () => `${template.name}: no token that ends a turn follows messages[${message}]: it serves for inference, but not for fine-tuning`,
    );
    assistantMask.fill(1, first, stop);
  }
  return { ...rendered, ids, assistantMask };
}

/** The place behind the first id that ends a turn, if there is one between `from` and `to`. */
function endOf(ids: Uint32Array, from: number, to: number, endOfTurn: readonly number[]): number | undefined {
  const at = ids.subarray(from, to).findIndex((id) => endOfTurn.includes(id));
  return at < 0 ? undefined : from + at + 1;
}

/** bos_token and the like by the tokenizer's own pieces, where the caller does not name them. */
function withSpecials<T extends RenderChatOptions>(tokenizer: Tokenizer, options: T): T {
  const { bosId, eosId, unkId, padId } = tokenizer;
  const named = Object.entries({ bos_token: bosId, eos_token: eosId, unk_token: unkId, pad_token: padId });
  const own = named.flatMap(([name, id]) => (id === undefined ? [] : [[name, tokenizer.idToPiece(id)] as const]));
  return { ...options, specials: { ...Object.fromEntries(own), ...options.specials } };
}

/**
 * How many ids begin before a place of the text: as many as the text up to it has, where the ids begin with those; where a token lies across
 * the place, the bytes of its neighbours say it. Encoding starts at the last anchor before, so that the time for all turns of a chat does not
 * grow with its square.
 */
function idsBefore(
  tokenizer: Tokenizer,
  places: readonly Place[],
  { ids, anchors }: Encoded,
  place: number,
  { marks, bos }: Writing,
): number {
  if (place >= (places.at(-1)?.end ?? 0)) return ids.length;
  const anchor = anchors[firstWhere(anchors.length, (at) => (anchors[at]?.place ?? 0) > place) - 1];
  const { ids: before } = encodeSegments(tokenizer, segmentsBetween(places, anchor?.place ?? 0, place), {
    marks,
    bos: bos && anchor === undefined,
  });
  const first = anchor?.index ?? 0;
  let same = 0;
  while (same < before.length && before[same] === ids[first + same]) same++;
  if (same === before.length) return first + same;
  const size = (id: number) => tokenizer.pieceBytes(id).length;
  let left = before.subarray(same).reduce((bytes, id) => bytes + size(id), 0);
  let at = first + same;
  while (left > 0 && at < ids.length) left -= size(ids[at++]!);
  const { model } = tokenizer;
  const isChanged = "normaliser" in model && (model.normaliser ?? []).length > 0;
  return isChanged
    ? fail("chat", "a token lies across the beginning or the end of the assistant's part, and the normaliser moves places")
    : at;
}
