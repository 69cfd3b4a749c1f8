/** Stacks whose layers differ: what they compute is what the same layers compute one by one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { periodsOf } from "../../compiler/1-check/elaborate/periods.js";
import { buildProgram, evaluate, StateStore } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { checkpointSource } from "../../compiler/6-bundle/parameters.js";
import type { Checkpoint, TensorInfo } from "../../compiler/checkpoints/types.js";
import { wasmRelaxed } from "../../compiler/targets/index.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { testHost } from "../check/host.js";
import { compare, numbers } from "./compare.js";
import { fixedAxes } from "./machine.js";

/** Layers of three kinds: numbers of its own, a cache, experts. All have parameters that the file knows by number. */
const kinds = {
  A: { call: "Gate[D]", params: ["w"] },
  B: { call: "Kept[D]", params: ["u"] },
  C: {
    call: "Sparse[D, F, E]",
    params: ["moe.route.w", "moe.experts.gate", "moe.experts.up", "moe.experts.down"],
  },
} as const;
type Kind = keyof typeof kinds;

const blocks = `import { MoE } from "std"

block Gate[D] {
  param w: [D]
  (x: [T, D]) => x + tanh(x * w)
}

block Kept[D] {
  param u: [D]
  state seen: cache[T, D]
  (x: [T, D]) => {
    let all = append(seen, x * u, as: S)
    x * 0.5 + max(all, over: S)
  }
}

block Sparse[D, F, E] {
  use moe = MoE[D, F, E](k: 2)
  (x: [T, D]) => x + moe(x)
}
`;
const head = "model M[D = 6, F = 4, E = 3]";
const seam = "\n  forward(x: [T, D]) => ";

/** The layers as one stack; which kind a layer is, is asked by its number. */
function stacked(layers: readonly Kind[]): string {
  const last = layers.at(-1)!;
  const choice = layers
    .slice(0, -1)
    .map((kind, number) => `if l == ${number} then ${kinds[kind].call} else `)
    .join("");
  const names = [...new Set(layers)].flatMap((kind) =>
    kinds[kind].params.map((path) => `    layers[i].${path}: "${path}.{i}"`),
  );
  return `${blocks}\n${head} {
  stack layers = l in 0..${layers.length} of ${choice}${kinds[last].call}${seam}layers(x)
  weights safetensors {\n${names.join("\n")}\n  }\n}\n`;
}

/** The same layers, each with a name of its own. */
function written(layers: readonly Kind[]): string {
  const members = layers.map((kind, number) => `  use l${number} = ${kinds[kind].call}`);
  const call = layers.reduce((inner, _, number) => `l${number}(${inner})`, "x");
  const names = layers.flatMap((kind, number) =>
    kinds[kind].params.map((path) => `    l${number}.${path}: "${path}.${number}"`),
  );
  return `${blocks}\n${head} {\n${members.join("\n")}${seam}${call}
  weights safetensors {\n${names.join("\n")}\n  }\n}\n`;
}

function program(text: string): Program {
  const project = check("m.moe", testHost({ "m.moe": text }));
  expect(project.diagnostics).toEqual([]);
  return buildProgram(project);
}

/** `w.3` and `w.{i}` without what tells the layers apart. */
const withoutNumber = (name: string): string => name.slice(0, name.lastIndexOf("."));

/** A file that has every tensor that is asked for, of the shape that the program wants, with numbers by its name. */
function checkpointOf(one: Program): Checkpoint {
  const shapes = new Map(
    one.params.flatMap(({ path, axes, layerAxes }) => {
      const shape = axes.slice(layerAxes).map(({ size }) => size.constant!);
      const { pattern } = one.weightNames["safetensors"]![path]!;
      return [[withoutNumber(pattern), shape] as const];
    }),
  );
  const shapeOf = (name: string): readonly number[] => shapes.get(withoutNumber(name))!;
  const readF32 = (name: string): Float32Array => {
    const seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);
    const count = shapeOf(name).reduce((product, size) => product * size, 1);
    return Float32Array.from(numbers(seed, count));
  };
  const tensors = { get: (name: string) => ({ name, shape: shapeOf(name) }) as unknown as TensorInfo };
  return { format: "safetensors", tensors, readF32 } as unknown as Checkpoint;
}

/** All layers of a parameter, one behind the other, as `source` has them. */
function reader(one: Program, checkpoint: Checkpoint): (path: string) => number[] {
  const source = checkpointSource(one, checkpoint);
  return (path) => {
    const { axes, layerAxes } = one.params.find((param) => param.path === path)!;
    const names = axes.slice(layerAxes).map(({ name }) => name);
    if (layerAxes === 0) return [...source.read(path, [], names)];
    return Array.from({ length: axes[0]!.size.constant! }, (_, layer) => [...source.read(path, [layer], names)]).flat();
  };
}

/** A call, and one behind it that finds the caches filled. */
const calls = [
  { T: 3, past: 0 },
  { T: 1, past: 3 },
].map((sizes) => ({ inputs: { x: numbers(sizes.T, sizes.T * 6) }, sizes }));

function reference(one: Program, values: (path: string) => number[]): readonly number[] {
  const states = new StateStore();
  const params = (path: string): ReferenceTensor => ({
    kind: "tensor",
    dtype: "f32",
    axes: fixedAxes(one.params.find((param) => param.path === path)!),
    data: Float64Array.from(values(path)),
  });
  let last: readonly number[] = [];
  for (const { inputs, sizes } of calls) {
    const axes = [
      { name: "T", size: sizes.T },
      { name: "D", size: 6 },
    ];
    const x: ReferenceTensor = { kind: "tensor", dtype: "f32", axes, data: Float64Array.from(inputs.x) };
    const { outputs } = evaluate(one, "forward", { inputs: { x }, params, states });
    last = [...(outputs["result"] as ReferenceTensor).data];
  }
  return last;
}

const kind = fc.constantFrom<Kind>("A", "B", "C");
/** Any sequence, and sequences with stretches that repeat. */
const sequence = fc.oneof(
  fc.array(kind, { minLength: 1, maxLength: 8 }),
  fc
    .tuple(
      fc.array(kind, { maxLength: 2 }),
      fc.array(kind, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 2, max: 4 }),
    )
    .map(([first, period, turns]) => [...first, ...Array.from({ length: turns }, () => period).flat()]),
);

describe("stacks of layers that differ", () => {
  it("compute what the layers compute one by one", () => {
    fc.assert(
      fc.property(sequence, (layers) => {
        const [one, other] = [program(stacked(layers)), program(written(layers))];
        const values = reader(one, checkpointOf(one));
        const expected = reference(other, reader(other, checkpointOf(other)));
        expect(reference(one, values)).toEqual(expected);
        // A layer rounds a number about 20 times, and makes an error of its input at most about twice as large.
        const tolerance = 20 * 2 ** layers.length * 2 ** -24;
        compare(optimize(one), { calls, params: values, tolerance });
      }),
      { numRuns: 12, seed: 2026 },
    );
  });

  it("are as many bodies as there are kinds where the kinds take turns", () => {
    const bodies = (layers: string): readonly string[] =>
      program(stacked([...layers] as Kind[])).params.map(
        ({ path, axes, layerAxes }) => `${path} ${layerAxes === 1 ? axes[0]!.size.key : ""}`,
      );
    expect(bodies("ABABAB")).toEqual(["layers.0.w 3", "layers.1.u 3"]);
    expect(bodies("AAAABBB")).toEqual(["layers.0.w 4", "layers.4.u 3"]);
    expect(bodies("AABAABA")).toEqual(["layers.0.w 2", "layers.1.w 2", "layers.2.u 2", "layers.6.w 1"]);
  });
});

describe("traces", () => {
  const layersOf = (text: string): readonly string[] => {
    const { plan } = schedule(optimize(program(text)), wasmRelaxed, { limits: { T: 4, context: 8 } });
    return plan.entries[0]!.traces.flatMap(({ names = [] }) => names);
  };

  it("call layers by their numbers in the stack, whatever runs they make", () => {
    const numbered = (layers: string): readonly string[] => layersOf(stacked([...layers] as Kind[]));
    const name = (layer: number): string => `layers.${layer}.moe.experts`;
    expect(numbered("CCCC")).toEqual([0, 1, 2, 3].map(name));
    expect(numbered("ACACAC")).toEqual([1, 3, 5].map(name));
    expect(numbered("AACCCB")).toEqual([2, 3, 4].map(name));
    expect(numbered("ACCACCC").toSorted()).toEqual([1, 2, 4, 5, 6].map(name));
  });

  it("count in stacks of stacks, and name nothing outside of them", () => {
    const inner = `block Inner[D, F, E] {
  stack parts = 2 of Sparse[D, F, E]
  (x: [T, D]) => parts(x)
}`;
    expect(
      layersOf(`${blocks}\n${inner}\n${head} {\n  stack layers = 2 of Inner[D, F, E]${seam}layers(x)\n}\n`),
    ).toEqual(["0.parts.0", "0.parts.1", "1.parts.0", "1.parts.1"].map((place) => `layers.${place}.moe.experts`));
    expect(layersOf(`${blocks}\n${head} {\n  use one = Sparse[D, F, E]${seam}one(x)\n}\n`)).toEqual([]);
  });
});

describe("periods of a sequence", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 14 });

  it("give the sequence back, item by item", () => {
    fc.assert(
      fc.property(letters, (list) => {
        const back = periodsOf(list).flatMap(({ start, length, turns }) =>
          Array.from({ length: turns }, () => list.slice(start, start + length)).flat(),
        );
        expect(back).toEqual(list);
      }),
      { seed: 2026 },
    );
  });

  it("hold no more items than runs of equal ones, nor than the shortest period of all", () => {
    fc.assert(
      fc.property(letters, (list) => {
        const items = periodsOf(list).reduce((sum, { length }) => sum + length, 0);
        expect(items).toBeLessThanOrEqual(list.filter((item, at) => item !== list[at - 1]).length);
        const shortest = list.findIndex(
          (_, length) => length > 0 && list.every((item, at) => item === list[at % length]),
        );
        if (shortest > 0 && list.length % shortest === 0) expect(items).toBeLessThanOrEqual(shortest);
      }),
      { seed: 2026 },
    );
  });
});
