/** Tokenizers: text to ids and back, also as a stream. */
export { loadTokenizer, type TokenizerFiles } from "./tokenizer.js";
export { parseTokenizerConfig, parseTokenizerJson } from "./parse.js";
export { tokenizerFromGguf } from "./gguf.js";
export type { TokenizerConfig } from "./schema.js";
export type * from "./types.js";
