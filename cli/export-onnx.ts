/** From a project to an ONNX file on disk. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import {
  modelBytes,
  onnxGraph,
  type Contrib,
  type ExternalPlace,
  type Initializer,
} from "../compiler/5-emit/onnx/index.js";
import { replaceFiles } from "../runtime/node/replace-files.js";
import { buildOptimized, checkSpec } from "./compile.js";
import { openParameters, requireParameters } from "./parameters.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";

export interface ExportedOnnx {
  readonly entry: string;
  readonly nodes: number;
  /** Absolute paths, the model first. */
  readonly files: readonly string[];
}

export interface OnnxChoices {
  /** The first one when absent. */
  readonly entry?: string;
  /** Fused operators to use. */
  readonly contrib?: Contrib;
}

/** A protocol buffer message cannot be larger than 2 GB; some room is left for the graph itself. */
const MOST_EMBEDDED_BYTES = 2 ** 31 - 2 ** 26;
/** Tensors this small stay in the model file, where runtimes look for shapes. */
const SMALL_BYTES = 1024;
/** Runtimes map external data by pages. */
const ALIGNMENT = 4096;

/**
 * @throws DiagnosticsError for a wrong spec, MoecError MOE5407 without weights, MOE5601, MOE5602 and MOE5610 for what
 * ONNX and its fused operators cannot hold, and what reading a checkpoint throws.
 */
export function exportOnnx(shell: Shell, project: Project, out: string, choices: OnnxChoices = {}): ExportedOnnx {
  requireParameters(shell, project);
  const { built, optimized } = buildOptimized(checkSpec(shell, project.spec), project);
  const entry = choices.entry ?? optimized.entries[0]?.name ?? "forward";
  const parameters = openParameters(shell, built, project);
  try {
    const graph = onnxGraph(optimized, entry, parameters.source, choices.contrib);
    const total = graph.initializers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const data = `${out}.data`;
    const isSplit = total > MOST_EMBEDDED_BYTES;
    const files = isSplit ? [out, data] : [out];
    // The data first: a model is never there without it.
    replaceFiles([...files].reverse(), (asides) => {
      const places = isSplit ? writeData(graph.initializers, asides[0]!, basename(data)) : undefined;
      writeFileSync(
        asides.at(-1)!,
        modelBytes(graph, (tensor) => places?.get(tensor.name)),
      );
    });
    return { entry, nodes: graph.nodes.length, files };
  } finally {
    parameters.close();
  }
}

/** Writes the bytes of the larger tensors one after the other and says where each lies. */
function writeData(tensors: readonly Initializer[], path: string, file: string): ReadonlyMap<string, ExternalPlace> {
  const places = new Map<string, ExternalPlace>();
  const descriptor = openSync(path, "w");
  try {
    let offset = 0;
    for (const tensor of tensors.filter(({ byteLength }) => byteLength > SMALL_BYTES)) {
      const bytes = tensor.bytes();
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at, bytes.length - at, offset + at);
      places.set(tensor.name, { file, offset });
      offset = Math.ceil((offset + bytes.length) / ALIGNMENT) * ALIGNMENT;
    }
  } finally {
    closeSync(descriptor);
  }
  return places;
}
