/** WebAssembly as text. By itself, because the library that writes modules is large. */
import type { Schedule } from "../../../compiler/4-schedule/index.js";
import { emitWasm } from "../../../compiler/5-emit/wasm/index.js";
import { wasmSimd } from "../../../compiler/targets/index.js";
import binaryen from "binaryen";

/** The module of the kernels in the text format of WebAssembly; a kernel's function has its name. */
export function wasmText(kernels: Schedule["kernels"]): string {
  const module = binaryen.readBinary(emitWasm(kernels, wasmSimd));
  try {
    return withNames(module.emitText());
  } finally {
    module.dispose();
  }
}

/** A binary module has no names but those of its exports. */
function withNames(text: string): string {
  const names = new Map<string, string>();
  for (const [, name, number] of text.matchAll(/^ \(export "(\w+)" \(func \$(\d+)\)\)/gm)) names.set(number!, name!);
  return text.replace(/\(func \$(\d+)/g, (whole, number: string) => {
    const name = names.get(number);
    return name === undefined ? whole : `(func $${name}`;
  });
}
