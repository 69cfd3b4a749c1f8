/** What the runtime asks of a tokenizer. */

/** Choices of `encode`. */
export interface EncodeOptions {
  /** Add the tokens that the model expects around a text (such as a first "beginning of text"). Default true. */
  readonly addSpecial?: boolean;
}

/** Choices of `decode` and of a stream decoder. */
export interface DecodeOptions {
  /** Leave special tokens out of the text. Default false. */
  readonly skipSpecial?: boolean;
}

/** Turns ids into text as they come, one at a time. */
export interface StreamDecoder {
  /**
   * The text that is certain after this id. It never ends inside a character: bytes of an unfinished one are held back.
   *
   * @throws MoecError MOE5207 when the id is not in the vocabulary.
   */
  push(id: number): string;
  /** What is left at the end; an unfinished character becomes U+FFFD. The decoder is then as new. */
  flush(): string;
}

/** Text to token ids and back. */
export interface Tokenizer {
  /** One more than the largest id. */
  readonly vocabSize: number;
  /** Id that begins a text, if the model has one. */
  readonly bos?: number;
  /** Ids that end a text; generation stops at any of them. */
  readonly eos: readonly number[];
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * The text of all ids; bytes that are not UTF-8 become U+FFFD.
   *
   * @throws MoecError MOE5207 when an id is not in the vocabulary.
   */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  streamDecoder(options?: DecodeOptions): StreamDecoder;
}
