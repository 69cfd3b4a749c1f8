/**
 * String escapes, read and written: `\n`, `\t`, `\r`, `\"`, `\\` and `\u{hex}`.
 */

const SIMPLE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\" };

export interface Unescaped {
  readonly value: string;
  /** Escapes that mean nothing, with their offset in the raw text; they stand for themselves. */
  readonly bad: readonly { readonly start: number; readonly text: string }[];
}

/** Resolves the escapes of the text between two quotes. */
export function readEscapes(raw: string): Unescaped {
  if (!raw.includes("\\")) return { value: raw, bad: [] };
  const bad: { start: number; text: string }[] = [];
  const value = raw.replace(
    /\\(?:u\{([0-9A-Fa-f]{1,6})\}|([^]?))/g,
    (whole, hex: string | undefined, letter: string | undefined, start: number) => {
      const code = hex === undefined ? NaN : parseInt(hex, 16);
      if (code <= 0x10ffff) return String.fromCodePoint(code);
      const plain = SIMPLE[letter ?? ""];
      if (plain !== undefined) return plain;
      bad.push({ start, text: whole });
      return whole;
    },
  );
  return { value, bad };
}

/** Spells a value as a string literal, quotes included. */
export function writeString(value: string): string {
  // Lone surrogates and control characters would not survive a file, so they are spelled by number.
  const inner = value.replace(/["\\\p{Cc}\p{Cs}\u2028\u2029]/gu, (char) => {
    const letter = Object.keys(SIMPLE).find((key) => SIMPLE[key] === char);
    return letter === undefined ? `\\u{${char.codePointAt(0)!.toString(16)}}` : `\\${letter}`;
  });
  return `"${inner}"`;
}
