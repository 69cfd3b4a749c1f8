/**
 * Recurrences with their rows: a `scan`, a `fold` whose turns put their row into all rows, and a plain loop over f64 give
 * the same, on the reference, the interpreter and WebAssembly.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { collectNodes } from "../../compiler/2-graph/walk.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { testHost } from "../check/host.js";
import { close, compare, numbers } from "./compare.js";

const [A, B] = [3, 5];

/** What a term may name at one entry of the state in one turn; all of it in -1..1. */
interface Names {
  readonly s: number;
  readonly x: number;
  readonly w: number;
  readonly g: number;
  readonly n: number;
}

/** A term as text of a spec and as a function, with values in -1..1. */
interface Term {
  readonly text: string;
  readonly at: (names: Names) => number;
}

const leaves: readonly Term[] = [
  { text: "s", at: ({ s }) => s },
  { text: "x[T: t]", at: ({ x }) => x },
  { text: "w[T: t]", at: ({ w }) => w },
  { text: "g[T: t]", at: ({ g }) => g },
  { text: "float(t) / 16", at: ({ n }) => n / 16 },
];

const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(...leaves),
    fc.tuple(tie("term"), tie("term")).map(([a, b]) => ({
      text: `(${a.text} + ${b.text}) / 2`,
      at: (names: Names) => (a.at(names) + b.at(names)) / 2,
    })),
    fc
      .tuple(tie("term"), tie("term"))
      .map(([a, b]) => ({ text: `(${a.text}) * (${b.text})`, at: (names: Names) => a.at(names) * b.at(names) })),
    tie("term").map((a) => ({ text: `tanh(${a.text})`, at: (names: Names) => Math.tanh(a.at(names)) })),
  ),
}));

interface Recurrence {
  readonly next: Term;
  readonly row: Term;
  /** A turn reads the row before its own. */
  readonly earlier: boolean;
  /** A turn walks over the entries of the state. */
  readonly nested: boolean;
  /** The form without `scan` has a start that is not zero, by which its rows differ. */
  readonly start: boolean;
}

const recurrences: fc.Arbitrary<Recurrence> = fc.record({
  next: term,
  row: term,
  earlier: fc.boolean(),
  nested: fc.boolean(),
  start: fc.boolean(),
});

const head = `model M[A = ${A}, B = ${B}] {
  forward(x: [T, A], w: [T, B], g: [T]) => {`;

/** What both forms do in a turn. `before` is the row before this one. */
function turn({ next, row, earlier, nested }: Recurrence, before: string): string {
  const inside = "let (_, inner) = scan(a in 0..A, z = 0.0) => (0.5 * z + 0.25 * next[A: a, B: 1], z)";
  return `
      let next = order(0.25 * tanh(${next.text}) + 0 * s, [A, B])
      ${nested ? inside : ""}
      let line = mean(next * w[T: t], over: B) + 0.5 * x[T: t]${earlier ? ` + 0.25 * ${before}` : ""}${nested ? " + inner" : ""}
      let all = order(${row.text} + 0 * s, [A, B])`;
}

function scanned(what: Recurrence): string {
  return `${head}
    let (last, _, line, all) = scan(t in 0..T, (s: [A, B] = 0.5, p: [A] = 0)) => {${turn(what, "p")}
      (next, line, line, all)
    }
    (line, all, last)
  }
}
`;
}

/** Rows of both spellings: put in place of what is there, and added to zeros. */
function folded(what: Recurrence): string {
  const start = what.start ? "x * 2" : "0";
  const own = what.start ? "rows + line - x[T: t] * 2" : "line";
  return `${head}
    let (last, line, all) = fold(t in 0..T, (s: [A, B] = 0.5, rows: [T, A] = ${start}, many: [T, A, B] = 0)) => {${turn(what, "rows[T: t - 1]")}
      (next, where(index(T) == t, ${own}, rows), many + where(index(T) == t, all, 0))
    }
    (line, all, last)
  }
}
`;
}

type Inputs = Readonly<Record<"x" | "w" | "g", readonly number[]>>;

function plain({ next, row, earlier, nested }: Recurrence, { x, w, g }: Inputs, T: number) {
  let s = Array.from({ length: A * B }, () => 0.5);
  let before = Array.from({ length: A }, () => 0);
  const line: number[] = [];
  const all: number[] = [];
  for (let n = 0; n < T; n++) {
    const names = s.map((own, i) => {
      const [a, b] = [Math.floor(i / B), i % B];
      return { s: own, x: x[n * A + a]!, w: w[n * B + b]!, g: g[n]!, n };
    });
    all.push(...names.map(row.at));
    s = names.map((each) => 0.25 * Math.tanh(next.at(each)));
    let z = 0;
    before = before.map((old, a) => {
      let sum = 0;
      for (let b = 0; b < B; b++) sum += s[a * B + b]! * w[n * B + b]!;
      const value = sum / B + 0.5 * x[n * A + a]! + (earlier ? 0.25 * old : 0) + (nested ? z : 0);
      z = 0.5 * z + 0.25 * s[a * B + 1]!;
      return value;
    });
    line.push(...before);
  }
  return { line, all, last: s };
}

function program(text: string): Program {
  const project = check("m.moe", testHost({ "m.moe": text }));
  expect(project.diagnostics, text).toEqual([]);
  return buildProgram(project);
}

const folds = (one: Program) => collectNodes(one.entries[0]!.body, ({ op }) => op === "fold");

/**
 * A term rounds at most 16 times and, of depth two, has at most four times the error of the state; a quarter of it goes to
 * the next turn, so that errors of 13 turns add up. Rows add a sum of five products and a quarter of the row before.
 */
const TOLERANCE = 13 * (16 * 4 + 16) * 2 ** -24;

const input = (T: number): Inputs => ({ x: numbers(T, T * A), w: numbers(T + 50, T * B), g: numbers(T + 99, T) });
const lengths = [5, 1, 0, 13, 7];
const options = { limits: { T: 16, context: 16 } };
const calls = lengths.map((T) => ({ inputs: input(T), sizes: { T } }));

describe("a recurrence with its rows", () => {
  it("is the plain loop, written as a scan and as a fold", () => {
    fc.assert(
      fc.property(recurrences, (what) => {
        const T = lengths.at(-1)!;
        for (const text of [scanned(what), folded(what)]) {
          const found = compare(optimize(program(text), { verify: true }), { calls, options, tolerance: TOLERANCE });
          for (const [index, values] of Object.values(plain(what, input(T), T)).entries()) {
            close(Object.values(found)[index]!, values, 2 ** -40, `${index} of ${text}`);
          }
        }
      }),
      { numRuns: 5, seed: 20261123 },
    );
  });

  it("is a fold with rows in the graph, whichever way it is written, where no turn reads other rows", () => {
    fc.assert(
      fc.property(recurrences, (what) => {
        const outer = ({ attrs }: { attrs: Record<string, unknown> }) => ({ carried: attrs.carried, rows: attrs.rows });
        const [scan] = folds(optimize(program(scanned(what)))).filter(({ attrs }) => attrs.rows === "T");
        expect(scan!.results.length).toBe(4);
        const [fold] = folds(optimize(program(folded(what)))).filter(({ attrs }) => attrs.rows === "T");
        // Rows that the next turn reads stay carried.
        expect(outer(fold!)).toEqual({ carried: what.earlier ? 2 : 1, rows: "T" });
        expect(fold!.results.length).toBe(3);
      }),
      { numRuns: 20, seed: 20261123 },
    );
  });
});
