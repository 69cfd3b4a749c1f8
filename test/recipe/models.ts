/** Small models with random weights in files, and their logits, for conversions. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { checkpointSource, randomSource } from "../../compiler/6-bundle/index.js";
import {
  fromF32,
  memorySource,
  openCheckpoint,
  writeSafetensors,
  type Checkpoint,
} from "../../compiler/checkpoints/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { parameterReader, unchanged } from "../../cli/verify/stored-parameters.js";
import { testHost } from "../check/host.js";

/** A model with and one without experts, and recipes between them. Without names, tensors are called by their paths. */
export const SPEC = `import { RMSNorm, SwiGLU, MoE } from "std"

block Layer[D, F] {
  use norm = RMSNorm[D]
  use ffn = SwiGLU[D, F]
  (x: [T, D]) => x + ffn(norm(x))
}
block SparseLayer[D, F, E](k: int) {
  use norm = RMSNorm[D]
  use moe = MoE[D, F, E](k)
  (x: [T, D]) => x + moe(norm(x))
}
model Dense[V = 16, L = 3, D = 32, F = 64] {
  param tok: [V, D]
  stack layers = L of Layer[D, F]
  forward(tokens: int[T]) -> f32[T, V] => layers(tok[V: tokens]) @ tok
}
model Sparse[V = 16, L = 3, D = 32, F = 64, E = 4](k: int = 2) {
  param tok: [V, D]
  stack layers = L of SparseLayer[D, F, E](k)
  forward(tokens: int[T]) -> f32[T, V] => layers(tok[V: tokens]) @ tok
}

recipe Upcycle(dense: Dense, deviation: float = 0.5) -> sparse: Sparse {
  sparse.layers.moe.experts = dense.layers.ffn
  sparse.layers.moe.route.w = deviation * normal([L, D, E], seed: 1)
}
recipe Average(a: Dense, b: Dense, share: float = 0.5) -> c: Dense {
  c = share * a + (1 - share) * b
}
recipe Same(a: Dense) -> b: Dense {
  b.tok = 1.0 * a.tok
}
/// Layers in the opposite order: no layer is made of itself.
recipe Turned(a: Dense) -> b: Dense {
  b.layers.ffn.gate = a.layers.ffn.gate[L: 2 - index(L)]
}
recipe Weighed(moe: Sparse, usage: [L = 3, E = 4]) -> same: Sparse {
  same.layers.moe.experts.down = moe.layers.moe.experts.down * usage
}
`;

export const IDS = [3, 1, 4, 1, 5, 9, 2, 6];

export function modelOf(name: string, text = SPEC): Program {
  return buildProgram(check("spec.moe", testHost({ "spec.moe": text })), { model: name });
}

/** Writes seeded parameters of a model under their paths. */
export function writeRandom(folder: string, file: string, program: Program, seed: number): void {
  const source = randomSource(program, seed);
  const tensors = program.params.flatMap((decl) => {
    const sizes = decl.axes.map(({ size }) => size.evaluate({}));
    const own = decl.axes.slice(decl.layerAxes).map(({ name }) => name);
    const pattern = program.weightNames["safetensors"]![decl.path]!.pattern;
    return Array.from({ length: decl.layerAxes === 0 ? 1 : sizes[0]! }, (_, layer) => ({
      name: pattern.replace("{i}", String(layer)),
      shape: sizes.slice(decl.layerAxes),
      type: "f32" as const,
      // Larger than the usual start, so that a mistake shows.
      data: () =>
        fromF32(
          "f32",
          source.read(decl.path, decl.layerAxes === 0 ? [] : [layer], own).map((x) => 10 * x),
        ),
    }));
  });
  writeFileSync(join(folder, file), writeSafetensors({ tensors }));
}

export function opened(path: string): Checkpoint {
  return openCheckpoint(memorySource(readFileSync(path), path));
}

/** Logits on the reference evaluator. */
export function logits(program: Program, path: string): Float64Array {
  const read = parameterReader(program, checkpointSource(program, opened(path)), unchanged);
  const tokens = makeTensor("i32", [{ name: "T", size: IDS.length }], Float64Array.from(IDS));
  const { outputs } = evaluate(program, "forward", { inputs: { tokens }, params: read });
  const [result] = Object.values(outputs);
  if (result?.kind !== "tensor") throw new Error("logits are a tensor");
  return result.data;
}

/** The greatest difference, beside the greatest value. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  let scale = 1e-30;
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i]! - b[i]!));
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return most / scale;
}
