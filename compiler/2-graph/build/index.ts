/** From checked projects to programs, and the tests that files contain. */
export { buildProgram, type BuildOptions } from "./program.js";
export { buildRecipe, recipesOf, type BuiltParameter, type BuiltRecipe, type RecipeOptions } from "./recipe.js";
export { ProgramRefused } from "./refused.js";
export {
  prepareTests,
  runTests,
  type PreparedTest,
  type TestFailure,
  type TestOptions,
  type TestResult,
} from "./tests.js";
