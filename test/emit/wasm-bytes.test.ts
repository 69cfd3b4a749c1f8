/** Numbers of instructions, integers of variable length and locals, read back by another program. */
import binaryen from "binaryen";
import fc from "fast-check";
import v8 from "node:v8";
import { describe, expect, it } from "vitest";
import { ByteSink } from "../../compiler/5-emit/wasm/bytes.js";
import * as wasm from "../../compiler/5-emit/wasm/instructions.js";
import type { Ref, WasmType } from "../../compiler/5-emit/wasm/instructions.js";
import { WasmModule } from "../../compiler/5-emit/wasm/module.js";

// Node 20 hides relaxed SIMD behind a flag that may be set until the first module is compiled.
v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

const TYPES = [wasm.types.i32, wasm.types.f32, wasm.types.v128] as const;

function moduleOf(
  body: Ref,
  parameters: readonly WasmType[] = TYPES,
  locals: readonly WasmType[] = [],
  result: WasmType = wasm.types.none,
): Uint8Array {
  const module = new WasmModule();
  module.addFunction("f", parameters, result, { locals, body });
  module.exportFunction("f");
  return module.bytes(true);
}

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });

/** The function of a module, which gives an i32. */
function callable(bytes: Uint8Array): (...args: readonly number[]) => number {
  textOf(bytes);
  const module = new WebAssembly.Module(bytes as BufferSource);
  return (new WebAssembly.Instance(module, { env: { memory } }).exports as { f: () => number }).f;
}

/** What binaryen reads in it; it must be valid for both binaryen and the engine. */
function textOf(bytes: Uint8Array): string {
  expect(WebAssembly.validate(bytes as BufferSource)).toBe(true);
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.All);
    expect(module.validate()).toBe(1);
    return module.emitText();
  } finally {
    module.dispose();
  }
}

type Make = (...operands: readonly Ref[]) => Ref;

/** How many instructions an instruction takes, and with what besides. */
function makeOf(name: string, made: (...args: never[]) => Ref): readonly [operands: number, Make] {
  const make = made as (...args: unknown[]) => Ref;
  const sixteen = Array.from({ length: 16 }, (_, byte) => byte);
  if (name === "i32.const" || name === "f32.const") return [0, () => make(5)];
  if (name === "v128.const") return [0, () => make(sixteen)];
  if (name === "i8x16.shuffle") return [2, (a, b) => make(a, b, sixteen)];
  if (name === "i32.atomic_rmw_add") return [2, (base, value) => make(8, base, value)];
  if (name.includes("extract_lane")) return [1, (vector) => make(vector, 1)];
  if (name.includes("replace_lane")) return [2, (vector, value) => make(vector, 1, value)];
  if (name.endsWith("_lane")) return [2, (base, value) => make(8, 1, 1, base, value)];
  if (name.includes(".store")) return [2, (base, value) => make(8, 1, base, value)];
  if (name.includes(".load")) return [1, (base) => make(8, 1, base)];
  return [make.length, make];
}

/** Names where ours are not those of the text format. */
const NAMES: Readonly<Record<string, string>> = {
  "i32.atomic_rmw_add": "i32.atomic.rmw.add",
  "relaxed.madd": "f32x4.relaxed_madd",
  "relaxed.select32": "i32x4.relaxed_laneselect",
  "relaxed.dotPairs": "i16x8.relaxed_dot_i8x16_i7x16_s",
  "relaxed.dotQuads": "i32x4.relaxed_dot_i8x16_i7x16_add_s",
};

/** All lists of so many types. */
const lists = (length: number): readonly (readonly number[])[] =>
  length === 0 ? [[]] : lists(length - 1).flatMap((rest) => TYPES.map((_, type) => [...rest, type]));

const { i32, f32, v128, i8x16, i16x8, i32x4, f32x4, relaxed } = wasm;
const instructions = Object.entries({ i32, f32, v128, i8x16, i16x8, i32x4, f32x4, relaxed }).flatMap(
  ([family, table]) =>
    Object.entries(table).map(([name, make]) => [`${family}.${name}`, make as (...args: never[]) => Ref] as const),
);

describe("instructions", () => {
  it.each(instructions)("%s is what its name says", (name, made) => {
    const [count, make] = makeOf(name, made);
    // The operands' types are those that the engine takes.
    const bodies = lists(count).flatMap((operands) => {
      const whole = make(...operands.map((type) => wasm.local.get(type)));
      return [whole, wasm.drop(whole)];
    });
    const taken = bodies.map((body) => moduleOf(body)).filter((bytes) => WebAssembly.validate(bytes as BufferSource));
    expect(taken).toHaveLength(1);
    const words = textOf(taken[0]!).match(/[a-z0-9]+\.[a-z0-9._]+/g)!;
    expect(words).toContain(NAMES[name] ?? name);
  });
});

describe("integers", () => {
  it("are read back, as constants and as offsets", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
        expect(callable(moduleOf(wasm.i32.const(value), [], [], wasm.types.i32))()).toBe(value);
      }),
      {
        numRuns: 30,
        examples: [[0], [63], [64], [-64], [-65], [127], [128], [8191], [8192], [-(2 ** 31)], [2 ** 31 - 1]],
      },
    );
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (offset) => {
        const text = textOf(moduleOf(wasm.drop(wasm.i32.load(offset, 4, wasm.local.get(0)))));
        expect(/i32\.load(?: offset=(\d+))?/.exec(text)?.[1] ?? "0").toBe(String(offset));
      }),
      { numRuns: 30, examples: [[0], [127], [128], [16383], [16384], [2 ** 32 - 1]] },
    );
  });

  it("grow the memory of what is written", () => {
    const sink = new ByteSink();
    const written = Array.from({ length: 5000 }, (_, index) => index % 251);
    for (const byte of written.slice(0, 2500)) sink.byte(byte);
    sink.raw(written.slice(2500));
    expect([...sink.taken()]).toEqual(written);
  });
});

describe("functions", () => {
  it("have locals of all types, numbered as they were made, and loops in branches", () => {
    const { types, local, i32 } = wasm;
    // Behind the parameters 0 and 1: a sum, a vector, a counter, a float.
    const locals = [types.i32, types.v128, types.i32, types.f32];
    const body = wasm.block([
      local.set(3, wasm.i32x4.splat(i32.const(3))),
      local.set(5, wasm.f32.const(0.5)),
      wasm.ifThen(
        i32.gt_s(local.get(0), i32.const(0)),
        wasm.loop(
          "outer",
          wasm.block([
            local.set(4, i32.const(0)),
            wasm.loop(
              "inner",
              wasm.block([
                local.set(2, i32.add(local.get(2), wasm.i32x4.extract_lane(local.get(3), 2))),
                local.set(4, i32.add(local.get(4), i32.const(1))),
                // Out of the inner loop, in the second branch of an `if`.
                wasm.ifThen(
                  i32.eq(local.get(4), i32.const(2)),
                  local.set(0, i32.sub(local.get(0), i32.const(1))),
                  wasm.br_if("inner", i32.lt_s(local.get(4), i32.const(2))),
                ),
              ]),
            ),
            wasm.br_if("outer", local.get(0)),
          ]),
        ),
      ),
      wasm.select(wasm.f32.lt(local.get(5), local.get(1)), local.get(2), i32.const(-1)),
    ]);
    const f = callable(moduleOf(body, [types.i32, types.f32], locals, types.i32));
    // Twice 3 for each turn of the outer loop.
    expect(f(5, 1)).toBe(30);
    expect(f(0, 1)).toBe(0);
    expect(f(5, 0.25)).toBe(-1);
  });
});
