/**
 * What the grammar takes from chevrotain. `npm run build` puts all of that into this one file: from its own sources it is
 * several hundred, and loading them costs a short command more than its work.
 */
export { EmbeddedActionsParser, Lexer, createToken, createTokenInstance, tokenMatcher } from "chevrotain";
export type { IToken, OrMethodOpts, ParserMethod, TokenType } from "chevrotain";
