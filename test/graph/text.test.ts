import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { parseProgram, printProgram, verify } from "../../compiler/2-graph/index.js";
import type { Node, Program, Region, Value } from "../../compiler/2-graph/ir.js";
import type { AttrValue, Axis, ValueType } from "../../compiler/ops/types.js";
import { decoder } from "./decoder.js";

// Structure only: whatever has the form of a program comes back as it was, sensible or not.
const word = fc.constantFrom(
  "T",
  "D",
  "x",
  "layers.moe.gate",
  "true",
  "inf",
  "a'",
  "",
  "a b",
  'qu"ote',
  "é\n",
  "return",
);
const name = fc.oneof({ weight: 4, arbitrary: word }, fc.string({ maxLength: 6 }));
const sizeName = fc.constantFrom("T", "past", "D", "layers.n");
const size: fc.Arbitrary<Size> = fc.letrec<{ size: Size }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 3 },
    fc.nat(99).map((value) => Size.of(value)),
    sizeName.map((text) => Size.of(text)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.plus(b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.minus(b)),
    fc.tuple(tie("size"), fc.nat(5)).map(([a, b]) => a.times(Size.of(b))),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.min(b)),
    fc.tuple(tie("size"), fc.integer({ min: 1, max: 9 })).map(([a, b]) => a.ceilDividedBy(Size.of(b))),
  ),
})).size;
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-0, Infinity, -Infinity, NaN, 1e21, 1e-7));
const attrName = name.filter((text) => text !== "__proto__");
const attr: fc.Arbitrary<AttrValue> = fc.letrec<{ attr: AttrValue }>((tie) => ({
  attr: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    number,
    name,
    fc.boolean(),
    size,
    fc.array(tie("attr"), { maxLength: 3 }),
    fc.dictionary(attrName, tie("attr"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).attr;
const attrs = fc.dictionary(attrName, attr, { maxKeys: 4, noNullPrototype: true });
const axis: fc.Arbitrary<Axis> = fc.record({ name, size });
const axes = fc.array(
  fc.oneof(
    axis,
    sizeName.map((text) => ({ name: text, size: Size.of(text) })),
  ),
  { maxLength: 4 },
);
const dtype = fc.constantFrom("f32", "i32", "bool") satisfies fc.Arbitrary<string>;
const type: fc.Arbitrary<ValueType> = fc.oneof(
  fc.record({ kind: fc.constant("tensor" as const), dtype, axes }),
  fc.record({ kind: fc.constant("routes" as const), tokens: axes, experts: axis, slots: size }),
);
const id = fc.nat(999);
const value: fc.Arbitrary<Value> = fc.record({ id, type, name }, { requiredKeys: ["id", "type"] });
const span = fc.record({ file: name, start: fc.nat(), end: fc.nat() });

const region: fc.Arbitrary<Region> = fc.letrec<{ region: Region; node: Node }>((tie) => ({
  region: fc.record({
    params: fc.array(value, { maxLength: 3 }),
    nodes: fc.oneof(
      { maxDepth: 3, depthIdentifier: "region" },
      fc.constant([]),
      fc.array(tie("node"), { maxLength: 3 }),
    ),
    results: fc.array(id, { maxLength: 3 }),
  }),
  node: fc.record(
    {
      op: name,
      operands: fc.array(id, { maxLength: 3 }),
      attrs,
      regions: fc.oneof(
        { maxDepth: 3, depthIdentifier: "region" },
        fc.constant([]),
        fc.array(tie("region"), { maxLength: 2 }),
      ),
      results: fc.array(value, { maxLength: 2 }),
      span,
    },
    { requiredKeys: ["op", "operands", "attrs", "regions", "results"] },
  ),
})).region;

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const layerAxes = fc.nat(4);
const program: fc.Arbitrary<Program> = fc.record({
  name,
  params: fc.array(
    fc.record(
      {
        path: name,
        dtype,
        axes,
        layerAxes,
        contracted: name,
        contractedAxes: fc.array(name, { maxLength: 2 }),
        formats: fc.array(name, { maxLength: 2 }),
        storage: fc.constantFrom("f32" as const, "q4_0" as const),
        init: fc.oneof(
          fc.record({ kind: fc.constant("normal" as const), deviation: finite }),
          fc.record({ kind: fc.constant("constant" as const), value: finite }),
        ),
        span,
      },
      { requiredKeys: ["path", "dtype", "axes", "layerAxes"] },
    ),
    { maxLength: 3 },
  ),
  states: fc.array(
    fc.record({
      path: name,
      kind: fc.constantFrom("fixed" as const, "cache" as const),
      dtype,
      axes,
      layerAxes,
      init: number,
    }),
    { maxLength: 2 },
  ),
  knobs: fc.array(
    fc.record(
      { path: name, dtype, axes, layerAxes, init: number, range: fc.tuple(number, number) },
      { requiredKeys: ["path", "dtype", "axes", "layerAxes", "init"] },
    ),
    { maxLength: 2 },
  ),
  runtimeSizes: fc.array(name, { maxLength: 3 }),
  entries: fc.array(
    fc.record({
      name,
      inputs: fc.array(name, { maxLength: 3 }),
      outputs: fc.array(name, { maxLength: 3 }),
      body: region,
    }),
    { maxLength: 2 },
  ),
  weightNames: fc.dictionary(
    attrName,
    fc.dictionary(
      attrName,
      fc.record(
        { pattern: name, axes: fc.array(name, { maxLength: 3 }), interleaved: fc.boolean() },
        { requiredKeys: ["pattern"] },
      ),
      { maxKeys: 2, noNullPrototype: true },
    ),
    { maxKeys: 2, noNullPrototype: true },
  ),
  // What JSON keeps: -0 is 0 there.
  settings: fc
    .dictionary(attrName, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2, noNullPrototype: true })
    .map((settings) => JSON.parse(JSON.stringify(settings)) as Record<string, unknown>),
});

describe("the text form", () => {
  it("comes back as the same program", () => {
    fc.assert(
      fc.property(program, (given) => {
        const text = printProgram(given, { spans: true });
        expect(parseProgram(text)).toEqual(given);
        expect(printProgram(parseProgram(text), { spans: true })).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("of a model comes back, is well formed, and reads like this", () => {
    const given = decoder();
    expect(parseProgram(printProgram(given))).toEqual(given);
    expect(verify(parseProgram(printProgram(given)))).toEqual([]);
    expect(printProgram(given)).toMatchSnapshot();
  });

  it("refuses everything else with a code", () => {
    const text = printProgram(decoder());
    const mutated = fc
      .tuple(fc.nat(text.length), fc.nat(30), fc.constantFrom("", "%", "{", "]", '"', "<", "1e999", "((((", "\u0000"))
      .map(([at, drop, put]) => text.slice(0, at) + put + text.slice(at + drop));
    const attempt = (given: string): void => {
      try {
        parseProgram(given);
      } catch (error) {
        expect(error).toBeInstanceOf(MoecError);
        expect((error as MoecError).code).toBe("MOE2077");
      }
    };
    fc.assert(fc.property(fc.oneof(fc.string(), mutated), attempt), { numRuns: 500 });
    for (const open of ["(", "[", "{a: ", "[["]) {
      attempt(`program p { sizes T param w: f32 {a: ${open.repeat(50_000)}`);
      attempt(`program p { sizes T param w: f32[D=${"(".repeat(50_000)}`);
    }
    expect(() => parseProgram("program p { sizes T } more")).toThrow(/the end/);
    expect(() => parseProgram("program p { sizes T nonsense }")).toThrow(/line 1 of the graph/);
  });
});
