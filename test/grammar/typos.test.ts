import { describe, expect, it } from "vitest";
import { parse } from "../../grammar/parse.js";
import { fixture } from "./fixtures.js";

const base = fixture("language.moe");
const formats = fixture("08-formats.moe");
const entries = fixture("12-entry-points.moe");

/** What is written, what is typed instead, the code, and what is underlined (empty: the gap between two tokens). */
type Typo = readonly [text: string, right: string, wrong: string, code: string, underlined: string];

const typos: readonly Typo[] = [
  // misspelt words
  [base, "expert SwiGLU", "exprt SwiGLU", "MOE1002", "exprt"],
  [base, "router TopK", "ruoter TopK", "MOE1002", "ruoter"],
  [base, "model Tiny", "modle Tiny", "MOE1002", "modle"],
  [base, "mask Causal ", "maks Causal ", "MOE1002", "maks"],
  [base, 'test "', 'tset "', "MOE1002", "tset"],
  [base, "param gate:", "parm gate:", "MOE1002", "parm"],
  [base, "state bias", "stat bias", "MOE1002", "stat"],
  [base, "use route ", "ues route ", "MOE1002", "ues"],
  [base, "stack layers", "stak layers", "MOE1002", "stak"],
  [base, "weights gguf", "wieghts gguf", "MOE1002", "wieghts"],
  [base, "let p =", "lte p =", "MOE1002", "lte"],
  [base, "assert close", "asert close", "MOE1002", "asert"],
  [entries, "let (u, v) =", "lte (u, v) =", "MOE1002", "lte"],
  [entries, "import { RMSNorm", "imprt { RMSNorm", "MOE1003", "imprt"],
  [entries, '} from "std"', '} form "std"', "MOE1001", "form"],
  [fixture("02-pre-gated.moe"), "then Dense", "thn Dense", "MOE1001", "thn"],
  [fixture("02-pre-gated.moe"), "else MoE", "esle MoE", "MOE1001", "esle"],
  [fixture("04-sinkhorn.moe"), "batch dependent", "batch dependant", "MOE1001", "dependant"],
  // missing brackets
  [base, "silu(x @ gate)", "silu(x @ gate", "MOE1004", "("],
  [base, "silu(x @ gate)", "silu x @ gate)", "MOE1001", "x"],
  [base, "softmax(x @ w, over: E)\n    choose", "softmax(x @ w, over: E\n    choose", "MOE1004", "("],
  [base, "choose(p, top: k, renormalize)", "choose(p, top: k, renormalize", "MOE1004", "("],
  [base, "param gate: [D, F]", "param gate: [D, F", "MOE1004", "["],
  [base, "expert SwiGLU[D, F] {", "expert SwiGLU[D, F {", "MOE1004", "["],
  [base, "expert SwiGLU[D, F] {", "expert SwiGLU[D, F]", "MOE1001", ""],
  [base, "@ down\n}", "@ down\n", "MOE1004", "{"],
  [base, "renormalize)\n  }\n}", "renormalize)\n  }\n", "MOE1004", "{"],
  [base, "renormalize)\n  }\n}", "renormalize)\n}", "MOE1004", "{"],
  [base, "(x: [D]) => {\n    let p", "(x: [D] => {\n    let p", "MOE1004", "("],
  [base, "(x: [D]) => {\n    let p", "(x: [D]) =>\n    let p", "MOE1001", ""],
  [base, "mask Window(w: int) ", "mask Window(w: int ", "MOE1004", "("],
  [base, "tok[V: tokens]", "tok[V: tokens", "MOE1004", "["],
  [base, "[G, M] -> E)", "[G, M -> E)", "MOE1004", "["],
  // wrong or stray brackets
  [base, "tok[V: tokens]", "tok[V: tokens)", "MOE1004", "["],
  [base, "silu(x @ gate)", "silu(x @ gate]", "MOE1001", "]"],
  [base, "let h = x + attn(norm1(x))", "let h = x + attn(norm1(x)))", "MOE1015", ")"],
  [base, "@ down\n}", "@ down\n}\n}", "MOE1015", "}"],
  // missing and wrong marks
  [base, "(x: [D]) => (silu", "(x: [D]) (silu", "MOE1001", "("],
  [base, "(x: [D]) => (silu", "(x: [D]) = (silu", "MOE1001", "="],
  [base, "(x: [D]) => {\n    let p", "(x: [D]) -> {\n    let p", "MOE1001", "->"],
  [base, "route   = TopK", "route   TopK", "MOE1001", "TopK"],
  [base, "param gate: [D", "param gate [D", "MOE1001", "["],
  [base, "param gate: [D", "param gate = [D", "MOE1001", "="],
  [base, "over: E)\n    choose", "over E)\n    choose", "MOE1001", "E"],
  [base, "choose(p, top: k", "choose(p top: k", "MOE1001", "top"],
  [base, "let p = softmax", "let p softmax", "MOE1001", "softmax"],
  [base, "let p = softmax", "let = softmax", "MOE1003", "="],
  [base, "let h = x + attn", "let h = x + + attn", "MOE1003", "+"],
  [base, "(k: int = 2,", "(k: int = ,", "MOE1003", ","],
  [base, "h + moe(norm2(h))", "h + ", "MOE1003", ""],
  [base, "L of Decoder", "L fo Decoder", "MOE1001", "fo"],
  [base, "use norm = RMSNorm[D]", "use norm = RMSNorm[D] $", "MOE1007", "$"],
  [base, "use norm1 = RMSNorm[D]", "use norm1 = RMSNorm[D] 3", "MOE1014", "3"],
  [base, "param tok: [V, D]", "param tok: [V, D],", "MOE1003", ","],
  [base, "q - k < w", "q - k < w < q", "MOE1011", "<"],
  [base, "Window(4096) |", "Window(4096) ||", "MOE1012", "||"],
  // literals and comments
  [base, '"token_embd.weight"', '"token_embd.weight', "MOE1005", '"'],
  [base, 'mixture"', "mixture", "MOE1005", '"'],
  [entries, '"tokenizer.json"', '"tokenizer.json', "MOE1005", '"'],
  [entries, '"tokenizer.json"', "'tokenizer.json'", "MOE1012", "'tokenizer.json'"],
  [entries, '"\\n"', '"\\q"', "MOE1009", "\\q"],
  [entries, "10_000 steps", "10_000x steps", "MOE1008", "10_000x"],
  [entries, "/// A two-tower", "/* A two-tower", "MOE1006", "/*"],
  [formats, "sparse(2:4)", "sparse(2:)", "MOE1001", ":"],
  [formats, "use up = w[D, F]", "use of = w[D, F]", "MOE1013", "of"],
  [formats, "codes: uint", "codes: : uint", "MOE1003", ":"],
];

describe("one typo", () => {
  it.each(typos)("gives one error (%#)", (text, right, wrong, code, underlined) => {
    expect(text.split(right).length, `"${right}" occurs`).toBeGreaterThan(1);
    const typed = text.replace(right, () => wrong);
    const clean = parse(text, "a.moe");
    const { tree, diagnostics } = parse(typed, "a.moe");
    const said = diagnostics.map((each) => `${each.code} ${each.message}`);
    expect(said).toHaveLength(1);
    const [{ span }] = diagnostics as [(typeof diagnostics)[0]];
    expect([diagnostics[0]!.code, typed.slice(span.start, span.end)], said[0]).toEqual([code, underlined]);
    // The rest of the file is still there.
    const lost = clean.tree.declarations.length - tree.declarations.length;
    expect(lost, "declarations lost").toBeLessThanOrEqual(1);
  });
});
