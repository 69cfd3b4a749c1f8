/**
 * Every declaration of the library gives on wasm what the reference gives, on random sizes, settings and numbers of tokens,
 * 0 and 1 among them. Here one declaration in four is tried; `npm run test:stdlib` tries all of them several times.
 */
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { testHost } from "../check/host.js";
import { compare, numbers } from "../schedule/compare.js";
import { libraryDeclarations, type LibraryDeclaration } from "./wasm/declarations.js";
import { hints, type Hint } from "./wasm/hints.js";
import { Draw, drawModel } from "./wasm/model.js";
import { reasonOf } from "../../compiler/errors/reason.js";

const everything = process.env["MOEC_LIBRARY"] === "all";
const rounds = everything ? Number(process.env["MOEC_ROUNDS"] ?? 4) : 1;
/** One declaration in this many is tried when not all are. */
const SHARE = 4;

const root = "test/stdlib/sample.moe";

function programOf(text: string): Program {
  const project = check(root, testHost({ [root]: text }));
  const found = project.diagnostics.map(({ code, message }) => `${code} ${message}`);
  if (found.length > 0) throw new Error(`${found.join("\n")}\n${text}`);
  return buildProgram(project);
}

/** Numbers for every input: floats in -2..2, whole numbers in -1..4. */
function inputsOf(
  program: Program,
  entry: number,
  seed: number,
  sizes: Record<string, number>,
): Record<string, number[]> {
  const { inputs, body } = program.entries[entry]!;
  return Object.fromEntries(
    inputs.map((name, position) => {
      const { type } = body.params[position]!;
      if (type.kind !== "tensor") throw new Error("an entry takes no routes");
      const count = type.axes.reduce((product, { size }) => product * size.evaluate(sizes), 1);
      const values = numbers(seed + position, count).map((x) => Math.fround(x * 2));
      return [name, type.dtype === "i32" ? values.map((x) => Math.floor((x + 2) * 1.25) - (seed % 2)) : values];
    }),
  );
}

/** Parameters by their path, so that no two are alike; small whole numbers for codes and places. */
function paramsOf(program: Program): (path: string, count: number) => readonly number[] {
  return (path, count) => {
    const seed = [...path].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 65521, 7);
    const whole = program.params.find((param) => param.path === path)?.dtype === "i32";
    return numbers(seed, count).map((x) => (whole ? Math.floor((x + 1) * 2) : Math.fround(x * 0.5)));
  };
}

/** Two calls: with a cache the second goes on behind the first. */
function callsOf(program: Program, entry: number, hint: Hint, draw: Draw): Parameters<typeof compare>[1]["calls"] {
  let past = 0;
  return [0, 1].map(() => {
    const tokens = draw.of(hint.tokens ?? [0, 1, 2, 3, 7, 16, 31]);
    const sizes = { T: tokens, past };
    if (program.states.length > 0) past += tokens;
    return { inputs: inputsOf(program, entry, draw.between(0, 9999), sizes), sizes };
  });
}

function run(decl: LibraryDeclaration, hint: Hint, seed: number): void {
  const { text } = drawModel(decl, hint, seed);
  const program = programOf(text);
  for (const [index, entry] of program.entries.entries()) {
    try {
      compare(program, {
        entry: entry.name,
        calls: callsOf(program, index, hint, new Draw(seed + 71)),
        // Contractions of at most 64 terms of size 4, twice, through functions with slope at most 1, in f32:
        // 64 * 4 * 2 roundings of 2^-24 each, doubled for the polynomials of exp and log.
        tolerance: 64 * 4 * 2 * 2 * 2 ** -24,
        ...(process.env["MOEC_TARGET"] === undefined ? { runners: ["wasm"] as const } : {}),
        params: paramsOf(program),
      });
    } catch (cause) {
      throw new Error(`${reasonOf(cause)}\nseed ${String(seed)}\n${text}`, {
        cause,
      });
    }
  }
}

const declarations = libraryDeclarations();

test("hints name declarations that exist", () => {
  const names = new Set(declarations.map(({ name }) => name));
  expect(Object.keys(hints).filter((name) => !names.has(name))).toEqual([]);
});

describe.each(declarations.filter((_, position) => everything || position % SHARE === 0))("$file $name", (decl) => {
  const hint = hints[decl.name] ?? {};
  for (let round = 0; round < rounds; round++) {
    const seed = round * 101 + 7;
    if (hint.refused === undefined)
      test(`seed ${String(seed)}: wasm = reference`, () => {
        run(decl, hint, seed);
      });
    else
      test(`refused with ${hint.refused.join(": ")}`, () => {
        expect(() => {
          run(decl, hint, seed);
        }).toThrow(hint.refused![0]);
      });
  }
});
