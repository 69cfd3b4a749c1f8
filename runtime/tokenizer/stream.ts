/** Stream decoders: text as soon as it is certain, never half a character. */
import type { PieceBytes } from "./piece-bytes.js";
import type { StreamDecoder } from "./types.js";

/** What a stream decoder needs to know of its tokenizer. */
export interface StreamVocabulary {
  /** Token text of an id; throws MOE5207 for an unknown one. */
  textOf(id: number): string;
  isAdded(id: number): boolean;
  /** Whether the id shall not be seen in the text. */
  isSkipped(id: number): boolean;
  /** Whole-text decoding with the same choices. */
  decode(ids: readonly number[]): string;
}

/** Decodes through bytes: exact, and a constant amount of work for each id. */
export function byteStream(vocabulary: StreamVocabulary, pieces: PieceBytes): StreamDecoder {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  let atStart = true;
  const begin = (text: string): string => {
    if (!atStart || text === "") return text;
    atStart = false;
    return pieces.stripFirstSpace && text.startsWith(" ") ? text.slice(1) : text;
  };
  return {
    push(id) {
      const text = vocabulary.textOf(id);
      if (vocabulary.isSkipped(id)) return "";
      if (pieces.addedAreText && vocabulary.isAdded(id)) return begin(utf8.decode() + text);
      return begin(utf8.decode(pieces.bytesOf(text), { stream: true }));
    },
    flush() {
      const rest = begin(utf8.decode());
      atStart = true;
      return rest;
    },
  };
}

/**
 * Decodes a window of the last ids twice, without and with the newest one; the difference is the new text. For decoders
 * that join words by rules. Text is held back while it ends with U+FFFD, the sign of an unfinished character.
 */
export function windowStream(vocabulary: StreamVocabulary): StreamDecoder {
  let ids: number[] = [];
  /** Ids before this one only give context; the text of those before `shown` was handed out. */
  let start = 0;
  let shown = 0;
  const next = (final: boolean): string => {
    const before = vocabulary.decode(ids.slice(start, shown));
    const all = vocabulary.decode(ids.slice(start));
    if (!final && (all.length <= before.length || all.endsWith("\ufffd"))) return "";
    start = shown;
    shown = ids.length;
    return all.slice(before.length);
  };
  return {
    push(id) {
      vocabulary.textOf(id);
      if (!vocabulary.isSkipped(id)) ids.push(id);
      return next(false);
    },
    flush() {
      const rest = next(true);
      ids = [];
      start = 0;
      shown = 0;
      return rest;
    },
  };
}
