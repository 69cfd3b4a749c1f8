/** Examples that name tensors: a tiny checkpoint under those names is read into the parameters, layer by layer. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { checkpointSource } from "../../compiler/6-bundle/index.js";
import { memorySource, openCheckpoint, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { seedOf } from "../schedule/inputs.js";
import { applications } from "./applications.js";
import { compareEntry, paramsOf } from "./run-small.js";

const host = diskHost(packageRoot);
const fileOf = (name: string): string => `examples/${name}/${name}.moe`;
const isNamed = (name: string): boolean =>
  /^ {2}weights safetensors \{/m.test(readFileSync(join(packageRoot, fileOf(name)), "utf8"));
const named = Object.entries(applications).filter(([name]) => isNamed(name));
const unnamed = Object.entries(applications).filter(([name]) => !isNamed(name));

/** Names and shapes as the releases have them, for the tiny sizes of `applications`. */
const RELEASED: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  "grok-1": {
    "model.layers.1.moe_block.experts.3.linear_v.weight": [6, 8],
    "model.layers.0.attn.k_proj.weight": [8, 8],
    "model.layers.1.post_moe_norm.scale": [8],
  },
  jamba: {
    "model.layers.0.mamba.in_proj.weight": [20, 8],
    "model.layers.3.mamba.A_log": [10, 3],
    "model.layers.4.self_attn.q_proj.weight": [16, 8],
    "model.layers.5.feed_forward.experts.2.down_proj.weight": [8, 6],
  },
  "nllb-moe": {
    "model.encoder.layers.3.ffn.experts.expert_2.fc1.weight": [6, 8],
    "model.decoder.layers.3.ffn.router.classifier.weight": [4, 8],
    "model.decoder.layers.2.cross_attention.out_proj.bias": [8],
  },
  "switch-transformer": {
    "decoder.block.1.layer.2.mlp.experts.expert_3.wo.weight": [8, 6],
    "decoder.block.0.layer.2.mlp.wi.weight": [6, 8],
  },
  "time-moe": {
    "lm_heads.2.out_layer.weight": [32, 8],
    "model.layers.1.ffn_layer.experts.0.down_proj.weight": [8, 5],
  },
};

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A number that says which entry of which parameter it is. */
function entryOf(path: string, layer: number, coordinates: Readonly<Record<string, number>>): number {
  const text = `${path} ${String(layer)} ${JSON.stringify(Object.entries(coordinates).sort())}`;
  return seedOf(text, { below: 16381 });
}

/** Values over axes in an order, of one layer and, where the file keeps them apart, of one expert. */
function entries(
  path: string,
  layer: number,
  axes: readonly { readonly name: string; readonly size: number }[],
  fixed: Readonly<Record<string, number>> = {},
): Float32Array {
  const count = axes.reduce((product, { size }) => product * size, 1);
  return Float32Array.from({ length: count }, (_, place) => {
    const coordinates: Record<string, number> = { ...fixed };
    let rest = place;
    for (const { name, size } of [...axes].reverse()) {
      coordinates[name] = rest % size;
      rest = Math.floor(rest / size);
    }
    return entryOf(path, layer, coordinates);
  });
}

const nameOf = (pattern: string, layer: number, expert: number): string =>
  pattern
    .replace(/\{i(?:\*(\d+))?(?:\+(\d+))?\}/g, (_, step: string | undefined, first: string | undefined) =>
      String(layer * Number(step ?? 1) + Number(first ?? 0)),
    )
    .replace("{e}", String(expert));

function parametersOf(program: Program) {
  return program.params.map((param) => {
    const axes = param.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
    const layers = axes.slice(0, param.layerAxes).reduce((product, { size }) => product * size, 1);
    return { path: param.path, own: axes.slice(param.layerAxes), layers, isStacked: param.layerAxes > 0 };
  });
}

const checkpointOf = (tensors: readonly Tensor[]) =>
  openCheckpoint(
    memorySource(
      writeSafetensors({
        tensors: tensors.map(({ name, shape, values }) => ({
          name,
          shape,
          type: "f32" as const,
          data: () => new Uint8Array(values.buffer),
        })),
      }),
    ),
  );

/** Every tensor that the names ask for; neighbouring axes behind the first are one, as files have them. */
function tensorsFor(program: Program): readonly Tensor[] {
  return parametersOf(program).flatMap(({ path, own, layers }) => {
    const source = program.weightNames["safetensors"]![path]!;
    const bank = source.pattern.includes("{e}") ? own[0]! : undefined;
    const order = (source.axes ?? own.map(({ name }) => name)).filter((name) => name !== bank?.name);
    const stored = order.map((name) => own.find((axis) => axis.name === name)!);
    return Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: bank?.size ?? 1 }, (_, expert) => ({
        name: nameOf(source.pattern, layer, expert),
        shape: stored.map(({ size }) => size),
        values: entries(path, layer, stored, bank ? { [bank.name]: expert } : {}),
      })),
    ).flat();
  });
}

describe.each(named)("%s", (name, { sizes }) => {
  const program = buildProgram(check(fileOf(name), host), { sizes });
  const tensors = tensorsFor(program);
  /** Numbers below each end of a row of axes: a shape with neighbours merged has some of them, and the last. */
  const ends = (shape: readonly number[]): readonly number[] =>
    shape.map((_, at) => shape.slice(0, at + 1).reduce((product, size) => product * size, 1));

  it("names every parameter, as its release does", () => {
    expect(new Set(tensors.map((tensor) => tensor.name)).size).toBe(tensors.length);
    for (const [tensor, shape] of Object.entries(RELEASED[name]!)) {
      const found = tensors.find((each) => each.name === tensor);
      expect(found, tensor).toBeDefined();
      expect(ends(found!.shape), tensor).toEqual(expect.arrayContaining([...ends(shape)]));
      expect(ends(found!.shape).at(-1), tensor).toBe(ends(shape).at(-1));
    }
  });

  it("reads them from a checkpoint into the right entries", () => {
    const source = checkpointSource(program, checkpointOf(tensors));
    for (const { path, own, layers, isStacked } of parametersOf(program))
      for (let layer = 0; layer < layers; layer++) {
        const axes = own.map((axis) => axis.name);
        const found = source.read(path, isStacked ? [layer] : [], axes);
        expect([...found], `${path} ${String(layer)}`).toEqual([...entries(path, layer, own)]);
      }
  });
});

/** Examples without names: their parameters' own paths, with the number of the layer where a stack has one. */
describe.each(unnamed)("%s", (name, application) => {
  const program = buildProgram(check(fileOf(name), host), { sizes: application.sizes });
  const valueOf = paramsOf(application);
  const whole = (path: string): Float32Array => {
    const { own, layers } = parametersOf(program).find((param) => param.path === path)!;
    return Float32Array.from(
      valueOf(
        path,
        own.reduce((product, { size }) => product * size, layers),
      ),
    );
  };
  const tensors = parametersOf(program).flatMap(({ path, own, layers }): readonly Tensor[] => {
    const { pattern } = program.weightNames["safetensors"]![path]!;
    const values = whole(path);
    const length = values.length / layers;
    return Array.from({ length: layers }, (_, layer) => ({
      name: nameOf(pattern, layer, 0),
      shape: own.map(({ size }) => size),
      values: values.slice(layer * length, (layer + 1) * length),
    }));
  });

  it("calls its tensors by their paths", () => {
    const plain = (text: string): string => text.replace(/\.\d+(?=\.)/g, "");
    expect(new Set(tensors.map((tensor) => tensor.name)).size).toBe(tensors.length);
    expect(new Set(tensors.map((tensor) => plain(tensor.name)))).toEqual(
      new Set(program.params.map(({ path }) => plain(path))),
    );
    expect(Object.keys(program.weightNames)).toEqual(["safetensors"]);
  });

  const source = checkpointSource(program, checkpointOf(tensors));
  const fromFile = (path: string): readonly number[] => {
    const { own, layers, isStacked } = parametersOf(program).find((param) => param.path === path)!;
    const axes = own.map((axis) => axis.name);
    return Array.from({ length: layers }, (_, layer) => [...source.read(path, isStacked ? [layer] : [], axes)]).flat();
  };

  it("reads every number where it was written", () => {
    for (const { path } of program.params) expect(fromFile(path), path).toEqual([...whole(path)]);
  });

  it.each(program.entries.map((entry, index) => [entry.name, index] as const))(
    "%s: wasm = reference, from the file",
    (_, index) => {
      const outputs = Object.values(compareEntry(program, index, application, fromFile)).flat();
      expect(outputs.every(Number.isFinite)).toBe(true);
    },
  );

  it("says which tensor is missing or has another shape", () => {
    const [first, ...rest] = tensors;
    const path = program.params[0]!.path;
    const axes = program.params[0]!.axes.map((axis) => axis.name);
    const read = (list: readonly Tensor[]) => () => checkpointSource(program, checkpointOf(list)).read(path, [], axes);
    expect(read(rest)).toThrow(expect.objectContaining({ code: "MOE5327" }));
    const longer = { ...first!, shape: [first!.values.length + 1], values: new Float32Array(first!.values.length + 1) };
    expect(read([longer, ...rest])).toThrow(expect.objectContaining({ code: "MOE5327" }));
  });
});
