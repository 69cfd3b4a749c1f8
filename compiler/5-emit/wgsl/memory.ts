/**
 * Buffers in WGSL. Storage buffers hold f32, i32 or u32 words only, so narrow types are unpacked from words; a narrow
 * store changes part of a word that another thread may be changing too, so it takes two atomic steps on its own bits.
 */
import type { Expression, Kernel, MemoryType, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes, operandsOf } from "../../4-schedule/kernel-types.js";
import type { Dialect, PrintedPlace } from "../lanes/dialect.js";

/** What the elements of the WGSL array are. */
export type Words = "f32" | "i32" | "u32" | "atomic<u32>";

interface Uses {
  readonly types: Set<MemoryType>;
  atomic: boolean;
}

/** How each buffer of the kernel is declared, by its name. */
export function wordsOf(kernel: Kernel): ReadonlyMap<string, Words> {
  const declared = [
    ...kernel.buffers.map(({ name, element }) => ({ name, element, local: false })),
    ...kernel.blockBuffers.map(({ name, element, space }) => ({ name, element, local: space === "local" })),
  ];
  const uses = new Map<string, Uses>(declared.map(({ name }) => [name, { types: new Set(), atomic: false }]));
  const elements = new Map(declared.map(({ name, element }) => [name, element]));
  const use = (buffer: string, as: MemoryType | undefined, store: boolean): void => {
    const memory = as ?? elements.get(buffer)!;
    uses.get(buffer)!.types.add(memory);
    if (store && memoryBytes[memory] < 4) uses.get(buffer)!.atomic = true;
  };
  const expression = (each: Expression): void => {
    if (each.kind === "load") use(each.buffer, each.as, false);
    for (const operand of operandsOf(each)) expression(operand);
  };
  const walk = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      switch (statement.kind) {
        case "let":
        case "var":
        case "assign":
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
          break;
        default:
          statement satisfies never;
      }
    }
  };
  walk(kernel.body);
  return new Map(
    declared.map(({ name, element, local }) => {
      const { types, atomic } = uses.get(name)!;
      if (atomic && !local) return [name, "atomic<u32>"];
      const [only] = types.size === 1 ? types : [types.size === 0 ? element : undefined];
      return [name, only === "f32" || only === "i32" ? only : "u32"];
    }),
  );
}

/** Index of the element in units of its own size. */
function unitIndex({ buffer, memory, index, lane }: PrintedPlace): string {
  const [size, unit] = [memoryBytes[memory], memoryBytes[buffer.element]];
  const first = size === unit ? index : unit > size ? `${index} * ${unit / size}` : `${index} / ${size / unit}`;
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
): Pick<Dialect, "load" | "store" | "atomicAdd"> {
  const wordAt = (name: string, kind: Words, index: string): string =>
    kind === "atomic<u32>" ? `atomicLoad(&${at(name, index)})` : at(name, index);
  return {
    load(place) {
      const kind = words(place.buffer.name);
      if (memoryBytes[place.memory] === 4) {
        const value = wordAt(place.buffer.name, kind, unitIndex(place));
        return kind === place.memory ? value : `bitcast<${place.memory}>(${value})`;
      }
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
