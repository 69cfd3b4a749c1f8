/** The entry of many texts: which programs have one, and that it gives each text the numbers that it has alone. */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import {
  buildProgram,
  evaluate,
  parseProgram,
  printProgram,
  StateStore,
  verify,
} from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { collectNodes } from "../../compiler/2-graph/walk.js";
import { deriveBatch, optimize } from "../../compiler/3-optimize/index.js";
import { repository, testHost } from "../check/host.js";
import { parameter, tokensOf } from "./tiny-model.js";

function built(
  spec: string,
  files: Readonly<Record<string, string>> = {},
  sizes: Readonly<Record<string, number>> = {},
) {
  const project = check(spec, testHost(files));
  expect(project.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return deriveBatch(optimize(buildProgram(project, { sizes })));
}

const hasBatch = (program: Program): boolean => program.entries.some(({ name }) => name === "forward.batch");

/** What runs for each text apart. */
function apart(program: Program): readonly string[] {
  const entry = program.entries.find(({ name }) => name === "forward.batch")!;
  const nodes = collectNodes(entry.body, ({ op }) => op === "each_text");
  return nodes.flatMap(({ regions }) => collectNodes(regions[0]!, () => true).map(({ op }) => op));
}

describe("decoders of examples/", () => {
  const names = ["mixtral", "deepseek-v2-lite", "lfm2-moe"];
  it.each(names)("%s: only caches, attention and positions run for each text", (name) => {
    const program = built(`examples/${name}/${name}.moe`);
    expect(verify(program)).toEqual([]);
    expect(printProgram(parseProgram(printProgram(program)))).toBe(printProgram(program));
    expect(apart(program)).toContain("append");
    for (const op of ["mixture", "route", "softmax", "reduce"]) expect(apart(program)).not.toContain(op);
  });

  it("models that go on with no text have no such entry", () => {
    const all = readdirSync(`${repository}/examples`).filter((name) => /encoder|v-moe|mmoe|splade/.test(name));
    expect(all.length).toBeGreaterThan(3);
    for (const name of all) expect(hasBatch(built(`examples/${name}/${name}.moe`)), name).toBe(false);
  });
});

const SIZES = { V: 16, L: 2, D: 16, H: 4, G: 2, C: 4, F: 8, E: 4 };

/** Each layer remembers a sum that fades; what it adds to a token is older than the token. */
const FADING = `
block Fading[D] {
  param gain: [D]
  state fade: [D] = 0
  (x: [T, D]) -> [T, D] => {
    let y = x * gain + fade
    fade = fade * 0.5 + sum(x, over: T)
    x + y * sigmoid(y)
  }
}

model Memory[V = 16, D = 8, L = 2] {
  param tok: [V, D]
  stack layers = L of Fading[D]
  forward(tokens: int[T]) -> [T, V] => layers(tok[V: tokens]) @ tok
}
`;

/** A loop over the tokens of a call that meets no state: of each text it has one turn. */
const COUNTING = FADING.replace(
  "let y =",
  "let (_, turn) = scan(t in 0..T, n = 0.0) => (n + 1, n)\n    let y = turn +",
);

describe("each text has the numbers that it has alone, bit by bit", () => {
  const cases = [
    { name: "tiny-moe", program: built("examples/tiny-moe/tiny-moe.moe", {}, SIZES) },
    { name: "states of fixed size", program: built("fading.moe", { "fading.moe": FADING }) },
    { name: "a loop over tokens", program: built("counting.moe", { "counting.moe": COUNTING }) },
    // Convolutions and memories in one layer: what is copied into a later round reads the states of an earlier one.
    ...["kimi-linear", "nemotron-h", "retnet"].map((name) => ({
      name,
      program: built(`test/samples/papers/${name}.moe`),
    })),
  ];
  /** For each text how many tokens it begins with, and then the rounds: which texts go on. */
  const session = fc.record({
    begins: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    rounds: fc.array(fc.subarray([0, 1, 2, 3]), { minLength: 1, maxLength: 5 }),
  });

  it.each(cases)("$name", ({ program }) => {
    const params = (path: string) => parameter(program, path);
    const call = (entry: string, ids: readonly number[], states: StateStore, texts: readonly StateStore[] = []) =>
      evaluate(program, entry, { inputs: { tokens: tokensOf(ids) }, params, states, texts }).outputs;
    fc.assert(
      fc.property(session, ({ begins, rounds }) => {
        const together = begins.map(() => new StateStore());
        const alone = begins.map(() => new StateStore());
        begins.forEach((count, text) => {
          const ids = Array.from({ length: count }, (_, i) => (text * 5 + i * 3) % 16);
          for (const store of [together[text]!, alone[text]!]) call("forward", ids, store);
        });
        rounds.forEach((going, turn) => {
          const ids = going.map((text) => (text * 7 + turn * 3) % 16);
          const all = call(
            "forward.batch",
            ids,
            new StateStore(),
            going.map((text) => together[text]!),
          );
          const rows = ids.map((id, row) => Object.values(call("forward", [id], alone[going[row]!]!))[0]!);
          const [found] = Object.values(all);
          expect(found?.kind === "tensor" && [...found.data]).toEqual(
            rows.flatMap((row) => (row.kind === "tensor" ? [...row.data] : [])),
          );
        });
      }),
      { numRuns: 8 },
    );
  });
});
