/** The weights space of a bundle: every parameter packed where the plan wants it, in order of offsets. */
import type { Plan, PlanWeight } from "../4-schedule/plan.js";
import { packWeight } from "../4-schedule/layout/pack.js";
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
    let offset = buffer.offset;
    for (const layer of layersOf(weight)) {
      const bytes = packLayer(weight, layer, source);
      if (offset + bytes.length > buffer.offset + buffer.bytes) {
        throw moecError("MOE5312", { at: weight.path, reason: `its packed bytes do not fit into \`${buffer.id}\`` });
      }
      yield { path: weight.path, offset, bytes };
      offset += weight.layerStride;
    }
  }
}

/** The packer sees a weight without layers. */
function packLayer(weight: PlanWeight, layer: readonly number[], source: ParameterSource): Uint8Array {
  const axes = weight.axes.slice(weight.layerAxes);
  const names = axes.map(({ name }) => name);
  return packWeight({ ...weight, axes, layerAxes: 0, layerStride: 0 }, () => source.read(weight.path, layer, names));
}

/** Numbers of all layers, outermost stack first; one empty tuple without layers. */
function layersOf(weight: PlanWeight): readonly (readonly number[])[] {
  return weight.axes
    .slice(0, weight.layerAxes)
    .reduce<readonly (readonly number[])[]>(
      (layers, axis) => layers.flatMap((outer) => Array.from({ length: axis.size }, (_, index) => [...outer, index])),
      [[]],
    );
}
