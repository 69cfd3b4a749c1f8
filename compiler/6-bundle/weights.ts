/** The weights space of a bundle: every parameter packed where the plan wants it, in order of offsets. */
import type { Plan, PlanWeight } from "../4-schedule/plan.js";
import { isBlocked } from "../4-schedule/layout/layouts.js";
import { blockAxes, packLayer } from "../4-schedule/layout/pack.js";
import type { StoredBlocks } from "../4-schedule/layout/pack-blocks.js";
import { indexVectors } from "../axes/index-vectors.js";
import { moecError } from "../errors/raise.js";
import type { ParameterSource } from "./parameters.js";

/** Packed bytes and where in the weights space they lie. Bytes between pieces are zero. */
export interface WeightPiece {
  readonly path: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Packs one layer of one parameter at a time, so that no more than that is in memory.
 *
 * @throws MoecError MOE5312 when packed bytes do not fit into their buffer, MOE5327 and what reading a checkpoint throws.
 */
export function* packWeights(plan: Plan, source: ParameterSource): Generator<WeightPiece, void> {
  const offsets = new Map(plan.buffers.map((buffer) => [buffer.id, buffer]));
  const placed = plan.weights.map((weight) => ({ weight, buffer: offsets.get(weight.buffer)! }));
  placed.sort((a, b) => a.buffer.offset - b.buffer.offset);
  for (const { weight, buffer } of placed) {
    const axes = weight.axes.slice(weight.layerAxes).map(({ name }) => name);
    let offset = buffer.offset;
    for (const layer of indexVectors(weight.axes.slice(0, weight.layerAxes).map(({ size }) => size))) {
      const bytes = packLayer(weight, blocksOf(weight, source, layer) ?? source.read(weight.path, layer, axes));
      if (offset + bytes.length > buffer.offset + buffer.bytes) {
        throw moecError("MOE5312", { at: weight.path, reason: `its packed bytes do not fit into \`${buffer.id}\`` });
      }
      yield { path: weight.path, offset, bytes };
      offset += weight.layerStride;
    }
  }
}

/** What the weight's layout keeps as it is, where the source has it. */
function blocksOf(weight: PlanWeight, source: ParameterSource, layer: readonly number[]): StoredBlocks | undefined {
  const along = blockAxes(weight);
  const { path, storage } = weight;
  if (!along || !isBlocked(storage)) return undefined;
  return source.readBlocks?.(path, layer, storage, along);
}
