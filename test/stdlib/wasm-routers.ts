/** How each router of the library is called for the comparison of targets: a model around one instance. */

export interface Sample {
  /** Declaration in `stdlib/<file>.moe`. */
  readonly name: string;
  readonly file: string;
  /** Members and entry of the model around it. */
  readonly model: string;
  /** Code of the diagnostic when the target cannot run it, with the reason. */
  readonly refused?: string;
}

/** A router of x alone: the weights of all experts are the result. */
const router = (file: string, name: string, instance: string): Sample => ({
  file,
  name,
  model: `use r = ${name}${instance}\n  forward(x: [T, D = 6]) => weights(r(x))`,
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
];
