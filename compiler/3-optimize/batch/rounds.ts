/**
 * In which order a region runs for several texts: rounds, of which each computes something for all texts at once and
 * then something for each text apart.
 */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { hasEffect } from "../graph.js";
import type { Kinds, Way } from "./kinds.js";

/** The round of each node. */
export type Rounds = ReadonlyMap<Node, number>;

/** More rounds than this in one region are no saving. */
const MOST_ROUNDS = 64;

/**
 * Reads of states in other rounds that a node of this round needs: what is copied from an earlier round reads them as well,
 * and they are not copied.
 */
function readBefore(
  node: Node,
  round: number,
  makers: ReadonlyMap<ValueId, Node>,
  rounds: Rounds,
  kinds: Kinds,
): ReadonlySet<Node> {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const visit = ({ operands }: Node): void => {
    for (const id of operands) {
      const maker = makers.get(id);
      if (!maker || seen.has(maker) || kinds.get(id)!.kind !== "own" || rounds.get(maker) === round) continue;
      seen.add(maker);
      if (hasEffect(maker)) found.add(maker);
      else visit(maker);
    }
  };
  visit(node);
  return found;
}

/**
 * The earliest round of each node. What is one text's own can be used only in the round that made it: so its maker waits
 * for its user, or is copied into the later round when nothing speaks against computing it twice. Undefined when there
 * is no such order.
 */
export function roundsOf(region: Region, ways: ReadonlyMap<Node, Way>, kinds: Kinds): Rounds | undefined {
  const makers = new Map<ValueId, Node>();
  for (const node of region.nodes) for (const { id } of node.results) makers.set(id, node);
  const least = new Map<Node, number>();
  for (;;) {
    const rounds = new Map<Node, number>();
    let lastEffect = 0;
    let settled = true;
    for (const node of region.nodes) {
      const apart = ways.get(node)!.run === "each";
      let round = least.get(node) ?? 0;
      for (const id of node.operands) {
        const maker = makers.get(id);
        if (!maker) continue;
        const isLater = !apart && ways.get(maker)!.run === "each";
        round = Math.max(round, rounds.get(maker)! + (isLater ? 1 : 0));
      }
      // States are read and written in the order of the source.
      if (apart && hasEffect(node)) lastEffect = round = Math.max(round, lastEffect);
      if (round > MOST_ROUNDS) return undefined;
      rounds.set(node, round);
      for (const maker of readBefore(node, round, makers, rounds, kinds)) {
        least.set(maker, round);
        settled = false;
      }
    }
    if (settled) return rounds;
  }
}
