/** The fused operators of the domain com.microsoft that an export can ask for. */

/** By their own names. */
export const CONTRIB_OPERATORS = ["MoE", "QMoE", "GroupQueryAttention"] as const;
export type ContribOperator = (typeof CONTRIB_OPERATORS)[number];

/** How `QMoE` keeps experts; blocks of 32 along the axis that a product sums over. */
export const EXPERT_FORMATS = ["q8_0", "q4_0"] as const;
export type ExpertStorage = (typeof EXPERT_FORMATS)[number];

export interface Contrib {
  readonly operators: readonly ContribOperator[];
  /** For `QMoE`. */
  readonly storage: ExpertStorage;
}
