/** What a random shape must respect so that a declaration may be used at all, and what no target runs yet. */

export type Sizes = Readonly<Record<string, number>>;

export interface Hint {
  /** Sizes of axes to draw from. */
  readonly sizes?: Readonly<Record<string, readonly number[]>>;
  /** Settings to draw from, as texts; they may follow from the sizes. */
  readonly values?: Readonly<Record<string, readonly string[] | ((sizes: Sizes) => readonly string[])>>;
  /** The axis that a call decides; empty when all sizes are fixed. */
  readonly runtime?: string;
  /** Without an axis of tokens at all. */
  readonly single?: boolean;
  /** What the entry gives; `$` is the call. */
  readonly result?: string;
  /** How arguments are made of numbers in -2..2, `$`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Numbers of tokens, where some are ties by nature. */
  readonly tokens?: readonly number[];
  /** Code or words of the refusal, with the reason. */
  readonly refused?: readonly [code: string, reason: string];
}

/** Up to as many as the axis has. */
const upTo = (axis: string) => (sizes: Sizes) =>
  [...new Set([1, Math.ceil(sizes[axis]! / 2), sizes[axis]!])].map(String);
const weights = { result: "weights($)" };
const fixed = { runtime: "" };
/** A loop that ends early has no batch axes. */
const alone = { ...fixed, single: true };
const grouped = { sizes: { H: [4], G: [1, 2, 4] } };

/** By the name of the declaration. */
export const hints: Readonly<Record<string, Hint>> = {
  // Sizes that divide, numbers of what is kept.
  AggregatedVector: { sizes: { V: [4, 8, 12] }, values: { places: ["1", "2"] } },
  Aggregate: { sizes: { V: [4, 8, 12] }, values: { places: ["1", "2"] } },
  Attention: grouped,
  NormedAttention: grouped,
  SinkAttention: grouped,
  GatedAttention: grouped,
  HeadGatedAttention: grouped,
  PlainAttention: grouped,
  ClippedAttention: grouped,
  WideNormedAttention: grouped,
  TemperedAttention: grouped,
  RelativeAttention: { values: { buckets: ["8"], most: ["16.0"] } },
  EstimatedAttention: { values: { keep: upTo("K") } },
  // Vectors of one entry have length 1 up to their sign: every product is a tie but for the last bit.
  RoutingAttention: { sizes: { D: [2, 5, 8] } },
  HeadGroupExperts: { values: { k: upTo("G") } },
  LatentAttention: { sizes: { P: [2, 4] } },
  GateTopSwiGLU: { values: { keep: upTo("F") } },
  TopSwiGLU: { values: { keep: upTo("F") } },
  TopReLU: { values: { k: upTo("F") } },
  WinnerTakeAll: { values: { keep: upTo("N") } },
  TopChannels: {
    sizes: { C: [4, 6] },
    // With one token every product of unit rows is 1 or -1 but for the last bit: the order of ties is that of rounding.
    tokens: [0, 3, 7, 16, 31],
  },
  HalfSharedMoE: { sizes: { F: [2, 6] } },
  PartitionedMoE: { sizes: { F: [6, 12], E: [1, 2, 3] } },
  GroupQuantized: { sizes: { D: [4, 8] }, values: { group: ["2", "4"], bits: ["3", "4", "8"] } },
  AffineQuantized: { sizes: { D: [4, 8] }, values: { group: ["2", "4"], bits: ["3", "4", "8"] } },
  SparseTrained: { sizes: { D: [4, 8] }, values: { n: ["1", "2", "4"] } },
  NofM: { sizes: { D: [4, 8] }, values: { n: ["1", "2", "4"] } },
  BlockList: { sizes: { D: [4, 8], F: [2, 6] }, values: { rows: ["2", "4"], columns: ["1", "2"], keep: ["1", "2"] } },
  GroupPattern: { sizes: { F: [2, 6] }, values: { group: ["1", "2"], keep: ["1", "3"] } },
  BlockDiagonal: { sizes: { D: [2, 8], F: [2, 6] }, values: { blocks: ["1", "2"] } },
  Monarch: { sizes: { D: [2, 8], F: [2, 6] }, values: { blocks: ["1", "2"] } },
  BlockDense: { sizes: { D: [2, 8], R: [2, 6] }, values: { blocks: ["1", "2"] } },
  rounded_groups: { runtime: "F", sizes: { D: [4, 8] }, values: { group: ["2", "4"] } },
  Boosted: { sizes: { D: [12, 24] }, values: { run: ["6", "12"] } },
  greatest: { runtime: "F", sizes: { D: [4, 8] }, values: { n: ["1", "2"], m: ["2", "4"] } },
  FanIn: { values: { fanin: ["1", "3"] } },
  Dictionary: { values: { nonzeros: ["1", "3"] } },
  Informed: { values: { keep: upTo("D"), informed: ["true", "false"] } },
  RankAware: { values: { threshold: ["0.0", "0.5"] } },
  PartialRoPE: { sizes: { C: [6, 8], R: [2, 4] } },
  best_groups: { ...fixed, sizes: { E: [4, 8] }, values: { groups: ["1", "2"], keep: ["1"], hidden: ["0.0"] } },
  keep_n_of_m: { runtime: "F", sizes: { D: [4, 8] } },
  double_pruned: { runtime: "D", sizes: { F: [4, 8] } },
  keep_tensor: { values: { count: ["1", "2"] }, ...fixed },
  keep_rows: { runtime: "F", values: { count: upTo("D") } },
  drop_and_grow: { values: { count: ["1"] }, ...fixed },
  compressed_step: { values: { count: ["1"] }, ...fixed },
  GroupLimited: { sizes: { E: [4, 12] }, values: { k: ["1", "2"], groups: ["1", "2"], keep: ["1"] } },
  GroupMax: { sizes: { E: [12] }, values: { groups: ["4"], keep: ["1", "2"], k: ["1", "3"] } },
  Grouped: { sizes: { E: [12] }, values: { groups: ["2", "4"], k: ["4", "8"] } },
  Prototyping: { sizes: { E: [6, 12] }, values: { k: ["1", "2", "3"] } },
  SwitchMixture: { sizes: { E: [12] }, values: { groups: ["2", "4"], k: ["1", "2"] } },
  VirtualGroup: { sizes: { C: [3], E: [12], N: [3] }, values: { shards: ["4"], k: ["4"] } },
  TwoLevel: { sizes: { E: [2, 6] }, values: { groups: ["1", "2"] } },
  ProductMemory: { sizes: { N: [3, 4] }, values: { k: ["1", "3"] } },
  MemoryPlus: { sizes: { N: [3, 4] }, values: { k: ["1", "3"] } },
  ProductKeyRouter: { values: { k: ["1"] } },
  // With one input every rank is equally relevant but for the last bit.
  SelfActivatedRanks: { sizes: { D: [2, 5, 8] }, values: { k: upTo("N") } },
  SelfActivated: { sizes: { D: [2, 5, 8] } },
  CompressedExperts: { sizes: { E: [3, 5] }, values: { k: ["1", "2", "3"], main: ["1"] } },
  Comet: { sizes: { E: [5, 8] }, values: { depth: ["3"], width: ["4.0"] } },
  DSelect: { sizes: { E: [5, 8] }, values: { bits: ["3"], width: ["2.0"] } },
  Reused: { values: { k: ["1"], open: upTo("E") } },
  Ranked: { sizes: { E: [3, 5] }, values: { k: ["1", "2"] } },
  RatioPruned: { sizes: { E: [2, 5] } },
  GShard: { sizes: { E: [2, 4] } },
  // Cosines of numbers are 1 or -1: ties.
  Prototypes: { sizes: { D: [2, 5, 8], E: [3, 5] } },
  // Each expert may take its share of the tokens: there is a plan.
  SparseTransport: { sizes: { D: [2, 5, 8], E: [4] }, values: { k: ["8", "16"], iterations: ["20"] } },
  Base: { sizes: { E: [4] }, values: { rounds: ["200"], step: ["0.05"] } },
  // A chain of alternating reductions grows with every round; the plan of one token is uniform whatever its scores.
  Sinkhorn: { sizes: { E: [4] }, values: { iterations: ["3"] }, tokens: [0, 2, 7, 16, 31] },
  matched: { ...alone, sizes: { N: [2, 4] } },
  soft_permutation: { ...fixed, values: { iterations: ["2"], tau: ["0.5", "2.0"] } },
  balanced: { ...alone, sizes: { N: [4, 6], E: [2] }, values: { rounds: ["200"], step: ["0.05"] } },
  // Conversions: square matrices, turns that the sizes count.
  times: fixed,
  turned: fixed,
  rotation: { ...fixed, sizes: { N: [2, 3] }, values: { p: ["0"], q: ["1"] } },
  eigen: {
    ...fixed,
    sizes: { N: [2, 3] },
    values: { sweeps: ["2"] },
    result: "{ let (d, v) = $\n    d[M -> J] + v[M -> J] * 0.5 }",
  },
  directions: { ...fixed, sizes: { D: [2, 3], F: [3, 5] }, values: { rank: ["1", "2"] } },
  truncated: { ...fixed, sizes: { D: [2, 3] }, values: { rank: ["1", "2"] } },
  gathered_ranks: { ...fixed, sizes: { D: [2, 3], E: [2] }, values: { rank: ["1", "2"] } },
  rotated: { ...fixed, sizes: { D: [2, 3] }, result: "{ let (v, w) = $\n    contract(v, w, over: R) }" },
  context_adapter: {
    ...fixed,
    sizes: { D: [2, 3], F: [3, 5] },
    values: { rank: ["1"] },
    // A symmetric positive matrix of inner products.
    inputs: { c: "float(index(D)[D -> K] == index(D)) * 3 + 0 * $" },
    result: "{ let (a, b, rest) = $\n    rest + 2 * contract(a, b, over: R) }",
  },
  shared_factor: {
    ...alone,
    sizes: { D: [2, 3] },
    values: { rank: ["1", "2"] },
    result: "{ let (b, a) = $\n    contract(b, a, over: R) }",
  },
  monarch_factors: {
    ...fixed,
    sizes: { D: [4], F: [4] },
    values: { blocks: ["2"] },
    result: "{ let (p, q) = $\n    p[B -> I][P -> J][Q -> K] + q[L -> I][R -> J][S -> K] * 0.5 }",
  },
  monarch_dense: fixed,
  aligned: { ...alone, sizes: { F: [2, 3] } },
  dominant: { ...fixed, sizes: { L: [2], E: [2, 4] }, values: { count: ["2", "3"] } },
  joined: { ...fixed, sizes: { T: [3, 5] }, inputs: { leads: "$ + 0.5" } },
  complete_link: { ...fixed, sizes: { N: [3, 5] } },
  central: fixed,
  carved: { ...alone, sizes: { F: [5], T: [4] }, values: { top: ["2"], shared: ["1"], experts: ["2"] } },
  // The other size follows.
  domain_units: { values: { keep: upTo("F") } },
  shards: { ...fixed, sizes: { F: [4, 8] }, values: { count: ["2"] } },
  assigned_bits: { ...fixed, sizes: { E: [3] }, values: { budget: ["6", "8"], ways: ["27"] } },
  // Masks with budgets.
  block_choice: { ...fixed, values: { size: ["1", "2"], keep: ["1"] } },
  Spans: { values: { sinks: ["0", "2"] } },
  // What lies together in one type cannot be said by tokens.
  RelationalConvolution: fixed,
  noise_share: fixed,
  expert_similarity: fixed,
  Pairwise: { ...fixed, inputs: { teacher: "sigmoid($)" } },
  cuckoo_lookup: { sizes: { A: [2] } },
  pushed: { runtime: "D", sizes: { N: [3, 5], B: [1, 3] } },
  // Functions that give routes, or tuples with routes.
  by_priority: weights,
  skill_mean: { ...weights, ...fixed, inputs: { active: "float($ > 0)" } },
  tuned: { ...weights, inputs: { off: "$ - 1.5", on: "$ - 1" }, ...fixed },
  biased_choice: { ...weights, ...fixed },
  visible_gate: { ...weights, ...fixed },
  forced_choice: { ...weights, ...fixed },
  Recurrent: { result: "{ let (r, s) = $\n    concat(weights(r)[E -> J], s[R -> J], over: J) }" },
  PreGated: { result: "{ let (y, r) = $\n    concat(y[D -> J], weights(r)[E -> J], over: J) }" },
  // The number of layers is the count of a loop.
  erk_scale: { ...fixed, inputs: { sizes: "exp($)", product: "exp($)" }, values: { density: ["0.3"] } },
  erk_densities: { ...fixed, inputs: { sizes: "exp($)", product: "exp($)" }, values: { density: ["0.3"] } },
  normal_quantile: { inputs: { p: "sigmoid($)" } },
  // Formulas of positive numbers.
  gaussian: { inputs: { vq: "exp($)", vd: "exp($)" } },
  gaussian_product: { inputs: { vq: "exp($)", vd: "exp($)" } },
  normal_gap: { inputs: { s: "exp($)", t: "exp($)" } },
  adam_step: { inputs: { v: "$ * $" } },
  noise_pruned: { inputs: { u: "sigmoid($)", share: "sigmoid($)" } },
  hard_concrete: { inputs: { u: "sigmoid($)" } },
  JensenShannon: { inputs: { p: "softmax($, over: LAST)", q: "softmax($, over: LAST)" }, ...fixed },
};
