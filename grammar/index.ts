/**
 * The language's surface: text to tree and back.
 */
export { headOf } from "./head.js";
export { outline, type Outline } from "./outline.js";
export { parse, type ParseResult } from "./parse.js";
export { reparse } from "./reparse.js";
export { format, FormatError, plugin } from "./print/plugin.js";
export { RESERVED_WORDS, TOKENS, type TokenEntry } from "./tokens.js";
export type * from "./tree.js";
