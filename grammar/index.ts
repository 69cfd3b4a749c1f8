/**
 * The language's surface: text to tree and back.
 */
export { parse, type ParseResult } from "./parse.js";
export { format, FormatError, plugin } from "./print/plugin.js";
export { RESERVED_WORDS, TOKENS, type TokenEntry } from "./tokens.js";
export type * from "./tree.js";
