/**
 * The mask analysis of the optimizer as code of a kernel: which blocks of keys the queries from one position to another
 * may see at all, and whether a block is empty or full for them.
 */
import type { Size } from "../../axes/size.js";
import {
  blockTruth,
  keysOfQueries,
  maskIntervals,
  type BlockTruth,
  type MaskAnalysis,
  type Range,
  type TruthArithmetic,
} from "../../3-optimize/index.js";
import type { Region } from "../../2-graph/ir.js";
import { add, and, compare, constant, div, max, min, mul, or, select, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { bool } from "../kernel-types.js";
import type { Emitter } from "./emitter.js";

/** Positions from `low` to `high`, both included. */
export type Positions = Range<Expression>;

/** Blocks of keys from number `from` up to, but without, number `to`. */
export interface BlockSpan {
  readonly from: Expression;
  readonly to: Expression;
}

/** A list of every pair: what a mask is that the analysis cannot read. */
const unread: MaskAnalysis = {
  predicate: { kind: "constant", value: true },
  intervals: [{ from: [], to: [], when: [] }],
  exact: false,
  monotone: true,
};

export class BlockMask {
  private readonly analysis: MaskAnalysis;
  private readonly read: boolean;

  /** @param region The mask of an `attend`; everything is allowed without one. */
  constructor(region: Region | undefined) {
    const analysis = region && maskIntervals(region);
    this.analysis = analysis ?? unread;
    this.read = region === undefined || analysis !== undefined;
  }

  /** Numbers of the blocks of `width` keys that hold every key which one of the queries may see; they may overlap. */
  spans(emitter: Emitter, queries: Positions, keys: Size, width: number): readonly BlockSpan[] {
    const { builder } = emitter;
    const count = emitter.size(keys);
    const arithmetic = kernelArithmetic(emitter);
    return this.analysis.intervals.map((interval) => {
      const { from, to } = keysOfQueries(interval, queries, count, arithmetic, select);
      const first = builder.let("from_block", div(from, width));
      return { from: first, to: builder.let("to_block", div(add(max(to, 0), width - 1), width)) };
    });
  }

  /** Whether the pairs of these queries and keys are surely all forbidden or surely all allowed. */
  truth(emitter: Emitter, queries: Positions, keys: Positions): BlockTruth<Expression> {
    const no = constant(0, bool);
    if (!this.read) return { empty: no, full: no };
    return blockTruth(this.analysis.predicate, queries, keys, kernelArithmetic(emitter));
  }
}

/** i32 registers; positions and their sums stay far below 2^31. */
function kernelArithmetic(emitter: Emitter): TruthArithmetic<Expression, Expression> {
  const keep = (value: Expression): Expression => emitter.builder.let("bound", value);
  return {
    size: (value) => {
      const exact = emitter.size(value);
      return { low: exact, high: exact };
    },
    number: (value) => constant(value),
    add: (a, b) => keep(add(a, b)),
    times: (a, factor) => keep(mul(a, factor)),
    min: (a, b) => keep(min(a, b)),
    max: (a, b) => keep(max(a, b)),
    floorDivide: (a, by) => {
      const [above, below] = by > 0 ? [a, by] : [mul(a, -1), -by];
      // `div` goes toward zero, so numbers below zero are moved away from it first.
      return keep(div(sub(above, select(compare("lt", above, 0), constant(below - 1), constant(0))), below));
    },
    truncDivide: (a, by) => keep(div(a, by)),
    whenEqual: (a, b, yes, no) => keep(select(compare("eq", a, b), yes, no)),
    truth: (value) => constant(value ? 1 : 0, bool),
    atMostZero: (value) => compare("le", value, 0),
    above: (value) => compare("gt", value, 0),
    and,
    or,
  };
}
