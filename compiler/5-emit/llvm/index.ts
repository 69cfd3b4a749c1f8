/**
 * Kernel IR as the text of one LLVM module, with typed pointers for LLVM 14 or opaque ones for all later. Each kernel is a function
 *
 *   void kernel(i8** buffers, i32* scalars, i8* scratch, i32 from, i32 to)
 *
 * that runs the blocks from..to: addresses of the buffers in order, scalars in order as their 32 bits, and
 * `scratchBytes(kernels)` bytes of memory for this call alone. `llc` needs no optimizer before it, and the object needs
 * no library: mathematical functions are part of the text.
 */
import type { Kernel } from "../../4-schedule/kernel-ir.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";
import { blockBufferBytes } from "../scratch.js";
import { beginFragments } from "./fragments.js";
import { LlvmFunction, type Declarations } from "./function.js";
import { linuxArm64, linuxX64, poolText } from "./pool.js";
import { emitStatements } from "./statements.js";
import { withOpaquePointers } from "./text.js";

export { scratchBytes } from "../scratch.js";

function emitKernel(kernel: Kernel, target: Target, declarations: Declarations): string {
  if (kernel.threads !== 1) throw moecError("MOE4502", { kernel: kernel.name, threads: String(kernel.threads) });
  const f = new LlvmFunction(kernel.name, target, declarations);
  kernel.buffers.forEach(({ name, element }, i) => {
    const place = f.value("i8**", `getelementptr i8*, i8** %buffers, i64 ${i}`);
    f.buffers.set(name, {
      element,
      pointer: f.value("i8*", `load i8*, i8** ${place.text}`, name).text,
    });
  });
  kernel.scalars.forEach(({ name, type }, i) => {
    const place = f.value("i32*", `getelementptr i32, i32* %scalars, i64 ${i}`);
    const bits = f.value("i32", `load i32, i32* ${place.text}`, name);
    f.bind(name, type === "i32" ? bits : f.value("float", `bitcast i32 ${bits.text} to float`, name));
  });
  let offset = 0;
  for (const buffer of kernel.blockBuffers) {
    const { name, element } = buffer;
    const pointer = f.value("i8*", `getelementptr i8, i8* %scratch, i64 ${offset}`, name).text;
    f.buffers.set(name, { element, pointer });
    offset += blockBufferBytes(buffer);
  }
  const endFragments = beginFragments(f, kernel);
  f.loop({ type: "i32", text: "%from" }, { type: "i32", text: "%to" }, 1, [], (index) => {
    f.bind("@block", index);
    emitStatements(f, kernel.body);
  });
  endFragments();
  f.line("ret void");
  const parameters =
    "i8** nocapture readonly %buffers, i32* nocapture readonly %scalars, i8* %scratch, i32 %from, i32 %to";
  return [
    `; ${kernel.doc.replace(/\s+/g, " ")}`,
    `define void @${kernel.name}(${parameters}) #0 {`,
    "entry:",
    ...f.lines,
    "}",
  ].join("\n");
}

const systems = {
  "x86-64": { triple: "x86_64-unknown-linux-gnu", pool: linuxX64 },
  aarch64: { triple: "aarch64-unknown-linux-gnu", pool: linuxArm64 },
} as const;

export interface LlvmOptions {
  /** LLVM 14 reads typed pointers (the default here), 15 and later opaque ones. */
  readonly pointers?: "typed" | "opaque";
  /** Also the threads that run launches of the kernels (`pool.ts`). */
  readonly pool?: boolean;
}

/** The kernels as one module. They must pass `verifyKernels`. */
export function emitLlvm(kernels: readonly Kernel[], target: Target, options: LlvmOptions = {}): string {
  if (target.family !== "llvm" || !target.codegen) {
    throw moecError("MOE4503", { target: target.name, wanted: "llvm" });
  }
  const declarations: Declarations = new Set();
  const functions = kernels.map((kernel) => emitKernel(kernel, target, declarations));
  const { architecture, cpu, features } = target.codegen;
  const system = systems[architecture];
  const processor = [
    "nounwind",
    `"target-cpu"="${cpu}"`,
    ...(features === "" ? [] : [`"target-features"="${features}"`]),
  ];
  const attributes = [
    ...processor,
    // Without these the code generator halves vectors of 512 bits.
    `"prefer-vector-width"="${target.vectorBits}"`,
    `"min-legal-vector-width"="${target.vectorBits}"`,
    '"no-trapping-math"="true"',
  ];
  const text = `${[
    `target triple = "${system.triple}"`,
    ...functions,
    ...(options.pool === true ? [poolText(system.pool)] : []),
    ...[...declarations].sort(),
    `attributes #0 = { ${attributes.join(" ")} }`,
    ...(options.pool === true ? [`attributes #1 = { ${processor.join(" ")} }`] : []),
  ].join("\n\n")}\n`;
  return options.pointers === "opaque" ? withOpaquePointers(text) : text;
}
