/** Graph IR: building, printing, checking, rewriting and running graphs. */
export { evaluate, type EvaluateOptions, type Evaluation, type RouteTrace } from "./evaluate.js";
export { GraphBuilder, RegionBuilder, type NodeOptions } from "./graph-builder.js";
export { StateStore } from "./states.js";
