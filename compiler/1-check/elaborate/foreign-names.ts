/** Names of Python and of its libraries, and what the language has in their place: help where a name is unknown. */

const SHAPES = "axes have names: `split(x, D -> [H, C])` makes two of one, `merge(x, [H, C] -> D)` one of two";
const ORDER = "axes have names and no order to change: `x[T -> S]` gives one another name";
const MODULE = "a module takes axes in brackets: `use up = Linear[D, F]`";
const SCAN = "`scan(t in 0..T, s: [D] = 0) => (next, row)` carries values from turn to turn and keeps a row of each";
const PRODUCT = "`a @ b` sums over the last axis of `a`, `contract(a, b, over: [H, C])` over several";

const HELP: Readonly<Record<string, string>> = {
  self: "members are called by their names alone",
  this: "members are called by their names alone",
  torch: "functions of the language need no module: `softmax(x, over: D)`",
  nn: MODULE,
  np: "functions of the language need no module: `exp(x)`",
  numpy: "functions of the language need no module: `exp(x)`",
  reshape: SHAPES,
  view: SHAPES,
  flatten: SHAPES,
  rearrange: SHAPES,
  chunk: "`x[D: 0..D / 2]` is a part of an axis, `split(x, D -> [H, C])` makes two of one",
  squeeze: "an entry of an axis is `x[T: 0]`; the axis is gone",
  unsqueeze: "`expand(x, [K])` adds an axis; sums and products repeat what one side lacks by themselves",
  repeat: "`expand(x, [K])` adds an axis; sums and products repeat what one side lacks by themselves",
  broadcast_to: "sums and products repeat what one side lacks by themselves",
  transpose: ORDER,
  permute: ORDER,
  matmul: PRODUCT,
  bmm: PRODUCT,
  einsum: PRODUCT,
  cat: "`concat(a, b, over: D)`",
  stack: "`concat(a, b, over: D)` puts tensors behind each other; layers are a member: `stack layers = L of Layer`",
  topk: "`top(x, k, over: E)` gives values, `argtop(x, k, over: E, as: K)` places; `choose(p, top: k)` makes routes",
  gather: "`table[V: ids]` takes a row for each id",
  embedding: "`tok[V: tokens]` takes a row for each token",
  arange: "`index(T)` is 0, 1, 2, … along an axis",
  range: "`0..n` is a range: `fold(i in 0..n, x = start) => …`, `stack layers = l in 0..L of …`",
  scan: SCAN,
  associative_scan: SCAN,
  lax: SCAN,
  len: "`size(T)` is the number of entries of an axis",
  zeros: "`param b: [D] = 0` starts at 0; in a body a number stands for all entries",
  ones: "`param b: [D] = 1` starts at 1; in a body a number stands for all entries",
  randn: "`normal([T, D], seed: 1)`",
  rand: "`uniform([T, D], seed: 1)`",
  print: "`probe` declares a value to be watched; `moec test` shows both sides of an `assert`",
  pow: "`x ** y`",
  dropout: "`train { … } else { … }` says what training does otherwise",
  tril: "`where(index(S) <= index(T), x, 0)`; in attention `mask: Causal`",
  masked_fill: "`where(condition, x, -inf)`",
  scaled_dot_product_attention: "`attend(q, k, v, mask: Causal)`",
  layer_norm: "`use norm = LayerNorm[D]`",
  rms_norm: "`use norm = RMSNorm[D]`",
  None: "leave the argument out",
  null: "leave the argument out",
};

/** Spellings that another one replaces word for word. */
const RIGHT: Readonly<Record<string, string>> = { True: "true", False: "false", not: "!" };

/** What to say of an unknown name, and what to write instead where that is one word. */
export function foreignName(name: string): { readonly help?: string; readonly right?: string } | undefined {
  if (Object.hasOwn(RIGHT, name)) return { right: RIGHT[name]! };
  return Object.hasOwn(HELP, name) ? { help: HELP[name]! } : undefined;
}
