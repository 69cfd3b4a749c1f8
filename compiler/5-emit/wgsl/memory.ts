/**
 * Buffers in WGSL. Storage buffers hold f32, i32 or u32 words only, so narrow types are unpacked from words; a narrow
 * store changes part of a word that another thread may be changing too, so it takes two atomic steps on its own bits.
 */
import type { Expression, FragmentStatement, Kernel, MemoryType, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes, operandsOf } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { Dialect, PrintedPlace } from "../lanes/dialect.js";

/** What the elements of the WGSL array are. */
export type Words = "f32" | "i32" | "u32" | "vec4<u32>" | "atomic<u32>";

/** Reads one f16 of a buffer, which is printed in a way of its own; undefined for one that is read as words. */
export type HalfReader = (printedName: string, index: string) => string | undefined;

interface Uses {
  readonly types: Set<MemoryType>;
  atomic: boolean;
  /** Every access reads whole aligned groups of four words. */
  wide: boolean;
}

const isWide = (load: Expression & { kind: "load" }, memory: MemoryType): boolean =>
  load.aligned === true && (load.type.lanes * memoryBytes[memory]) % 16 === 0;

/** How each buffer of the kernel is declared, by its name. */
export function wordsOf(kernel: Kernel): ReadonlyMap<string, Words> {
  return declarationsOf(kernel).words;
}

/** The same, and which buffers the kernel only reads, as f16 one by one. */
export function declarationsOf(kernel: Kernel): {
  readonly words: ReadonlyMap<string, Words>;
  readonly halves: ReadonlySet<string>;
} {
  const declared = [
    ...kernel.buffers.map(({ name, element }) => ({ name, element, local: false })),
    ...kernel.blockBuffers.map(({ name, element, space }) => ({ name, element, local: space === "local" })),
  ];
  const readable = new Set(kernel.buffers.filter(({ access }) => access === "read").map(({ name }) => name));
  const uses = new Map<string, Uses>(
    declared.map(({ name }) => [name, { types: new Set(), atomic: false, wide: true }]),
  );
  const elements = new Map(declared.map(({ name, element }) => [name, element]));
  const use = (buffer: string, as: MemoryType | undefined, store: boolean, wide = false): void => {
    const memory = as ?? elements.get(buffer)!;
    uses.get(buffer)!.types.add(memory);
    if (!wide) uses.get(buffer)!.wide = false;
    if (store && memoryBytes[memory] < 4) uses.get(buffer)!.atomic = true;
  };
  const expression = (each: Expression): void => {
    if (each.kind === "load") use(each.buffer, each.as, false, isWide(each, each.as ?? elements.get(each.buffer)!));
    for (const operand of operandsOf(each)) expression(operand);
  };
  const walk = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      switch (statement.kind) {
        case "let":
        case "var":
        case "assign":
        case "block-fold":
          expression(statement.value);
          break;
        case "store":
          use(statement.buffer, statement.as, true);
          expression(statement.index);
          expression(statement.value);
          break;
        case "for":
          expression(statement.from);
          expression(statement.to);
          walk(statement.body);
          break;
        case "if":
          expression(statement.condition);
          walk(statement.then);
          walk(statement.else);
          break;
        case "atomic-add":
          uses.get(statement.buffer)!.atomic = true;
          expression(statement.index);
          expression(statement.value);
          break;
        case "barrier":
        case "prefetch":
          break;
        default:
          statement satisfies FragmentStatement;
          throw moecError("MOE4240", { target: "WebGPU", lacks: "matrices in registers" });
      }
    }
  };
  walk(kernel.body);
  const halves = new Set<string>();
  const words = new Map(
    declared.map(({ name, element, local }): [string, Words] => {
      const { types, atomic, wide } = uses.get(name)!;
      if (atomic && !local) return [name, "atomic<u32>"];
      if (wide && types.size > 0 && readable.has(name)) return [name, "vec4<u32>"];
      if (readable.has(name) && element === "f16" && types.size === 1 && types.has("f16")) halves.add(name);
      const [only] = types.size === 1 ? types : [types.size === 0 ? element : undefined];
      return [name, only === "f32" || only === "i32" ? only : "u32"];
    }),
  );
  return { words, halves };
}

/** Index of the element in units of its own size. */
function unitIndex({ buffer, memory, index, lane }: PrintedPlace): string {
  const [size, unit] = [memoryBytes[memory], memoryBytes[buffer.element]];
  const first =
    size === unit ? index : unit > size ? `${index} * ${unit / size}` : `(${index} >> ${Math.log2(size / unit)}u)`;
  return lane === 0 ? first : `${first} + ${lane}`;
}

/** Where a narrow element lies: the index of its word, and the number of its first bit (u32). */
function within(place: PrintedPlace): { readonly word: string; readonly bit: string; readonly width: number } {
  const index = unitIndex(place);
  const perWord = 4 / memoryBytes[place.memory];
  const width = 32 / perWord;
  const constant = /^\d+$/.test(index);
  const unit = constant ? index : `u32(${index})`;
  return { word: `${unit} / ${perWord}u`, bit: `(${unit} % ${perWord}u) * ${width}u`, width };
}

/** How a word of a printed buffer is written: the buffer's own array, unless it lies within another one. */
export type WordPlace = (printedName: string, index: string) => string;

/** Loads, stores and atomic additions; `words` says how a printed buffer is declared. */
export function memoryDialect(
  words: (printedName: string) => Words,
  at: WordPlace = (name, index) => `${name}[${index}]`,
  halfAt: HalfReader = () => undefined,
): Pick<Dialect, "load" | "loadVector" | "store" | "atomicAdd"> {
  const wordAt = (name: string, kind: Words, index: string): string =>
    kind === "atomic<u32>" ? `atomicLoad(&${at(name, index)})` : at(name, index);
  return {
    load(place) {
      const kind = words(place.buffer.name);
      if (memoryBytes[place.memory] === 4) {
        const value = wordAt(place.buffer.name, kind, unitIndex(place));
        return kind === place.memory ? value : `bitcast<${place.memory}>(${value})`;
      }
      const half = place.memory === "f16" ? halfAt(place.buffer.name, unitIndex(place)) : undefined;
      if (half !== undefined) return half;
      const { word, bit, width } = within(place);
      const value = wordAt(place.buffer.name, kind, word);
      switch (place.memory) {
        case "f16":
          return `unpack2x16float(${value} >> (${bit})).x`;
        case "bf16":
          return `bitcast<f32>((${value} >> (${bit})) << 16u)`;
        case "u8":
          return `i32(extractBits(${value}, ${bit}, ${width}u))`;
        default:
          return `extractBits(bitcast<i32>(${value}), ${bit}, ${width}u)`;
      }
    },
    loadVector({ buffer, memory, index }, lanes, keep) {
      if (words(buffer.name) !== "vec4<u32>") return undefined;
      const groups = (lanes * memoryBytes[memory]) / 16;
      const first = keep(`${index} >> ${Math.log2(16 / memoryBytes[buffer.element])}u`);
      return Array.from({ length: groups }, (_, i) => {
        const group = keep(at(buffer.name, i === 0 ? first : `(${first} + ${i})`));
        return fourWords(group, memory, keep);
      }).flat();
    },
    store(place, value, half) {
      const { name, space } = place.buffer;
      const kind = words(name);
      const { memory } = place;
      if (memoryBytes[memory] === 4) {
        const index = unitIndex(place);
        if (kind === memory) return [`${at(name, index)} = ${value};`];
        const bits = `bitcast<u32>(${value})`;
        return [kind === "u32" ? `${at(name, index)} = ${bits};` : `atomicStore(&${at(name, index)}, ${bits});`];
      }
      const integer =
        memory === "f16" || memory === "bf16" ? half(memory === "f16" ? "f32-to-f16" : "f32-to-bf16", value) : value;
      const { word, bit, width } = within(place);
      const mask = 2 ** width - 1;
      const field = `(${mask}u << (${bit}))`;
      const bits = `((bitcast<u32>(${integer}) & ${mask}u) << (${bit}))`;
      const target = at(name, word);
      if (space === "local") return [`${target} = (${target} & ~${field}) | ${bits};`];
      return [`atomicAnd(&${target}, ~${field});`, `atomicOr(&${target}, ${bits});`];
    },
    atomicAdd(place, value) {
      return `bitcast<i32>(atomicAdd(&${at(place.buffer.name, unitIndex(place))}, bitcast<u32>(${value})))`;
    },
  };
}

/** What four words hold. */
function fourWords(group: string, memory: MemoryType, keep: (text: string) => string): readonly string[] {
  const parts = ["x", "y", "z", "w"].map((part) => `${group}.${part}`);
  switch (memory) {
    case "f32":
    case "i32":
      return parts.map((word) => `bitcast<${memory}>(${word})`);
    case "f16":
      return parts.flatMap((word) => {
        const two = keep(`unpack2x16float(${word})`);
        return [`${two}.x`, `${two}.y`];
      });
    case "bf16":
      return parts.flatMap((word) => [`bitcast<f32>(${word} << 16u)`, `bitcast<f32>(${word} & 0xffff0000u)`]);
    case "i16":
      return parts.flatMap((word) => [0, 16].map((bit) => `extractBits(bitcast<i32>(${word}), ${bit}u, 16u)`));
    case "i8":
    case "u8": {
      const type = memory === "i8" ? "i32" : "u32";
      const byte = (word: string, bit: number): string => `i32(extractBits(bitcast<${type}>(${word}), ${bit}u, 8u))`;
      return parts.flatMap((word) => [0, 8, 16, 24].map((bit) => byte(word, bit)));
    }
  }
}
