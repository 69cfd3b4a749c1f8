/** Looks for all clusters of a region. */
import type { Program, Region } from "../../2-graph/ir.js";
import { findEpilogues } from "./epilogue.js";
import { findExperts } from "./expert.js";
import { findNorms } from "./norm.js";
import { findRouters } from "./router.js";
import { Scope } from "./scope.js";
import type { Cluster } from "./types.js";

/** A kind of cluster, for the docs. */
export interface ClusterKind {
  readonly kind: Cluster["kind"];
  readonly doc: string;
  readonly find: (scope: Scope) => readonly Cluster[];
}

/** In this order: a node belongs to the first that takes it. */
export const clusterKinds: readonly ClusterKind[] = [
  {
    kind: "router",
    doc: "From the scores of the experts to the routes: softmax or sigmoid, bias, groups, choice, scale. One walk per token.",
    find: findRouters,
  },
  {
    kind: "expert",
    doc:
      "A bank whose body is `act(x @ gate) * (x @ up) @ down` or alike: the first products walk over the token together, " +
      "the routing weight and the sum over experts go to the end of the last one.",
    find: findExperts,
  },
  {
    kind: "norm",
    doc: "`x * rsqrt(mean(x * x) + epsilon) * gain + bias`, centred or not: two walks over a row that stays in fast memory.",
    find: findNorms,
  },
  {
    kind: "epilogue",
    doc: "A contraction and the bias, residual, scale or activation behind it, done before the result goes to memory.",
    find: findEpilogues,
  },
];

/**
 * The clusters of a region (not of the regions inside it), in the order of their first nodes. A node is in at most one,
 * but a mixture of several banks is in one `expert` cluster per bank.
 */
export function findClusters(region: Region): readonly Cluster[] {
  const scope = new Scope(region);
  const order = new Map(region.nodes.map((node, index) => [node.results[0]?.id ?? -1, index]));
  return clusterKinds
    .flatMap(({ find }) => find(scope))
    .sort((a, b) => order.get(a.nodes[0]!)! - order.get(b.nodes[0]!)!);
}

/** One line per cluster of every region of a program, for dumps. */
export function clusterText(program: Program): string {
  const lines: string[] = [];
  const visit = (region: Region, place: string): void => {
    for (const { kind, nodes, inputs, outputs } of findClusters(region)) {
      const list = (ids: readonly number[]): string => ids.map((id) => `%${id}`).join(" ");
      lines.push(`${place}: ${kind} {${list(nodes)}} from ${list(inputs)} to ${list(outputs)}`);
    }
    for (const node of region.nodes) {
      node.regions.forEach((inner, index) => {
        visit(
          inner,
          `${place} / ${node.op} %${node.results[0]?.id ?? "?"}${node.regions.length > 1 ? `.${index}` : ""}`,
        );
      });
    }
  };
  for (const entry of program.entries) visit(entry.body, entry.name);
  return lines.map((line) => `${line}\n`).join("");
}
