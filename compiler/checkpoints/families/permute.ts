/**
 * Row orders of query and key projections. Hugging Face pairs rotary channels (i, i + half), GGUF's `llama` pairs
 * (2i, 2i + 1); its converter moves the rows so that the same formula gives the same result. Rows are whole blocks in
 * every storage type, so they are moved as bytes and nothing is dequantized.
 */

/** Which way to move. */
export type RowOrder = "to-interleaved" | "to-halves";

/**
 * Reorder the rows of each head.
 *
 * @param bytes `rows` rows of equal length.
 * @param heads how many groups the rows form; each has an even number of rows.
 */
export function reorderRows(bytes: Uint8Array, rows: number, heads: number, order: RowOrder): Uint8Array {
  const rowBytes = bytes.length / rows;
  const perHead = rows / heads;
  const half = perHead / 2;
  const out = new Uint8Array(bytes.length);
  for (let head = 0; head < heads; head++) {
    for (let pair = 0; pair < half; pair++) {
      for (const side of [0, 1]) {
        const inHalves = head * perHead + side * half + pair;
        const interleaved = head * perHead + 2 * pair + side;
        const [from, to] = order === "to-interleaved" ? [inHalves, interleaved] : [interleaved, inHalves];
        out.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), to * rowBytes);
      }
    }
  }
  return out;
}
