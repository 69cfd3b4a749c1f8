/**
 * Where the weights lie on a GPU: in as many buffers as its limits ask for. A layer of a parameter is what a kernel
 * reads at once, so the cuts are between layers.
 */
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { describeBytes } from "../bytes.js";

/** One GPU buffer of weights: bytes from `start` to `end` of the space. */
export interface WeightChunk {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts the weights space into chunks of at most `limit` bytes.
 *
 * @throws MoecError MOE4311 when one layer of one parameter is larger.
 */
export function cutWeights(plan: Plan, limit: number): readonly WeightChunk[] {
  const chunks: { start: number; end: number }[] = [];
  for (const { path, start, end } of piecesOf(plan)) {
    if (end - start > limit) {
      const sizes = { what: `one layer of ${path}`, needed: describeBytes(end - start), limit: describeBytes(limit) };
      throw moecError("MOE4311", sizes);
    }
    const last = chunks.at(-1);
    // A gap in front of a piece belongs to the chunk before it, so that the whole space is covered.
    if (last && end - last.start <= limit) last.end = end;
    else {
      if (last) last.end = Math.max(last.end, Math.min(start, last.start + limit));
      chunks.push({ start: last ? last.end : 0, end });
    }
  }
  const last = chunks.at(-1);
  if (last) last.end = Math.max(last.end, Math.min(plan.spaces.weights, last.start + limit));
  return chunks;
}

function piecesOf(plan: Plan): readonly { readonly path: string; readonly start: number; readonly end: number }[] {
  const buffers = new Map(plan.buffers.map((buffer) => [buffer.id, buffer]));
  return plan.weights
    .flatMap(({ buffer, path, layerStride }) => {
      const { offset, bytes } = buffers.get(buffer)!;
      const step = layerStride > 0 ? layerStride : bytes;
      return Array.from({ length: Math.max(1, Math.ceil(bytes / step)) }, (_, layer) => ({
        path,
        start: offset + layer * step,
        end: Math.min(offset + (layer + 1) * step, offset + bytes),
      }));
    })
    .sort((a, b) => a.start - b.start);
}

/** Number of the chunk in which a byte of the space lies. */
export function chunkAt(chunks: readonly WeightChunk[], offset: number): number {
  return chunks.findIndex(({ start, end }) => offset >= start && offset < end);
}
