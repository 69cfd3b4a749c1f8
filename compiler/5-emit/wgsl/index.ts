/**
 * Kernel IR as WGSL: one module for each kernel, with the entry point `main`.
 *
 * Group 0 binds the buffers in order at 0, 1, ..., and after them a uniform with the scalars in order, then the numbers
 * of the first block and of the block after the last (i32). Dispatch any grid with at least that many workgroups: those
 * beyond return at once. A binding's size is a multiple of 4 bytes.
 */
import type { Kernel } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";
import { checkBlock } from "../lanes/block.js";
import type { Dialect } from "../lanes/dialect.js";
import { LaneWriter, Library } from "../lanes/writer.js";
import { entryHead } from "./alternatives.js";
import { wgslDialect, wgslPrelude } from "./dialect.js";
import { foldFunctions } from "./folds.js";
import { memoryDialect, wordsOf, type Words } from "./memory.js";

export interface WgslOptions {
  /**
   * Read-only buffers that lie in one GPU buffer with a written one: WebGPU wants all bindings of that GPU buffer to be
   * writable. What a barrier's control flow depends on must not be among them.
   */
  readonly bindWritable?: ReadonlySet<string>;
}

const wordCount = (length: number, bytes: number): number => Math.ceil((length * bytes) / 4);

/** The WGSL module of a kernel. The kernel must pass `verifyKernels`. */
export function emitWgsl(kernel: Kernel, target: Target, options: WgslOptions = {}): string {
  if (target.family !== "wgsl") throw moecError("MOE4503", { target: target.name, wanted: "wgsl" });
  checkBlock(kernel, target);
  const declared = wordsOf(kernel);
  const words = new Map<string, Words>();
  const dialect: Dialect = { ...wgslDialect, ...memoryDialect((name) => words.get(name)!) };
  const library = new Library(dialect);
  const writer = new LaneWriter(dialect, library);
  const globals: string[] = [];
  const printed = (name: string, space: "global" | "shared" | "local"): string => {
    const source = [...kernel.buffers, ...kernel.blockBuffers].find((buffer) => buffer.name === name)!;
    const access = "access" in source ? source.access : "readwrite";
    const buffer = writer.addBuffer(name, { element: source.element, space, access });
    words.set(buffer.name, declared.get(name)!);
    return buffer.name;
  };
  kernel.buffers.forEach(({ name, access }, binding) => {
    const writable = access !== "read" || options.bindWritable?.has(name) === true;
    const type = `array<${declared.get(name)!}>`;
    globals.push(
      `@group(0) @binding(${binding}) var<storage, ${writable ? "read_write" : "read"}> ${printed(name, "global")}: ${type};`,
    );
  });
  for (const { name, element, space, length } of kernel.blockBuffers) {
    if (space !== "shared") continue;
    const type = `array<${declared.get(name)!}, ${wordCount(length, memoryBytes[element])}>`;
    globals.push(`var<workgroup> ${printed(name, "shared")}: ${type};`);
  }
  writer.indented(() => {
    writer.line("let moec_block = i32(group.x + group.y * groups.x) + moec_scalars.first;");
    writer.line("if (moec_block >= moec_scalars.last) { return; }");
    writer.line("let moec_thread = i32(thread);");
    for (const { name, type } of kernel.scalars) {
      const own = writer.names.of(name);
      writer.line(`let ${own}: ${type} = moec_scalars.${own};`);
    }
    for (const { name, element, space, length } of kernel.blockBuffers) {
      if (space !== "local") continue;
      const type = `array<${declared.get(name)!}, ${wordCount(length, memoryBytes[element])}>`;
      writer.line(`var ${printed(name, "local")}: ${type};`);
    }
    writer.statements(kernel.body);
  });
  const fields = kernel.scalars.map(({ name, type }) => `  ${writer.names.of(name)}: ${type},`);
  return `${[
    `// ${kernel.name}: ${kernel.doc.replace(/\s+/g, " ")}`,
    ...globals,
    "struct Scalars {",
    ...fields,
    "  first: i32,",
    "  last: i32,",
    "}",
    `@group(0) @binding(${kernel.buffers.length}) var<uniform> moec_scalars: Scalars;`,
    "",
    wgslPrelude,
    ...library.lines,
    ...foldFunctions(kernel),
    "",
    `@compute @workgroup_size(${kernel.threads})`,
    "fn main(",
    "  @builtin(workgroup_id) group: vec3<u32>,",
    "  @builtin(num_workgroups) groups: vec3<u32>,",
    entryHead,
    ...writer.lines,
    "}",
  ].join("\n")}\n`;
}
