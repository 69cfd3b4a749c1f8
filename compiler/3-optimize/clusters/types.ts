/**
 * Clusters: nodes of one region that one kernel should compute together because of what they are together (a norm, a
 * router), which a schedule that sees single nodes cannot know. They are found on the finished graph and are no part of
 * it: nothing goes stale, and a schedule that ignores them still computes the same.
 *
 * Values are named by id in the region; a node by the id of its first result. Plain chains of elementwise ops are not
 * clusters: schedules join these by themselves.
 */
import type { ValueId } from "../../2-graph/ir.js";

interface ClusterBase {
  /** First results of the member nodes, in the order of the region. Interior values are used by members only. */
  readonly nodes: readonly ValueId[];
  /** Values that members use and no member makes, each once. */
  readonly inputs: readonly ValueId[];
  /** Values of members that are used outside. */
  readonly outputs: readonly ValueId[];
}

/**
 * `output = input' * rsqrt(statistic(input'^2) + epsilon) * gain + bias` along `over`, where input' is the input, or the
 * input less its mean when `centred` (RMSNorm arXiv:1910.07467, LayerNorm arXiv:1607.06450).
 */
export interface NormCluster extends ClusterBase {
  readonly kind: "norm";
  readonly input: ValueId;
  readonly over: readonly string[];
  readonly statistic: "mean" | "sum";
  readonly centred: boolean;
  readonly epsilon: number;
  readonly gain?: ValueId;
  readonly bias?: ValueId;
  readonly output: ValueId;
}

/**
 * From the scores of the experts to the routes: all steps treat each token alone, so one kernel does them token by token
 * in fast memory.
 */
export interface RouterCluster extends ClusterBase {
  readonly kind: "router";
  /** The node `route` of the cluster. */
  readonly route: ValueId;
  /** The routes that come out. */
  readonly routes: ValueId;
  /** Inputs that have an axis of each token, such as the product of tokens and router weights. */
  readonly scores: readonly ValueId[];
}

/** A product with a parameter of the expert, inside the body of a bank. */
export interface ExpertProduct {
  readonly value: ValueId;
  /** The operand that is not made of the token: a parameter of the body, or a view of one. */
  readonly weight: ValueId;
  readonly over: readonly string[];
}

/**
 * A bank of a `mixture` or `dispatch` whose body is `tail(hidden(x @ gate, x @ up, …) @ down)`: the first products walk
 * over x together, and the routing weight and the sum over slots belong to the end of the second.
 */
export interface ExpertCluster extends ClusterBase {
  readonly kind: "expert";
  /** First result of the mixture. */
  readonly mixture: ValueId;
  readonly bank: number;
  /** Of the body of the bank, like all that follow. */
  readonly projections: readonly ExpertProduct[];
  /** Elementwise nodes between the products. */
  readonly hidden: readonly ValueId[];
  /** Absent when the result is elementwise in the projections. */
  readonly down?: ExpertProduct;
  /** Elementwise nodes behind the last product. */
  readonly tail: readonly ValueId[];
}

/** A contraction and the elementwise nodes that only it feeds: bias, residual, scale, activation. */
export interface EpilogueCluster extends ClusterBase {
  readonly kind: "epilogue";
  readonly contract: ValueId;
  readonly output: ValueId;
}

export type Cluster = NormCluster | RouterCluster | ExpertCluster | EpilogueCluster;
