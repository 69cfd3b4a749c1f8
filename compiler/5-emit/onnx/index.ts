/**
 * Export to ONNX, opset 21: one entry of a program as one flat graph. Layers are written out one after the other, states
 * are inputs `past.…` and outputs `present.…`, run-time sizes are named dimensions.
 */
import type { Program } from "../../2-graph/ir.js";
import { moecError } from "../../errors/raise.js";
import type { Contrib } from "./contrib/names.js";
import type { OnnxGraph } from "./model-bytes.js";
import type { ParameterNumbers } from "./parameters.js";
import { Writer } from "./writer.js";

export { modelBytes, OPSET, type ExternalPlace, type Initializer, type OnnxGraph } from "./model-bytes.js";
export type { Contrib, ContribOperator, ExpertStorage } from "./contrib/names.js";
export { lowerings } from "./table.js";
export type { ParameterNumbers } from "./parameters.js";

/**
 * The graph of one entry of a verified program.
 *
 * @param contrib Fused operators of ONNX Runtime to use; none when absent.
 * @throws MoecError MOE5601 for an op without a counterpart, MOE5602 for what a file cannot hold (or an entry that is not
 * there), MOE5610 for what an operator that was asked for cannot say.
 */
export function onnxGraph(
  program: Program,
  entryName: string,
  numbers: ParameterNumbers,
  contrib?: Contrib,
): OnnxGraph {
  const entry = program.entries.find(({ name }) => name === entryName);
  if (!entry) throw moecError("MOE5602", { what: `\`${entryName}\``, reason: "the model has no such entry point" });
  return new Writer(program, entry, numbers, contrib).write();
}
