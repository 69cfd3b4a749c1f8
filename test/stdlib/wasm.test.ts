/**
 * Every declaration of the library gives on wasm what the reference gives, on random sizes, settings and numbers of tokens,
 * 0 and 1 among them. Here one declaration in four is tried; `npm run test:stdlib` tries all of them several times.
 */
import { describe, expect, test } from "vitest";
import { compare } from "../schedule/compare.js";
import { comparisonsOf, failure } from "./wasm/calls.js";
import { libraryDeclarations, type LibraryDeclaration } from "./wasm/declarations.js";
import { hints } from "./wasm/hints.js";
import { recordRuns } from "./wasm/ran.js";

const everything = process.env["MOEC_LIBRARY"] === "all";
const rounds = everything ? Number(process.env["MOEC_ROUNDS"] ?? 4) : 1;
/** One declaration in this many is tried when not all are. */
const SHARE = 4;
/** Another target than wasm: `npm run test:stdlib:cuda`. */
const target = process.env["MOEC_TARGET"];
const record = recordRuns();

function run(decl: LibraryDeclaration, seed: number): void {
  const { text, comparisons } = comparisonsOf(decl, seed);
  for (const { program, what } of comparisons) {
    try {
      compare(program, {
        ...what,
        ...(target === undefined ? { runners: ["wasm"] as const } : {}),
      });
    } catch (cause) {
      throw failure(cause, seed, text);
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
      test(`seed ${String(seed)}: ${target ?? "wasm"} = reference`, () => {
        run(decl, seed);
        if (round === rounds - 1) record.add(decl);
      });
    else
      test(`refused with ${hint.refused.join(": ")}`, () => {
        expect(() => {
          run(decl, seed);
        }).toThrow(hint.refused![0]);
      });
  }
});
