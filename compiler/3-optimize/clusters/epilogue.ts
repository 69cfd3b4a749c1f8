/** Finds the elementwise work behind a contraction that can be done before its result goes to memory. */
import type { Node } from "../../2-graph/ir.js";
import { axisNames } from "../graph.js";
import type { Scope } from "./scope.js";
import type { EpilogueCluster } from "./types.js";

/** All contractions with something behind them. */
export function findEpilogues(scope: Scope): readonly EpilogueCluster[] {
  const found: EpilogueCluster[] = [];
  for (const contract of scope.region.nodes) {
    if (contract.op !== "contract" || !scope.isFree(contract)) continue;
    const start = contract.results[0]!;
    const axes = [...axisNames(start.type)].sort().join();
    const members = new Set<Node>([contract]);
    let output = start.id;
    for (let next = scope.onlyUser(output); next; next = scope.onlyUser(output)) {
      if (!scope.isElementwise(next) || !scope.isFree(next)) break;
      // A wider result would store more than the contraction makes.
      if ([...axisNames(next.results[0]!.type)].sort().join() !== axes) break;
      members.add(next);
      output = next.results[0]!.id;
    }
    if (members.size > 1) {
      found.push({ kind: "epilogue", ...scope.take(members), contract: start.id, output });
    }
  }
  return found;
}
