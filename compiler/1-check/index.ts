/**
 * The checker: modules and imports, names, axes, types and contracts.
 *
 * One walk over the tree serves checking and building. Here it derives types with symbols for sizes; `2-graph/build`
 * runs the same walk with numbers and makes a graph.
 */
export { check, type CheckedFile, type CheckedProject, type CheckOptions } from "./check.js";
export { builtins, type Builtin } from "./builtins/index.js";
export type { SourceHost } from "./project.js";
