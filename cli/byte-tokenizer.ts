/** A tokenizer that needs no training: every byte is a token. */
import { BYTE_CHARACTERS } from "../runtime/tokenizer/piece-bytes.js";

/**
 * A `tokenizer.json` in Hugging Face's schema of 256 tokens, whose ids are the bytes of UTF-8: byte-level BPE (Radford et
 * al. 2019) without merges.
 */
export function byteTokenizer(): string {
  const vocab = Object.fromEntries(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: [],
    },
  };
  return `${JSON.stringify(tokenizer)}\n`;
}
