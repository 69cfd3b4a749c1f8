/** Says which tensors of a checkpoint no parameter reads. */
import type { Program } from "../compiler/2-graph/ir.js";
import { tensorsOf } from "../compiler/6-bundle/parameters.js";
import { unreadTensors, type Checkpoint } from "../compiler/checkpoints/index.js";
import type { Shell } from "./shell.js";

/** So many are named. */
const NAMED = 4;

/** Warns with MOE5445 where there are any; frequencies, masks and tied heads are not meant. */
export function warnOfUnreadTensors(shell: Shell, program: Program, checkpoint: Checkpoint): void {
  // An ONNX file keeps the constants of its graph beside the parameters.
  if (checkpoint.format === "onnx") return;
  const read = program.params.flatMap(({ path }) => tensorsOf(program, checkpoint, path));
  const unread = unreadTensors(checkpoint, read);
  if (unread.length === 0) return;
  const named = unread.slice(0, NAMED).map(({ name }) => `\`${name}\``);
  const more = unread.length > NAMED ? `, and ${unread.length - NAMED} more` : "";
  shell.warn("MOE5445", {
    count: unread.length,
    all: checkpoint.tensors.size,
    model: program.name,
    names: named.join(", ") + more,
  });
}
