/**
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based
 * generator of 32-bit additions, rotations and exclusive-ors, so that every target gives the same words.
 */
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Two words for one counter under one key; all words are taken and given as 32 bits (signed). */
export function threefry(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, 0x1bd11bda ^ key[0] ^ key[1]] as const;
  let a = (counter[0] + keys[0]) | 0;
  let b = (counter[1] + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const turn = rotations[round % 8]!;
    a = (a + b) | 0;
    b = ((b << turn) | (b >>> (32 - turn))) ^ a;
    if (round % 4 === 3) {
      const group = (round + 1) / 4;
      a = (a + keys[group % 3]!) | 0;
      b = (b + keys[(group + 1) % 3]! + group) | 0;
    }
  }
  return [a, b];
}
