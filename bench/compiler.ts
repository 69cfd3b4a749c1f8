/** What the benches of kernels and of the compiler use, from one import, so that all of it shares its classes. */
export { parse } from "../grammar/parse.js";
export { check } from "../compiler/1-check/index.js";
export { buildProgram } from "../compiler/2-graph/build/index.js";
export { deriveLastToken, optimize } from "../compiler/3-optimize/index.js";
export { schedule } from "../compiler/4-schedule/index.js";
export { layerCount, packWeight } from "../compiler/4-schedule/layout/pack.js";
export { emitWgslPrograms } from "../compiler/5-emit/wgsl/module.js";
export { emitWasm } from "../compiler/5-emit/wasm/index.js";
export { wasmRelaxed, webgpu } from "../compiler/targets/index.js";
export { random } from "../test/kernels/memory.js";
export { instantiate } from "../test/emit/wasm-host.js";
export { Machine } from "../test/schedule/machine.js";
export { countVisits, visitCounter } from "../test/support/visits.js";
export { limitKernels } from "./kernels/limits.js";
