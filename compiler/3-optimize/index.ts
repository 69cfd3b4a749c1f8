/**
 * Optimize: a graph in, a better graph with the same results out; and what schedules ask about masks.
 *
 * @example const better = optimize(deriveLastToken(program));
 */
export { dumpPasses, optimize, type OptimizeOptions } from "./optimize.js";
export { deriveBatch, type BatchOptions } from "./batch/index.js";
export { deriveLastToken, type LastTokenOptions } from "./last-token.js";
export { dropUnusedNodes } from "./passes/drop-unused.js";
export { sinkAllSlices } from "./passes/sink-slices.js";
export { passes } from "./passes.js";
export type { Pass, PassOrder } from "./pass.js";
export {
  blockTruth,
  classifyBlock,
  intervalText,
  keyRanges,
  keysOfQueries,
  maskIntervals,
  type Block,
  type BlockKind,
  type BlockTruth,
  type KeyInterval,
  type MaskAnalysis,
  type TruthArithmetic,
} from "./masks/intervals.js";
export { formText, type Form, type FormFunction, type Range } from "./masks/form.js";
