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
  const index = entries.map((entry) => ({ entry, places: placesOf(entry) }));
  const rarity = new Map(
    wanted.map((word) => {
      const count = index.filter(({ places }) => found(places, word) > 0).length;
      return [word, Math.log(1 + entries.length / (1 + count))] as const;
    }),
  );
  const scored = index.map(({ entry, places }) => {
    const parts = wanted.map((word) => found(places, word) * rarity.get(word)!);
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
  readonly words: readonly string[];
}

function placesOf(entry: LibraryEntry): readonly Place[] {
  return [
    { worth: WORTH.name, words: [entry.name.toLowerCase()] },
    { worth: WORTH.nameWord, words: wordsOf(camelWords(entry.name)) },
    { worth: WORTH.contract, words: [entry.contract] },
    { worth: WORTH.paper, words: entry.papers },
    { worth: WORTH.summary, words: wordsOf(entry.summary) },
    { worth: WORTH.doc, words: wordsOf(entry.doc) },
    { worth: WORTH.file, words: wordsOf(entry.file.replace(/^stdlib|\.moe$/g, "")) },
  ];
}

/** What a word is worth in an entry: whole words count in full, beginnings by the share that is said. */
function found(places: readonly Place[], wanted: string): number {
  let sum = 0;
  for (const { worth, words } of places) {
    let best = 0;
    for (const word of words) {
      if (word === wanted || stem(word) === stem(wanted)) best = 1;
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
