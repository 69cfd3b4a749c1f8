/** The runtime's public names that are the same in Node and in browsers. */
export type { CallOptions, CallResult } from "./model/model.js";
export type { LoadProgress } from "./model/open.js";
export type { GenerateOptions, GenerationStep } from "./generate/generate.js";
export type { SamplingOptions } from "./generate/sampling.js";
export { joinRoutes } from "./model/tensor.js";
export type { FloatTensor, InputValue, IntTensor, RouteTrace, Tensor } from "./model/tensor.js";
export type { Snapshot } from "./model/states.js";
export type { DeviceReport } from "./device.js";
export type { Tokenizer } from "./tokenizer/types.js";
export { MoecError } from "../compiler/errors/moec-error.js";
