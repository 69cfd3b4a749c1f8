/** WebAssembly as text. By itself, because the library that writes modules is large. */
import type { Schedule } from "../../compiler/4-schedule/index.js";
import { emitWasm } from "../../compiler/5-emit/wasm/index.js";
import { wasmSimd } from "../../compiler/targets/index.js";
import binaryen from "binaryen";

/** The module of the kernels in the text format of WebAssembly. */
export function wasmText(kernels: Schedule["kernels"]): string {
  const module = binaryen.readBinary(emitWasm(kernels, wasmSimd));
  try {
    return module.emitText();
  } finally {
    module.dispose();
  }
}
