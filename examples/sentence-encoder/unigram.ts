/**
 * The tokenizer of the Universal Sentence Encoder lite: SentencePiece's unigram model (Kudo 2018, arXiv:1804.10959). The
 * cheapest way to cut the text into pieces of the vocabulary is found by dynamic programming over positions.
 *
 * Two habits of the published JavaScript tokenizer are kept, since the model's judges were measured with it: the seven
 * pieces whose score is null count as score 0, and of several equally good cuts the last one examined wins.
 */

/** `[piece, score]`; the first six are reserved and never matched in text. */
export type Vocabulary = readonly (readonly [piece: string, score: number | null])[];

const SEPARATOR = "\u2581";
const RESERVED = 6;
const UNKNOWN = 0;

export class UnigramTokenizer {
  private readonly pieces = new Map<string, { readonly id: number; readonly score: number }>();
  private readonly longest: number;

  constructor(private readonly vocabulary: Vocabulary) {
    vocabulary.forEach(([piece, score], id) => {
      if (id >= RESERVED) this.pieces.set(piece, { id, score: score ?? 0 });
    });
    this.longest = Math.max(...vocabulary.map(([piece]) => [...piece].length));
  }

  /** Ids of the pieces of `text`; a run of characters that no piece covers is one 0. */
  encode(text: string): number[] {
    const normalized = text.normalize("NFKC");
    const symbols = normalized.length > 0 ? [...(SEPARATOR + normalized.replaceAll(" ", SEPARATOR))] : [];
    const best = new Float64Array(symbols.length + 1);
    const piece = new Int32Array(symbols.length + 1);
    const offer = (start: number, end: number, id: number, gain: number): void => {
      const score = best[start]! + gain;
      // 0 also means "nothing found yet": the published tokenizer cannot tell the two apart.
      if (best[end] !== 0 && score < best[end]!) return;
      best[end] = score;
      piece[end] = id;
    };
    for (let start = 0; start < symbols.length; start++) {
      let matched = false;
      for (let end = start + 1; end <= Math.min(symbols.length, start + this.longest); end++) {
        const found = this.pieces.get(symbols.slice(start, end).join(""));
        if (!found) continue;
        matched = true;
        offer(start, end, found.id, found.score);
      }
      if (!matched) offer(start, start + 1, UNKNOWN, 0);
    }
    const ids: number[] = [];
    for (let end = symbols.length; end > 0;) {
      const id = piece[end]!;
      if (id !== UNKNOWN || ids.at(-1) !== UNKNOWN) ids.push(id);
      end -= id === UNKNOWN ? 1 : [...this.vocabulary[id]![0]].length;
    }
    return ids.reverse();
  }
}
