/** What a model becomes: its graph, and its kernels on each target, as text to read. */
import type { CheckedProject } from "../../../compiler/1-check/index.js";
import { buildProgram, printProgram } from "../../../compiler/2-graph/index.js";
import { deriveLastToken, optimize } from "../../../compiler/3-optimize/index.js";
import { schedule } from "../../../compiler/4-schedule/index.js";
import { KERNEL_FORMS, printKernels, targetOf, type WasmPrinter } from "./forms.js";
import { refusal, type Shown } from "./refusal.js";

export const FORMS = ["graph", "optimized", ...KERNEL_FORMS] as const;
export type Form = (typeof FORMS)[number];

/** An editor reads code, it does not serve long texts: room for this many tokens. */
export const LIMITS = { T: 64, context: 128 };

/** The model of the file in one of the forms. */
export async function emitted(project: CheckedProject, form: Form, wasm: WasmPrinter): Promise<Shown> {
  try {
    const program = buildProgram(project);
    if (form === "graph") return { ok: true, text: printProgram(program) };
    const optimized = optimize(deriveLastToken(program));
    if (form === "optimized") return { ok: true, text: printProgram(optimized) };
    const scheduled = schedule(optimized, targetOf[form], { limits: LIMITS });
    return { ok: true, text: (await printKernels(scheduled, form, wasm)).text };
  } catch (error) {
    return { ok: false, text: refusal(error) };
  }
}
