/** Where a project's numbers come from: its checkpoint, or a seed. */
import type { Program } from "../compiler/2-graph/ir.js";
import { checkpointSource, randomSource, type ParameterSource } from "../compiler/6-bundle/parameters.js";
import type { Checkpoint } from "../compiler/checkpoints/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { kernelBlocks } from "./block-kernels.js";
import { openCheckpointFiles } from "./checkpoint-files.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";
import { named } from "./source-host.js";
import { warnOfUnreadTensors } from "./unread-tensors.js";

export interface OpenParameters {
  readonly source: ParameterSource;
  /** Absent for parameters from a seed. */
  readonly checkpoint?: Checkpoint;
  /** Paths of the checkpoint's files. */
  readonly files: readonly string[];
  close(): void;
}

/** @throws MoecError MOE5407 for a project with neither weights nor a seed. */
export function requireParameters(shell: Shell, { weights, random, spec }: Project): void {
  if (weights.length === 0 && random === undefined) throw moecError("MOE5407", { file: named(shell.io.cwd, spec) });
}

/**
 * Warns of tensors that no parameter reads.
 *
 * @param built The program as it was built, with the names that the checkpoint is read by.
 */
export function openParameters(shell: Shell, built: Program, project: Project): OpenParameters {
  if (project.weights.length === 0) {
    return { source: randomSource(built, project.random ?? 0), files: [], close: () => undefined };
  }
  const opened = openCheckpointFiles(project.weights);
  try {
    const source = checkpointSource(built, opened.checkpoint, kernelBlocks());
    warnOfUnreadTensors(shell, built, opened.checkpoint);
    return {
      source,
      checkpoint: opened.checkpoint,
      files: opened.files,
      close: () => opened.close(),
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}
