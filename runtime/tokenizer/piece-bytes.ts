/**
 * The bytes that a token stands for, for the two kinds of decoders that every generating model uses: byte-level (each
 * character of the token is one byte) and SentencePiece with byte fallback (`▁` is a space, `<0x41>` a byte). Other
 * decoders look at neighbours or do not spell bytes; for them `pieceBytes` gives nothing and streaming decodes windows.
 */
import type { Step, TokenizerJson } from "./schema.js";

/** Character of each byte in byte-level vocabularies: visible latin-1 stays, the others go to U+0100 and up. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  const visible = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
})();

const BYTE_OF_CHARACTER = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** How tokens become bytes. */
export interface PieceBytes {
  /** Bytes of a token of the model (not of an added token, whose text is its own). */
  bytesOf(token: string): Uint8Array;
  /** Whether one space is taken off the start of the text. */
  readonly stripFirstSpace: boolean;
  /** Whether added tokens are text that ends the run of bytes before it. */
  readonly addedAreText: boolean;
}

/** The way for a tokenizer's decoder, or `undefined` when it has no bytes. */
export function pieceBytes({ decoder }: TokenizerJson): PieceBytes | undefined {
  const steps = decoder?.type === "Sequence" ? (decoder.decoders ?? []) : decoder ? [decoder] : [];
  if (steps.length === 1 && steps[0]!.type === "ByteLevel") {
    return { bytesOf: byteLevelBytes, stripFirstSpace: false, addedAreText: true };
  }
  return sentencePiece(steps);
}

function byteLevelBytes(token: string): Uint8Array {
  return Uint8Array.from(token, (character) => BYTE_OF_CHARACTER.get(character) ?? 0);
}

const utf8 = new TextEncoder();

/** Replace `▁` by a space, ByteFallback, Fuse, and perhaps Strip one space at the start: the form of Llama 2 and Mixtral. */
function sentencePiece(steps: readonly Step[]): PieceBytes | undefined {
  const [replace, fallback, fuse, strip, ...more] = steps;
  const isReplace =
    replace?.type === "Replace" && replace.content === " " && JSON.stringify(replace.pattern) === '{"String":"▁"}';
  if (!isReplace || fallback?.type !== "ByteFallback" || fuse?.type !== "Fuse" || more.length > 0) return undefined;
  const stripsOne = strip?.type === "Strip" && strip.content === " " && strip.start === 1 && (strip.stop ?? 0) === 0;
  if (strip !== undefined && !stripsOne) return undefined;
  const bytesOf = (token: string): Uint8Array => {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    return byte === null ? utf8.encode(token.replaceAll("▁", " ")) : Uint8Array.of(parseInt(byte[1]!, 16));
  };
  return { bytesOf, stripFirstSpace: strip !== undefined, addedAreText: false };
}
