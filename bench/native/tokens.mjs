/** The texts that both engines read: the same numbers of tokens, and another one at each step. */

/**
 * The token at a position of a text.
 *
 * @param {number} text
 * @param {number} position
 * @returns {number}
 */
export const tokenAt = (text, position) => 300 + ((position * 7919 + text * 104_729) % 7000);
