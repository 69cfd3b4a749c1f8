/** Kernels as the text of a target, and which lines of it are which kernel. */
import type { Schedule } from "../../../compiler/4-schedule/index.js";
import { emitCuda } from "../../../compiler/5-emit/cuda/index.js";
import { emitLlvm } from "../../../compiler/5-emit/llvm/index.js";
import { emitWgslPrograms } from "../../../compiler/5-emit/wgsl/module.js";
import { cuda, wasmSimd, webgpu, x86v3, type Target } from "../../../compiler/targets/index.js";

export const KERNEL_FORMS = ["wgsl", "cuda", "llvm", "wasm"] as const;
export type KernelForm = (typeof KERNEL_FORMS)[number];

/** Prints a WebAssembly module as text; the library that can is large, so the caller decides when to load it. */
export type WasmPrinter = (kernels: Schedule["kernels"]) => Promise<string>;

export const targetOf: Readonly<Record<KernelForm, Target>> = { wgsl: webgpu, cuda, llvm: x86v3, wasm: wasmSimd };

export interface KernelLines {
  readonly kernel: string;
  /** Lines from 0, both part of it. */
  readonly first: number;
  readonly last: number;
}

export interface KernelText {
  readonly text: string;
  /** In the order of the text. */
  readonly kernels: readonly KernelLines[];
}

/** The kernels that pass `isWanted`, printed. */
export async function printKernels(
  { kernels, plan }: Schedule,
  form: KernelForm,
  wasm: WasmPrinter,
  isWanted: (kernel: string) => boolean = () => true,
): Promise<KernelText> {
  const wanted = kernels.filter(({ name }) => isWanted(name));
  switch (form) {
    case "wgsl": {
      // One kernel may be several programs, by the buffers that it is launched with.
      const programs = emitWgslPrograms(kernels, plan, webgpu).filter(({ kernel }) => isWanted(kernel));
      return joined(programs.map(({ kernel, code }) => ({ kernel, code: `// ---- ${kernel}\n${code.trimEnd()}\n` })));
    }
    case "cuda":
      return located(emitCuda(wanted, cuda), / __launch_bounds__\(\d+\) (\w+)\(/, /^\}/);
    case "llvm":
      return located(emitLlvm(wanted, x86v3, { pointers: "opaque" }), /^define void @(\w+)\(/, /^\}/);
    case "wasm":
      return located(await wasm(wanted), /^ \(func \$([a-z_]\w*)/i, /^ \)/);
    default:
      return form satisfies never;
  }
}

function joined(parts: readonly { readonly kernel: string; readonly code: string }[]): KernelText {
  const kernels: KernelLines[] = [];
  let line = 0;
  for (const { kernel, code } of parts) {
    const lines = code.split("\n");
    // What stands before the function is the same in every program.
    const begin = lines.findIndex((each) => each.startsWith("@compute"));
    kernels.push({ kernel, first: line + Math.max(0, begin), last: line + lines.length - 2 });
    line += lines.length;
  }
  return { text: parts.map(({ code }) => code).join("\n"), kernels };
}

/** Finds functions by the line that they begin with (its first group is the name); a comment before it belongs to it. */
function located(text: string, begin: RegExp, end: RegExp): KernelText {
  const lines = text.split("\n");
  const kernels = lines.flatMap((line, at): KernelLines[] => {
    const kernel = begin.exec(line)?.[1];
    if (kernel === undefined) return [];
    const first = /^(\/\/|;)/.test(lines[at - 1] ?? "") ? at - 1 : at;
    const length = lines.slice(at).findIndex((each) => end.test(each));
    return [{ kernel, first, last: length < 0 ? lines.length - 1 : at + length }];
  });
  return { text, kernels };
}
