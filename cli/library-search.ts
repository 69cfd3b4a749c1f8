/** Words to declarations of the library: a score from where a word stands and how rare it is. */
import type { LibraryEntry } from "./library.js";

export interface Hit {
  readonly entry: LibraryEntry;
  /** Greater is better; only the order means something. */
  readonly score: number;
}

/** What a word is worth by the place it is found in. */
const WORTH = { name: 12, nameWord: 6, contract: 3, paper: 12, summary: 2, doc: 1, file: 1.5 } as const;

/**
 * Declarations that have the words, best first. A word may be the beginning of a longer one; declarations with more of the
 * words come before those with fewer, unless these have the rarer ones. Half of the words must be there.
 *
 * @example searchLibrary(libraryEntries(), "sinkhorn") // [{ entry: { name: "Sinkhorn", … }, score: … }, …]
 */
export function searchLibrary(entries: readonly LibraryEntry[], words: string): readonly Hit[] {
  const all = wordsOf(words);
  const telling = all.filter((word) => !SMALL.has(word));
  const wanted = telling.length > 0 ? telling : all;
  if (wanted.length === 0) return [];
  const index = indexOf(entries);
  /** For each word what it is worth in each entry, more where fewer entries have it. */
  const worths = wanted.map((word) => {
    const plain = index.map((places) => found(places, word));
    const rarity = Math.log(1 + entries.length / (1 + plain.filter((worth) => worth > 0).length));
    return plain.map((worth) => worth * rarity);
  });
  const scored = entries.map((entry, at) => {
    const parts = worths.map((worth) => worth[at]!);
    const matched = parts.filter((part) => part > 0).length;
    // A helper that cannot be imported by itself comes behind what can.
    const reach = (entry.importLine === undefined ? 0.5 : 1) * (entry.name === words.trim() ? 2 : 1);
    const share = matched / wanted.length;
    return { entry, share, score: reach * share ** 2 * parts.reduce((sum, part) => sum + part, 0) };
  });
  return scored
    .filter(({ share }) => share >= 0.5)
    .sort((a, b) => b.score - a.score || (a.entry.name < b.entry.name ? -1 : 1))
    .map(({ entry, score }) => ({ entry, score }));
}

/** Words that say nothing about a mechanism. */
const SMALL: ReadonlySet<string> = new Set(
  "a after all an and are as at by for from in is it of on or per that the to with".split(" "),
);

interface Place {
  readonly worth: number;
  readonly words: readonly { readonly word: string; readonly stem: string }[];
}

const indices = new WeakMap<readonly LibraryEntry[], readonly (readonly Place[])[]>();

/** The words of each entry by their places, gathered once for a list. */
function indexOf(entries: readonly LibraryEntry[]): readonly (readonly Place[])[] {
  const index = indices.get(entries) ?? entries.map(placesOf);
  indices.set(entries, index);
  return index;
}

function placesOf(entry: LibraryEntry): readonly Place[] {
  const places = [
    { worth: WORTH.name, words: [entry.name.toLowerCase()] },
    { worth: WORTH.nameWord, words: wordsOf(camelWords(entry.name)) },
    { worth: WORTH.contract, words: [entry.contract] },
    { worth: WORTH.paper, words: entry.papers },
    { worth: WORTH.summary, words: wordsOf(entry.summary) },
    { worth: WORTH.doc, words: wordsOf(entry.doc) },
    { worth: WORTH.file, words: wordsOf(entry.file.replace(/^stdlib|\.moe$/g, "")) },
  ];
  return places.map(({ worth, words }) => ({ worth, words: words.map((word) => ({ word, stem: stem(word) })) }));
}

/** What a word is worth in an entry: whole words count in full, beginnings by the share that is said. */
function found(places: readonly Place[], wanted: string): number {
  const wantedStem = stem(wanted);
  let sum = 0;
  for (const { worth, words } of places) {
    let best = 0;
    for (const { word, stem } of words) {
      if (stem === wantedStem) best = 1;
      else if (wanted.length > 2 && word.startsWith(wanted)) best = Math.max(best, (0.8 * wanted.length) / word.length);
    }
    sum += worth * best;
  }
  return sum;
}

/** `TopK` is `Top K`, `GroupMax` is `Group Max`. */
const camelWords = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll("_", " ");

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\d{4}\.\d{4,5}|[\p{L}\p{N}]+/gu) ?? [];

/** Plurals and their singulars are one word. */
const stem = (word: string): string => (word.length > 3 ? word.replace(/s$/, "") : word);
