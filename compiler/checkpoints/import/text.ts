/** Small pieces of spec text: numbers as the language writes them, names, and words of a foreign file made harmless. */

/**
 * A number as a reader of the spec wants it: `1_000_000`, `0.5`, `1e-6`. The value is exactly the same.
 *
 * @example numberText(1e6) // "1_000_000"
 */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped(value);
  // The language has no plus sign in exponents.
  const text = Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
  return text.replace("e+", "e");
}

/** Digits in groups of three from 10 000 on. */
function grouped(value: number): string {
  const digits = String(value);
  return digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, "_");
}

/** A count for prose: 1.24 billion, 7.6 million, 512 thousand. */
export function countText(count: number): string {
  for (const [size, word] of [
    [1e9, "billion"],
    [1e6, "million"],
    [1e3, "thousand"],
  ] as const) {
    if (count >= size) return `${Number((count / size).toPrecision(3))} ${word}`;
  }
  return String(count);
}

/** Text of a foreign file for a comment: one line of printable ASCII, not too long. */
export function commentText(text: string): string {
  const plain = text
    .replace(/[^\x20-\x7e]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return plain.length > 60 ? `${plain.slice(0, 57)}...` : plain;
}

/** Text as a string of the language. */
export function stringText(text: string): string {
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\" };
  const escaped = Array.from(text, (sign) => {
    const code = sign.codePointAt(0)!;
    return escapes[sign] ?? (code < 0x20 || code === 0x7f ? `\\u{${code.toString(16)}}` : sign);
  });
  return `"${escaped.join("")}"`;
}

/**
 * A name for a model: the words of `text` in camel case, or `otherwise` when that is no name.
 *
 * @example modelName("OLMoE-1B-7B", "Model") // "OLMoE1B7B"
 */
export function modelName(text: string, otherwise: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Z]\w{0,59}$/.test(name) ? name : otherwise;
}

/**
 * A name for a file: small letters, digits and dashes.
 *
 * @example fileStem("OLMoE 1B", "model") // "olmoe-1b"
 */
export function fileStem(text: string, otherwise: string): string {
  const stem = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return stem === "" ? otherwise : stem;
}

/** Lines with two more spaces in front. */
export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

/** Lines of a member list: what is undefined is left out. */
export function lines(...parts: readonly (string | undefined | false)[]): string {
  return parts.filter((part): part is string => typeof part === "string" && part !== "").join("\n");
}
