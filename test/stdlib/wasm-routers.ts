/** How each router of the library is called for the comparison of targets: a model around one instance. */

export interface Sample {
  /** Declaration in `stdlib/<file>.moe`. */
  readonly name: string;
  readonly file: string;
  /** Further names of the same file. */
  readonly imports?: string;
  /** Members and entry of the model around it. */
  readonly model: string;
  /** Numbers of tokens to try, where some are ties by nature. */
  readonly tokens?: readonly number[];
  /** Code of the diagnostic when the target cannot run it, with the reason. */
  readonly refused?: string;
}

/** A router of x alone: the weights of all experts are the result. */
const router = (file: string, name: string, instance: string): Sample => ({
  file,
  name,
  model: `use r = ${name}${instance}\n  forward(x: [T, D = 6]) => weights(r(x))`,
});

/** A router of x and a label per token. */
const labelled = (file: string, name: string, instance: string): Sample => ({
  file,
  name,
  model: `use r = ${name}${instance}\n  forward(x: [T, D = 6], ids: int[T]) => weights(r(x, ids))`,
});

/** A map of x. */
const block = (file: string, name: string, instance: string): Sample => ({
  file,
  name,
  model: `use b = ${name}${instance}\n  forward(x: [T, D = 6]) => b(x)`,
});

/** A loss of what the model is given. */
const loss = (name: string, inputs: string, args: string): Sample => ({
  file: "losses",
  name,
  model: `forward(${inputs}) => ${name}(${args})`,
});

export const samples: readonly Sample[] = [
  router("routers/selection", "ChosenSoftmax", "[6, 5](k: 2)"),
  router("routers/selection", "Noisy", "[6, 5](k: 2)"),
  router("routers/selection", "FixedNoise", "[6, 5](k: 2)"),
  router("routers/selection", "Switch", "[6, 5]"),
  router("routers/selection", "SparseMixer", "[6, 5](k: 2, jitter: 0.2)"),
  router("routers/selection", "Threshold", "[6, 5](floor: 0.2)"),
  router("routers/selection", "Cumulative", "[6, 5](t: 0.6)"),
  router("routers/selection", "Quantile", "[6, 8](k: 2)"),
  router("routers/groups", "GroupMax", "[6, 12](k: 3, groups: 4, keep: 2)"),
  router("routers/groups", "BiasedSigmoid", "[6, 5](k: 2)"),
  router("routers/groups", "Grouped", "[6, 12](k: 4, groups: 4)"),
  router("routers/groups", "Prototyping", "[6, 12](k: 3)"),
  router("routers/groups", "SwitchMixture", "[6, 12](k: 2, groups: 4)"),
  router("routers/groups", "VirtualGroup", "[6, 3, 12](shards: 4, k: 4)"),
  router("routers/gates", "DSelect", "[6, 5](k: 2, bits: 3, width: 2)"),
  router("routers/gates", "Comet", "[6, 5](k: 2, depth: 3, width: 4)"),
  router("routers/gates", "Relu", "[6, 5]"),
  router("routers/gates", "NormedRelu", "[6, 5]"),
  router("routers/gates", "DenseToSparse", "[6, 5](floor: 0.1)"),
  router("routers/gates", "ActivatedSoftmax", "[6, 5]"),
  router("routers/gates", "Hard", "[6, 5](k: 2)"),
  {
    file: "routers/gates",
    name: "SoftMoE",
    model: `use bank = 3 of SwiGLU[6, 4]\n  use r = SoftMoE[6, 3](slots: 2, experts: bank)\n  forward(x: [T, D = 6]) => r(x)`,
  },
  router("routers/retrieval", "Cosine", "[6, 4, 5](k: 2)"),
  labelled("routers/retrieval", "Prototypes", "[6, 5]"),
  router("routers/retrieval", "Centroids", "[6, 5](k: 2)"),
  router("routers/retrieval", "Clusters", "[6, 5](k: 3, temperature: 4)"),
  router("routers/retrieval", "DomainEmbedding", "[6, 4, 3, 5](k: 1)"),
  router("routers/retrieval", "Sparsest", "[6, 5](k: 2)"),
  router("routers/retrieval", "Carved", "[6, 5](k: 2)"),
  router("routers/retrieval", "ProductKeyRouter", "[6, 4, 5, 3](k: 4)"),
  router("routers/retrieval", "SelfActivated", "[6, 5](k: 2)"),
  {
    file: "routers/recurrent",
    name: "Recurrent",
    imports: "GRU",
    model: `use cell = GRU[4, 4]
  use r = Recurrent[6, 4, 5](cell: cell, k: 2)
  forward(x: [T, D = 6], s: [T, R = 4]) => { let (r1, s1) = r(x, s)
    let (r2, s2) = r(x, s1)
    concat(weights(r2)[E -> J], s2[R -> J], over: J) }`,
  },
  {
    file: "routers/recurrent",
    name: "PreGated",
    model: `use bank = 4 of SwiGLU[6, 5]
  use start = TopK[6, 4](2)
  use a = PreGated[6, 4](experts: bank, k: 2)
  use b = PreGated[6, 4](experts: bank, k: 2)
  forward(x: [T, D = 6]) => { let (y, r) = a(x, start(x))
    let (z, q) = b(y, r)
    z }`,
  },
  router("routers/recurrent", "Reused", "[6, 8](k: 2, open: 5)"),
  {
    file: "routers/recurrent",
    name: "Chain",
    model: `use bank = 4 of SwiGLU[6, 5]
  use chain = Chain[6, 4](experts: bank, rounds: 3, k: 2)
  forward(x: [T, D = 6]) => chain(x)`,
  },
  {
    file: "routers/recurrent",
    name: "momentum_step",
    model: `forward(x: [T, D = 6], p: [T, D = 6], u: [T, D = 6]) => { let (y, q) = momentum_step(x, p, u)
    y + q }`,
  },
  {
    file: "routers/recurrent",
    name: "adam_step",
    model: `forward(x: [T, D = 6], p: [T, D = 6], v: [T, D = 6], u: [T, D = 6]) => { let (y, q, w) = adam_step(x, p, v * v, u)
    y + q + w }`,
  },
  { file: "routers/conditioned", name: "Label", model: "use r = Label[4]\n  forward(ids: int[T]) => weights(r(ids))" },
  {
    file: "routers/conditioned",
    name: "WordTable",
    model: "use r = WordTable[8, 4]\n  forward(ids: int[T]) => weights(r(ids))",
  },
  {
    file: "routers/conditioned",
    name: "Skills",
    model: "use r = Skills[5, 4]\n  forward(ids: int[T]) => weights(r(ids))",
  },
  labelled("routers/conditioned", "PerTask", "[6, 5, 4](k: 2)"),
  labelled("routers/conditioned", "TaskEmbedding", "[6, 5, 3, 4](k: 2)"),
  {
    file: "routers/conditioned",
    name: "Forced",
    model: "use r = Forced[6, 5](k: 2)\n  forward(x: [T, D = 6], ids: int[T]) => weights(r.forced(x, ids))",
  },
  router("routers/conditioned", "NoiseLevel", "[6, 4, 5](k: 2)"),
  router("routers/conditioned", "Timestep", "[6, 5](k: 2)"),
  router("routers/conditioned", "PerSample", "[6, 5]"),
  router("routers/conditioned", "Random", "[5](seed: 3)"),
  router("routers/conditioned", "Ranked", "[6, 5](first: 1, k: 2)"),
  labelled("routers/conditioned", "RatioPruned", "[6, 5]"),
  {
    file: "routers/conditioned",
    name: "tuned",
    model: "forward(l: [T, E = 5], off: [T, E = 5], on: [T, E = 5]) => weights(tuned(l, off - 1.5, on - 1, 2))",
  },
  router("routers/hierarchical", "TaskGate", "[6, 5]"),
  router("routers/hierarchical", "VisibleGate", "[6, 5]"),
  block("routers/hierarchical", "TaskMixture", "[6, 5, 4, 2]"),
  block("routers/hierarchical", "FeatureGate", "[6](rank: 3)"),
  block("routers/hierarchical", "ScaledExpert", "[6, 5]"),
  {
    file: "routers/hierarchical",
    name: "SelfGate",
    model: "use s = SelfGate[6, 5]\n  forward(x: [T, D = 6], y: [T, F = 5], z: [T, F = 5]) => s(x, y, z)",
  },
  router("routers/hierarchical", "TwoLevel", "[6, 6](groups: 2)"),
  // The plan of one token is uniform, whatever its scores: which expert is greatest is rounding.
  { ...router("routers/transport", "Sinkhorn", "[6, 4](iterations: 3)"), tokens: [0, 2, 7, 16, 31] },
  router("routers/transport", "Base", "[6, 4](rounds: 200, step: 0.05)"),
  router("routers/transport", "SparseTransport", "[6, 4](k: 5, iterations: 20)"),
  router("routers/capacity", "BatchPriority", "[6, 4](k: 2)"),
  router("routers/capacity", "RandomTokens", "[6, 4](k: 2, seed: 5)"),
  router("routers/capacity", "GShard", "[6, 4]"),
  router("routers/tokens", "SimilarityAware", "[6, 5](k: 2)"),
  {
    file: "routers/tokens",
    name: "AttentionAware",
    model: `use r = AttentionAware[6, 5](k: 2)
  forward(x: [T, D = 6]) => weights(r(x[T -> U], softmax(contract(x, x[T -> U], over: D), over: U)))`,
  },
  {
    file: "routers/tokens",
    name: "ModelLevel",
    model: "use r = ModelLevel[8, 6, 4]\n  forward(ids: int[T]) => weights(r(ids))",
  },
  loss("SwitchBalance", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("MixtralBalance", "p: [T, E = 4]", "softmax(p, over: E), choose(softmax(p, over: E), top: 2)"),
  loss("CountBalance", "p: [T, E = 4]", "softmax(p, over: E), choose(softmax(p, over: E), top: 2), 2"),
  loss("KeptBalance", "p: [T, E = 4]", "softmax(p, over: E), weights(choose(softmax(p, over: E), top: 2))"),
  loss("ZLoss", "p: [T, E = 4]", "p"),
  loss("Importance", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("Load", "p: [T, E = 4], q: [T, E = 4]", "p, q, 2"),
  loss("MutualInformation", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("LocalEntropy", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("GlobalEntropy", "p: [T, E = 4]", "softmax(p, over: E), 4.0"),
  loss("Flops", "w: [T, V = 5]", "relu(w)"),
  loss("ReluL1", "p: [T, E = 4]", "relu(p), 2"),
  loss("Chunk", "p: [T, E = 4]", "relu(p)"),
  loss("Locality", "p: [T, E = 4]", "p, 3.0"),
  loss("Distillation", "p: [T, V = 5], q: [T, V = 5]", "p, q, 2.0"),
  loss("TopKDistillation", "p: [T, V = 5], q: [T, V = 5]", "p, q, 3"),
  loss("Consistency", "p: [T, V = 5], q: [T, V = 5]", "p, q"),
  loss("Anchor", "p: [T, E = 4], q: [T, E = 4]", "softmax(p, over: E), softmax(q, over: E)"),
  loss("Huber", "x: [T, H = 3], y: [T, H = 3]", "x, y, 1.0"),
  loss("PrototypeContrast", "p: [E = 4, D = 5], m: [E = 4, D = 5]", "p, m, 0.5"),
  loss("Manifold", "r: [T, E = 4], s: [M = 3, E = 4], l: [T, M = 3]", "r, s, softmax(l, over: M)"),
  loss("JensenShannon", "p: [E = 4], q: [E = 4]", "softmax(p, over: E), softmax(q, over: E)"),
  loss("PriorCrossEntropy", "v: [T, V = 5], ids: int[T], b: [V = 5]", "v, ids, softmax(b, over: V), 0.5"),
  loss("DirichletShaping", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("Uniformity", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("Ambiguity", "p: [T, E = 4]", "softmax(p, over: E)"),
  loss("sample_weights", "l: [T]", "l, 0.5"),
  loss("balanced_bias", "b: [E = 4], c: [E = 4]", "b, c"),
  {
    file: "routers/adaptation",
    name: "kernel_weights",
    model: "forward(r: [N = 3, E = 4], l: [N = 3]) => kernel_weights(softmax(r, over: E), softmax(l, over: N))",
  },
  {
    file: "routers/adaptation",
    name: "hedge",
    model: "forward(w: [E = 4], l: [E = 4]) => hedge(softmax(w, over: E), l, 0.5)",
  },
  { file: "routers/adaptation", name: "RoutingMargin", model: "forward(s: [T, E = 5]) => RoutingMargin(s, 2)" },
  {
    file: "routers/adaptation",
    name: "ExpertScore",
    model:
      "forward(g: [T, E = 4], l: [T, E = 4], a: [T, D = 3], b: [T, D = 3]) => ExpertScore(softmax(g, over: E), relu(l), a, b)",
  },
];
