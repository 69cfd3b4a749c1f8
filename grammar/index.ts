/**
 * The language's surface: text to tree and back.
 */
export { parse, type ParseResult } from "./parse.js";
export { TOKENS, type TokenEntry } from "./tokens.js";
export type * from "./tree.js";
