import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { getOp, type OpName } from "../../compiler/ops/index.js";
import { OpTypeError, type Attrs, type OpCall, type RoutesType, type ValueType } from "../../compiler/ops/types.js";
import { tensorOf } from "./support.js";

const size = (value: number | string): Size => Size.of(value);
const x = tensorOf("f32", "T", "D=4");
const ids = tensorOf("i32", "T");
const scores = tensorOf("f32", "T", "E=8");
const routes: RoutesType = {
  kind: "routes",
  tokens: [{ name: "T", size: size("T") }],
  experts: { name: "E", size: size(8) },
  slots: size(2),
};
const route = {
  choice: "top",
  k: size(2),
  experts: "E",
  hasBy: false,
  hasWhere: false,
  renormalize: false,
  epsilon: 0,
};
const attend = {
  queryAxis: "T",
  keyAxis: "S",
  contracted: "D",
  valueAxis: "D",
  scale: 1,
  queryOffset: size(0),
  hasMask: false,
  hasSinks: false,
  hasKeep: false,
};
const keys = tensorOf("f32", "S", "D=4");
const bank = (experts: number, params: number) => ({
  banks: [{ experts: size(experts), params }],
  captures: 0,
  weigh: "output",
});
const body = (params: ValueType[], ...results: ValueType[]) => ({ params, results });
const one = tensorOf("f32", "D=4");
const states = {
  declared: { param: () => undefined, knob: () => undefined, state: () => ({ kind: "cache" as const, type: x }) },
};

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly op: OpName;
  readonly operands: readonly ValueType[];
  readonly attrs?: Attrs;
  readonly operand?: number;
  readonly axis?: string;
  readonly more?: Partial<OpCall>;
}

const refusals: readonly Refusal[] = [
  { what: "too few operands", code: "MOE2040", op: "add", operands: [x] },
  { what: "too many operands", code: "MOE2040", op: "neg", operands: [x, x] },
  {
    what: "one axis with two sizes",
    code: "MOE2041",
    op: "add",
    operands: [x, tensorOf("f32", "D=5")],
    operand: 1,
    axis: "D",
  },
  {
    what: "a symbolic and a known size",
    code: "MOE2041",
    op: "mul",
    operands: [x, tensorOf("f32", "T=4")],
    operand: 1,
    axis: "T",
  },
  {
    what: "sizes that differ along the summed axis",
    code: "MOE2041",
    op: "contract",
    operands: [x, tensorOf("f32", "D=3", "F=2")],
    attrs: { over: ["D"] },
    operand: 1,
    axis: "D",
  },
  {
    what: "an axis that is not there",
    code: "MOE2042",
    op: "softmax",
    operands: [x],
    attrs: { over: "E" },
    operand: 0,
    axis: "E",
  },
  {
    what: "no axis to sum in the second operand",
    code: "MOE2042",
    op: "contract",
    operands: [x, tensorOf("f32", "F=2")],
    attrs: { over: ["D"] },
    operand: 1,
    axis: "D",
  },
  { what: "integers for exp", code: "MOE2043", op: "exp", operands: [ids], operand: 0 },
  { what: "numbers for and", code: "MOE2043", op: "and", operands: [x, x], operand: 0 },
  { what: "two dtypes", code: "MOE2044", op: "add", operands: [x, ids], operand: 1 },
  {
    what: "two dtypes to choose from",
    code: "MOE2044",
    op: "where",
    operands: [tensorOf("bool", "T"), x, ids],
    operand: 2,
  },
  {
    what: "a rename onto another axis",
    code: "MOE2045",
    op: "rename",
    operands: [x],
    attrs: { from: "T", to: "D" },
    operand: 0,
    axis: "D",
  },
  {
    what: "an axis listed twice",
    code: "MOE2045",
    op: "reduce",
    operands: [x],
    attrs: { kind: "sum", over: ["D", "D"] },
    axis: "D",
  },
  {
    what: "more than there are",
    code: "MOE2046",
    op: "top",
    operands: [x],
    attrs: { over: "D", k: size(5), as: "K" },
    operand: 0,
    axis: "D",
  },
  {
    what: "more experts than there are",
    code: "MOE2046",
    op: "route",
    operands: [scores],
    attrs: { ...route, k: size(9) },
    operand: 0,
    axis: "E",
  },
  {
    what: "parts that do not multiply",
    code: "MOE2047",
    op: "split",
    operands: [x],
    attrs: {
      axis: "D",
      into: [
        { name: "H", size: size(3) },
        { name: "C", size: size(2) },
      ],
    },
    operand: 0,
    axis: "D",
  },
  { what: "routes where a tensor belongs", code: "MOE2048", op: "exp", operands: [routes], operand: 0 },
  { what: "a tensor where routes belong", code: "MOE2048", op: "routes_dense", operands: [x], operand: 0 },
  {
    what: "a slice beyond the end",
    code: "MOE2049",
    op: "slice",
    operands: [x],
    attrs: { axis: "D", from: size(2), to: size(5) },
    operand: 0,
    axis: "D",
  },
  {
    what: "a slice that ends before it begins",
    code: "MOE2049",
    op: "slice",
    operands: [x],
    attrs: { axis: "D", from: size(3), to: size(2) },
    operand: 0,
    axis: "D",
  },
  {
    what: "parts with other axes",
    code: "MOE2050",
    op: "concat",
    operands: [x, tensorOf("f32", "S", "D=4")],
    attrs: { axis: "D" },
    operand: 1,
    axis: "S",
  },
  {
    what: "keys with an axis that queries lack",
    code: "MOE2050",
    op: "attend",
    operands: [x, tensorOf("f32", "S", "H=2", "D=4"), keys],
    attrs: attend,
    operand: 1,
    axis: "H",
  },
  {
    what: "a factor along a strange axis",
    code: "MOE2050",
    op: "routes_scale",
    operands: [routes, one],
    operand: 1,
    axis: "D",
  },
  { what: "a negative count", code: "MOE2051", op: "top", operands: [x], attrs: { over: "D", k: size(-1), as: "K" } },
  { what: "an attribute of another form", code: "MOE2052", op: "softmax", operands: [x], attrs: { over: 3 } },
  { what: "no attribute", code: "MOE2052", op: "top", operands: [x], attrs: { over: "D", as: "K" } },
  {
    what: "a choice that does not exist",
    code: "MOE2052",
    op: "route",
    operands: [scores],
    attrs: { ...route, choice: "best" },
  },
  {
    what: "where without a condition",
    code: "MOE2052",
    op: "route",
    operands: [scores],
    attrs: { ...route, choice: "where" },
  },
  { what: "an order that leaves axes out", code: "MOE2052", op: "order", operands: [x], attrs: { axes: ["D"] } },
  {
    what: "a seed of 33 bits",
    code: "MOE2052",
    op: "random",
    operands: [],
    attrs: { kind: "uniform", axes: [], seed: 2 ** 32 },
  },
  { what: "a half for an integer", code: "MOE2052", op: "constant", operands: [], attrs: { value: 0.5, dtype: "i32" } },
  {
    what: "groups that do not divide",
    code: "MOE2053",
    op: "route",
    operands: [scores],
    attrs: { ...route, choice: "within", k: size(3), groups: size(3) },
    operand: 0,
    axis: "E",
  },
  {
    what: "a body of another signature",
    code: "MOE2054",
    op: "fold",
    operands: [one],
    attrs: { from: size(0), to: size(2), carried: 1 },
    more: { regions: [body([one], one)] },
  },
  { what: "no body", code: "MOE2054", op: "mixture", operands: [x, routes], attrs: bank(8, 0) },
  {
    what: "a carried value of another type",
    code: "MOE2055",
    op: "fold",
    operands: [one],
    attrs: { from: size(0), to: size(2), carried: 1 },
    operand: 0,
    more: { regions: [body([tensorOf("i32"), one], tensorOf("f32"))] },
  },
  {
    what: "rows that have the axis of the turns",
    code: "MOE2045",
    op: "fold",
    operands: [one],
    attrs: { from: size(0), to: size(2), carried: 1, rows: "T" },
    axis: "T",
    more: {
      regions: [{ params: [tensorOf("i32"), one], results: [one, x] }],
    },
  },
  {
    what: "a fold with rows that gives none",
    code: "MOE2054",
    op: "fold",
    operands: [one],
    attrs: { from: size(0), to: size(2), carried: 1, rows: "T" },
    more: { regions: [body([tensorOf("i32"), one], one)] },
  },
  {
    what: "rows that are routes",
    code: "MOE2048",
    op: "fold",
    operands: [one],
    attrs: { from: size(0), to: size(2), carried: 1, rows: "T" },
    more: { regions: [{ params: [tensorOf("i32"), one], results: [one, routes] }] },
  },
  {
    what: "a mask that gives numbers",
    code: "MOE2055",
    op: "attend",
    operands: [x, keys, keys],
    attrs: { ...attend, hasMask: true },
    more: { regions: [body([tensorOf("i32"), tensorOf("i32")], tensorOf("f32"))] },
  },
  {
    what: "banks of another number of experts",
    code: "MOE2056",
    op: "mixture",
    operands: [x, routes],
    attrs: bank(7, 0),
    operand: 1,
    more: { regions: [body([one], one)] },
  },
  { what: "a parameter without a declaration", code: "MOE2058", op: "param", operands: [], attrs: { path: "w" } },
  {
    what: "reading a cache like a state",
    code: "MOE2058",
    op: "state_read",
    operands: [],
    attrs: { state: "s" },
    more: states,
  },
  {
    what: "rows that do not fit the cache",
    code: "MOE2059",
    op: "append",
    operands: [tensorOf("f32", "T", "D=5")],
    attrs: { state: "s", axis: "T", as: "S" },
    operand: 0,
    more: states,
  },
  {
    what: "a cache that grows inside",
    code: "MOE2060",
    op: "append",
    operands: [tensorOf("f32", "D=4", "T")],
    attrs: { state: "s", axis: "T", as: "S" },
    operand: 0,
    axis: "T",
    more: states,
  },
  {
    what: "a key with an axis that is drawn",
    code: "MOE2045",
    op: "random",
    operands: [ids],
    attrs: { kind: "uniform", axes: [{ name: "T", size: Size.of(3) }], seed: 1 },
    axis: "T",
  },
];

describe("type rules refuse", () => {
  for (const { what, code, op, operands, attrs = {}, operand, axis, more } of refusals) {
    it(`${what} (${op}): ${code}`, () => {
      let error: unknown;
      try {
        getOp(op)!.type({ operands, attrs, regions: [], ...more });
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(OpTypeError);
      const found = error as OpTypeError;
      expect({ code: found.code, operand: found.operand, axis: found.axis }).toEqual({ code, operand, axis });
      expect(found.slots.op).toBe(op);
    });
  }

  it("and allow what only a run can tell", () => {
    const top = getOp("top")!.type({ operands: [x], attrs: { over: "T", k: size(16), as: "K" }, regions: [] });
    expect(top[0]).toEqual(tensorOf("f32", "K=16", "D=4"));
    const cut = getOp("slice")!.type({ operands: [x], attrs: { axis: "T", from: size(0), to: size(16) }, regions: [] });
    expect(cut[0]).toEqual(tensorOf("f32", "T=16", "D=4"));
  });
});
