/** What a model becomes on each target, as text to read. */
import type { CheckedProject } from "../../compiler/1-check/index.js";
import { buildProgram, printProgram, ProgramRefused } from "../../compiler/2-graph/index.js";
import { deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule, type Schedule } from "../../compiler/4-schedule/index.js";
import { emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { targets } from "../../compiler/targets/index.js";

export const FORMS = ["graph", "optimized", "wgsl", "cuda", "wasm"] as const;
export type Form = (typeof FORMS)[number];

export interface Emitted {
  readonly ok: boolean;
  /** The text, or why there is none. */
  readonly text: string;
}

/** Prints the bytes of a WebAssembly module; the printer is large, so the caller decides when to load it. */
export type WasmPrinter = (kernels: Schedule["kernels"]) => Promise<string>;

/** A page reads code, it does not serve long texts: room for this many tokens. */
const LIMITS = { T: 64, context: 128 };

/** Why a stage refused, as lines of code and message; anything else is a mistake of ours and is thrown. */
export function refusal(error: unknown): string {
  if (error instanceof ProgramRefused) {
    return error.diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n");
  }
  if (error instanceof MoecError) return `${error.code}: ${error.message}`;
  throw error;
}

/** The model of the file in one of the forms. */
export async function emitted(project: CheckedProject, form: Form, wasm: WasmPrinter): Promise<Emitted> {
  try {
    return { ok: true, text: await textOf(project, form, wasm) };
  } catch (error) {
    return { ok: false, text: refusal(error) };
  }
}

async function textOf(project: CheckedProject, form: Form, wasm: WasmPrinter): Promise<string> {
  const program = buildProgram(project);
  if (form === "graph") return printProgram(program);
  const optimized = optimize(deriveLastToken(program));
  if (form === "optimized") return printProgram(optimized);
  const name = { wgsl: "webgpu", cuda: "cuda", wasm: "wasm-simd" }[form];
  const target = targets[name];
  if (!target) throw new TypeError(`there is no target ${name}`);
  const { kernels, plan } = schedule(optimized, target, { limits: LIMITS });
  switch (form) {
    case "wgsl":
      return emitWgslPrograms(kernels, plan, target)
        .map(({ kernel, code }) => `// ---- ${kernel}\n${code}`)
        .join("\n");
    case "cuda":
      return emitCuda(kernels, target);
    case "wasm":
      return wasm(kernels);
    default:
      return form satisfies never;
  }
}
