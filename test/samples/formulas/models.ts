/** A layer of a sample by its formulas: the stream of all tokens in, and out. */
import type { Layer, Vector } from "./plain.js";

export type Model = (stream: readonly Vector[], layer: number, at: Layer) => Vector[];
