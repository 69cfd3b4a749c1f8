/**
 * 32-bit FNV-1a over the UTF-16 units of a text: where texts become seeds and keys that must be the same everywhere.
 *
 * Source: Fowler, Noll and Vo, "The FNV Non-Cryptographic Hash Algorithm" (IETF draft-eastlake-fnv). Not for integrity:
 * files of a bundle are hashed with SHA-256.
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
