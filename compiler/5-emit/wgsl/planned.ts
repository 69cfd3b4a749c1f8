/**
 * A kernel of a plan as WGSL. The spaces of a plan are few and its buffers are many, and WebGPU binds at most eight
 * buffers, from multiples of 256 bytes on, none of them twice when it is written. So state, arena and io are bound whole,
 * one array of words each, and a buffer is a number of words to begin at; weights, which may be spread over several GPU
 * buffers, have a binding for each use.
 *
 * Group 0 binds at 0 a uniform with the scalars in order, the first word of each buffer (i32), and the number of blocks
 * (i32); then at 1, 2, ... what `bindings` names.
 *
 * Blocks of one thread are laid side by side in workgroups of 64, so `groupBlocks` blocks need one workgroup.
 */
import type { Kernel } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import type { MemorySpace } from "../../4-schedule/plan.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";
import { checkBlock, isAlone } from "../lanes/block.js";
import type { Dialect } from "../lanes/dialect.js";
import { LaneWriter, Library } from "../lanes/writer.js";
import { entryHead, foldAlternatives, type WgslAlternative } from "./alternatives.js";
import { wgslDialect, wgslPrelude } from "./dialect.js";
import { foldFunctions } from "./folds.js";
import { declarationsOf, memoryDialect, type Words } from "./memory.js";

/** What is bound: a whole space, or the GPU buffer in which the weights of the kernel's buffer number `buffer` lie. */
export type WgslBinding =
  | { readonly kind: "space"; readonly space: Exclude<MemorySpace, "weights"> }
  | { readonly kind: "weights"; readonly buffer: number };

export interface PlannedWgsl {
  readonly kernel: string;
  /** The space of each of its buffers. */
  readonly spaces: readonly MemorySpace[];
  readonly code: string;
  readonly bindings: readonly WgslBinding[];
  /** Blocks of one workgroup. */
  readonly groupBlocks: number;
  /** Parts of the code with another text on some devices. */
  readonly alternatives: readonly WgslAlternative[];
}

/** Storage buffers that every WebGPU device binds. */
const MOST_BINDINGS = 8;
const SIDE_BY_SIDE = 64;

/**
 * The WGSL of a kernel that a plan launches with buffers in these spaces.
 *
 * @throws MoecError MOE4310 when it needs more bindings than WebGPU grants.
 */
export function emitPlannedWgsl(kernel: Kernel, spaces: readonly MemorySpace[], target: Target): PlannedWgsl {
  checkBlock(kernel, target);
  const bindings = bindingsOf(spaces);
  if (bindings.length > MOST_BINDINGS) {
    throw moecError("MOE4310", { kernel: kernel.name, needed: bindings.length, limit: MOST_BINDINGS });
  }
  const { words: declared, halves } = declarationsOf(kernel);
  const words = new Map<string, Words>();
  const arrays = new Map<string, { readonly array: string; readonly first: string }>();
  const place = (name: string, index: string): string => {
    const within = arrays.get(name);
    if (within === undefined) return `${name}[${index}]`;
    const first = words.get(name) === "vec4<u32>" ? `(${within.first} >> 2u)` : within.first;
    return `${within.array}[${first} + i32(${index})]`;
  };
  const halfReaders = new Map<string, string>();
  const halfAt = (name: string, index: string): string | undefined => {
    const reader = halfReaders.get(name);
    return reader && `${reader}(2 * ${arrays.get(name)!.first} + ${index})`;
  };
  const dialect: Dialect = { ...wgslDialect, ...memoryDialect((name) => words.get(name)!, place, halfAt) };
  const library = new Library(dialect);
  const writer = new LaneWriter(dialect, library);
  const globals: string[] = [];
  const alternatives: WgslAlternative[] = [...foldAlternatives(kernel)];
  const groupBlocks = isAlone(kernel) ? SIDE_BY_SIDE : 1;

  const spaceWords = (space: MemorySpace): Words =>
    kernel.buffers.some(({ name }, i) => spaces[i] === space && declared.get(name) === "atomic<u32>")
      ? "atomic<u32>"
      : "u32";
  bindings.forEach((binding, i) => {
    const [name, access, type] =
      binding.kind === "space"
        ? [`moec_${binding.space}`, "read_write", spaceWords(binding.space)]
        : [`moec_weights_${binding.buffer}`, "read", declared.get(kernel.buffers[binding.buffer]!.name)!];
    const variable = `@group(0) @binding(${i + 1}) var<storage, ${access}> ${name}: array`;
    if (binding.kind === "weights" && halves.has(kernel.buffers[binding.buffer]!.name)) {
      const half = halfReader(variable, name, binding.buffer);
      alternatives.push(half);
      globals.push(half.plain);
    } else {
      globals.push(`${variable}<${type}>;`);
    }
  });
  kernel.buffers.forEach(({ name, element, access }, i) => {
    const buffer = writer.addBuffer(name, { element, space: "global", access });
    const space = spaces[i]!;
    words.set(buffer.name, space === "weights" ? declared.get(name)! : spaceWords(space));
    const array = space === "weights" ? `moec_weights_${i}` : `moec_${space}`;
    arrays.set(buffer.name, { array, first: `moec_first_${i}` });
    if (space === "weights" && halves.has(name)) halfReaders.set(buffer.name, `moec_half_${i}`);
  });
  const blockArray = (name: string): string => {
    const { element, space, length } = kernel.blockBuffers.find((buffer) => buffer.name === name)!;
    const printed = writer.addBuffer(name, { element, space, access: "readwrite" });
    words.set(printed.name, declared.get(name)!);
    return `${printed.name}: array<${declared.get(name)!}, ${Math.ceil((length * memoryBytes[element]) / 4)}>;`;
  };
  for (const { name, space } of kernel.blockBuffers) {
    if (space === "shared") globals.push(`var<workgroup> ${blockArray(name)}`);
  }
  writer.indented(() => {
    const group = "i32(group.x + group.y * groups.x)";
    writer.line(`let moec_block = ${groupBlocks === 1 ? group : `${group} * ${groupBlocks} + i32(thread)`};`);
    writer.line("if (moec_block >= moec_scalars.moec_blocks) { return; }");
    writer.line(`let moec_thread = ${groupBlocks === 1 ? "i32(thread)" : "0"};`);
    for (const { name, type } of kernel.scalars) {
      const own = writer.names.of(name);
      writer.line(`let ${own}: ${type} = moec_scalars.${own};`);
    }
    kernel.buffers.forEach((_, i) => writer.line(`let moec_first_${i} = moec_scalars.moec_first_${i};`));
    for (const { name, space } of kernel.blockBuffers) {
      if (space === "local") writer.line(`var ${blockArray(name)}`);
    }
    writer.statements(kernel.body);
  });
  const code = [
    `// ${kernel.name}: ${kernel.doc.replace(/\s+/g, " ")}`,
    ...globals,
    "struct Scalars {",
    ...kernel.scalars.map(({ name, type }) => `  ${writer.names.of(name)}: ${type},`),
    ...kernel.buffers.map((_, i) => `  moec_first_${i}: i32,`),
    "  moec_blocks: i32,",
    "}",
    "@group(0) @binding(0) var<uniform> moec_scalars: Scalars;",
    "",
    wgslPrelude,
    ...library.lines,
    ...foldFunctions(kernel),
    "",
    `@compute @workgroup_size(${groupBlocks === 1 ? kernel.threads : groupBlocks})`,
    "fn main(",
    "  @builtin(workgroup_id) group: vec3<u32>,",
    "  @builtin(num_workgroups) groups: vec3<u32>,",
    entryHead,
    ...writer.lines,
    "}",
    "",
  ].join("\n");
  return { kernel: kernel.name, spaces, code, bindings, groupBlocks, alternatives };
}

/** Weights that are read as f16 one by one: through a function, since only a feature of devices has the type. */
function halfReader(variable: string, array: string, buffer: number): WgslAlternative {
  const reader = `fn moec_half_${buffer}(at: i32) -> f32`;
  const word = `${array}[at >> 1u] >> (u32(at & 1) << 4u)`;
  return {
    feature: "shader-f16",
    plain: `${variable}<u32>;\n${reader} { return unpack2x16float(${word}).x; }`,
    text: `${variable}<f16>;\n${reader} { return f32(${array}[at]); }`,
  };
}

function bindingsOf(spaces: readonly MemorySpace[]): readonly WgslBinding[] {
  const whole = (["state", "arena", "io"] as const).filter((space) => spaces.includes(space));
  const weights = spaces.flatMap((space, buffer) =>
    space === "weights" ? [{ kind: "weights", buffer } as const] : [],
  );
  return [...whole.map((space) => ({ kind: "space", space }) as const), ...weights];
}
