/** How ops are written when fused operators are asked for. */
import type { Lower } from "../use.js";
import { groupQueryAttention } from "./attention.js";
import { fusedMixture } from "./mixture.js";
import type { Contrib, ContribOperator } from "./names.js";

/** Ways to write ops that take the place of the plain ones; an op that its operator cannot say stops with MOE5610. */
export function contribLowerings({ operators, storage }: Contrib): Readonly<Record<string, Lower>> {
  const isAsked = (name: ContribOperator): boolean => operators.includes(name);
  const mixture = isAsked("QMoE") ? storage : isAsked("MoE") ? ("f32" as const) : undefined;
  return {
    ...(mixture === undefined ? {} : { mixture: (use) => [fusedMixture(use, mixture)] }),
    ...(isAsked("GroupQueryAttention") ? { attend: (use) => [groupQueryAttention(use)] } : {}),
  };
}
