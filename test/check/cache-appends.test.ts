/** MOE2280 in `moec check`: a call appends to each cache once, also where a module of the same form was walked before. */
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { testHost } from "./host.js";

/** Codes and messages for a model whose forward pass is `body`, over modules of one form. */
function found(body: string, members = ""): readonly string[] {
  const text = `import { Attention } from "std"
block Layer[D, H, C] {
  use attn = Attention[D, H, H, C]
  (x: [T, D]) => x + attn(x)
}
block Ahead[D, H, C] {
  use layer = Layer[D, H, C]
  (x: [T, D]) => prefill { layer(x) } decode { layer(x) * 1 }
}
model M[V = 16, L = 3, D = 8, H = 2, C = 4] {
  param tok: [V, D]
  use one = Layer[D, H, C]
  use other = Layer[D, H, C]
  use ahead = Ahead[D, H, C]
  ${members}
  forward(tokens: int[T]) -> f32[T, V] => {
    let x = tok[V: tokens]
    (${body}) @ tok
  }
}
`;
  const { diagnostics } = check("m.moe", testHost({ "m.moe": text }));
  return diagnostics.map(({ code, message }) => `${code} ${message}`);
}

describe("a cache is appended to once in a call", () => {
  it("by modules of one form, each with its own", () => {
    expect(found("other(one(x))")).toEqual([]);
    expect(found("layers(x)", "stack layers = L of Layer[D, H, C]")).toEqual([]);
  });

  it("by one branch of a mode", () => {
    expect(found("ahead(x)")).toEqual([]);
    expect(found("ahead(ahead(x))")).toEqual([expect.stringContaining("`ahead.layer.attn.keys` are appended 2 times")]);
  });

  it("and not by a module that is run again", () => {
    expect(found("one(one(x))")).toEqual([expect.stringMatching(/^MOE2280 .*`one\.attn\.keys` are appended 2 times/)]);
    expect(found("other(one(other(x)))")).toEqual([expect.stringContaining("`other.attn.keys` are appended 2 times")]);
  });

  it("and not by a loop, written out or not", () => {
    const loop = (turns: string): readonly string[] => found(`fold(i in 0..${turns}, (y = x)) => one(y)`);
    expect(loop("1")).toEqual([]);
    expect(loop("4")).toEqual([expect.stringContaining("appended 4 times")]);
    expect(loop("20")).toEqual([expect.stringContaining("appended 20 times")]);
    expect(loop("T")).toEqual([expect.stringContaining("appended many times")]);
  });
});
