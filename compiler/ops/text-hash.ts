/**
 * 32-bit FNV-1a over the UTF-16 units of a text: where texts become seeds and keys that must be the same everywhere.
 *
 * Source: Fowler, Noll and Vo, "The FNV Non-Cryptographic Hash Algorithm" (IETF draft-eastlake-fnv). Not for integrity:
 * files of a bundle are hashed with SHA-256.
 */
export function hashText(text: string): number {
  return hashFrom(0x811c9dc5, 0x01000193, text);
}

/** The same steps with another start and another factor: beside the first hash, texts with one and the same are few. */
export function otherHashOfText(text: string): number {
  return hashFrom(0x9dc5811c, 0x01000197, text);
}

function hashFrom(start: number, factor: number, text: string): number {
  // As a signed number of 32 bits from the start: V8 leaves its compiled code where one that is larger comes in.
  let hash = start | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), factor);
  return hash >>> 0;
}
