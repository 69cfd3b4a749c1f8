/** Programs of the library's declarations with numbers for everything, to be compared with the reference. */
import { check } from "../../../compiler/1-check/index.js";
import { buildProgram } from "../../../compiler/2-graph/index.js";
import type { Program } from "../../../compiler/2-graph/ir.js";
import { testHost } from "../../check/host.js";
import { reasonOf } from "../../../compiler/errors/reason.js";
import { numbers, type CompareOptions } from "../../schedule/compare.js";
import { entryInputs, seedOf } from "../../schedule/inputs.js";
import type { LibraryDeclaration } from "./declarations.js";
import { hints, type Hint } from "./hints.js";
import { Draw, drawModel } from "./model.js";

const root = "test/stdlib/sample.moe";

function programOf(text: string): Program {
  const project = check(root, testHost({ [root]: text }));
  const found = project.diagnostics.map(({ code, message }) => `${code} ${message}`);
  if (found.length > 0) throw new Error(`${found.join("\n")}\n${text}`);
  return buildProgram(project);
}

/** Parameters by their path, so that no two are alike; small whole numbers for codes and places. */
function paramsOf(program: Program): (path: string, count: number) => readonly number[] {
  return (path, count) => {
    const whole = program.params.find((param) => param.path === path)?.dtype === "i32";
    return numbers(seedOf(path), count).map((x) => (whole ? Math.floor((x + 1) * 2) : Math.fround(x * 0.5)));
  };
}

/** Two calls: with a cache the second goes on behind the first. */
function callsOf(program: Program, entry: number, hint: Hint, draw: Draw): CompareOptions["calls"] {
  let past = 0;
  return [0, 1].map(() => {
    const tokens = draw.of(hint.tokens ?? [0, 1, 2, 3, 7, 16, 31]);
    const sizes = { T: tokens, past };
    if (program.states.length > 0) past += tokens;
    const seed = draw.between(0, 9999);
    // Floats in -2..2, whole numbers in -1..4.
    const inputs = entryInputs(program, entry, sizes, ({ position, count, dtype }) => {
      const values = numbers(seed + position, count).map((x) => Math.fround(x * 2));
      return dtype === "i32" ? values.map((x) => Math.floor((x + 2) * 1.25) - (seed % 2)) : values;
    });
    return { inputs, sizes };
  });
}

export interface Comparison {
  readonly program: Program;
  readonly what: CompareOptions;
}

/** The entries of a model that is drawn for a declaration, and its text. */
export function comparisonsOf(
  decl: LibraryDeclaration,
  seed: number,
): { readonly text: string; readonly comparisons: readonly Comparison[] } {
  const hint = hints[decl.name] ?? {};
  const { text } = drawModel(decl, hint, seed);
  const program = programOf(text);
  const comparisons = program.entries.map((entry, index) => ({
    program,
    what: {
      entry: entry.name,
      calls: callsOf(program, index, hint, new Draw(seed + 71)),
      // Contractions of at most 64 terms of size 4, twice, through functions with slope at most 1, in f32:
      // 64 * 4 * 2 roundings of 2^-24 each, doubled for the polynomials of exp and log.
      tolerance: 64 * 4 * 2 * 2 * 2 ** -24,
      params: paramsOf(program),
    },
  }));
  return { text, comparisons };
}

/** What went wrong, with what it takes to see it again. */
export function failure(cause: unknown, seed: number, text: string): Error {
  return new Error(`${reasonOf(cause)}\nseed ${String(seed)}\n${text}`, { cause });
}
