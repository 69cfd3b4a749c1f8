/** Graph IR: building, printing, checking, rewriting and running graphs. */
export {
  buildProgram,
  buildRecipe,
  recipesOf,
  type BuiltParameter,
  type BuiltRecipe,
  type RecipeOptions,
  prepareTests,
  ProgramRefused,
  runTests,
  type BuildOptions,
  type PreparedTest,
  type TestFailure,
  type TestOptions,
  type TestResult,
} from "./build/index.js";
export { evaluate, type EvaluateOptions, type Evaluation, type RouteTrace } from "./evaluate.js";
export { GraphBuilder, RegionBuilder, type NodeOptions } from "./graph-builder.js";
export { parseProgram } from "./parse.js";
export { printNode, printProgram, printRegion, type PrintOptions } from "./print.js";
export { StateStore } from "./states.js";
export { declarationsOf } from "./types.js";
export { verify, type GraphProblem } from "./verify.js";
