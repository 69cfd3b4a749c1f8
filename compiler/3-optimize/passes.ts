/**
 * The table of passes, in the order in which they run. Each pass says what must come before or after it and why; the
 * table is checked against that when it is loaded.
 */
import { algebra, roundedAlgebra } from "./passes/algebra.js";
import { canonicalize } from "./passes/canonicalize.js";
import { dropUnusedNodes } from "./passes/drop-unused.js";
import { foldConstants } from "./passes/fold-constants.js";
import { foldRows } from "./passes/fold-rows.js";
import { hoist } from "./passes/hoist.js";
import { shareValues } from "./passes/share.js";
import { sinkSlices } from "./passes/sink-slices.js";
import { tidyRegions } from "./passes/tidy-regions.js";
import { unrollFolds } from "./passes/unroll-folds.js";
import type { Pass } from "./pass.js";

/** The second sharing, for what moved out of regions and up through slices. */
const shareAgain: Pass = {
  ...shareValues,
  name: "share-again",
  doc: "The pass `share` once more: moving work out of layers and experts and slices up makes new equal values.",
};

/** The second spelling, for operands whose makers have moved before them. */
const canonicalizeAgain: Pass = {
  ...canonicalize,
  name: "canonicalize-again",
  doc: "The pass `canonicalize` once more: what moved out of regions is older now than what it meets there.",
  before: [{ pass: "share-again", reason: "equal nodes must look equal to be found" }],
  after: [{ pass: "sink-slices", reason: "it moves values" }],
};

export const passes: readonly Pass[] = [
  foldRows,
  unrollFolds,
  foldConstants,
  canonicalize,
  algebra,
  roundedAlgebra,
  shareValues,
  tidyRegions,
  hoist,
  sinkSlices,
  canonicalizeAgain,
  shareAgain,
  dropUnusedNodes,
];

/**
 * Every broken promise of a table: a name used twice, an unknown name in an order, an order that the table does not keep.
 */
export function orderProblems(table: readonly Pass[]): readonly string[] {
  const problems: string[] = [];
  const names = table.map(({ name }) => name);
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index) problems.push(`${name} is there twice`);
  });
  const expect = (first: string, second: string, reason: string): void => {
    const unknown = [first, second].find((name) => !names.includes(name));
    if (unknown !== undefined) problems.push(`${unknown} is no pass, but ${first} must run before ${second}`);
    else if (names.indexOf(first) > names.indexOf(second)) {
      problems.push(`${first} must run before ${second}: ${reason}`);
    }
  };
  for (const pass of table) {
    for (const { pass: other, reason } of pass.after ?? []) expect(other, pass.name, reason);
    for (const { pass: other, reason } of pass.before ?? []) expect(pass.name, other, reason);
  }
  return problems;
}

const problems = orderProblems(passes);
if (problems.length > 0) throw new Error(`the table of passes is out of order: ${problems.join("; ")}`);
