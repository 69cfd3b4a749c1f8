/**
 * A relocatable ELF object as an image: sections laid out behind each other, relocations applied, symbols with their
 * places. Just what code generators write for functions that need no library; the rest is refused.
 *
 * The form is that of the System V ABI and its supplements for x86-64 and 64-bit ARM.
 */
import { PAGE_BYTES } from "../../compiler/5-emit/llvm/pool-layout.js";
import { moecError } from "../../compiler/errors/raise.js";
import { relocationsOf, type Relocate } from "./relocations.js";

export interface Image {
  readonly bytes: Uint8Array;
  /** Where what may be written begins, a multiple of a page; what lies before it is code and constants. */
  readonly writable: number;
  /** Offsets of the global symbols that the object defines. */
  readonly symbols: ReadonlyMap<string, number>;
  /** Places that hold an address: they become the image's own address plus the value. */
  readonly absolute: readonly { readonly at: number; readonly value: number }[];
}

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 24;
/** Code and constants of kernels; more is no object of ours. */
const MOST_BYTES = 2 ** 28;

const TYPE = { symbols: 2, relocations: 4, zeros: 8 } as const;
const FLAG = { write: 1, loaded: 2 } as const;

interface Section {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  /** Offset in the image; undefined for what is not loaded. */
  readonly place: number | undefined;
}

export type Architecture = keyof typeof relocationsOf;

/** That of this process, as LLVM names it. */
export const ownArchitecture: Architecture = process.arch === "arm64" ? "aarch64" : "x86-64";

/**
 * @param file Name of the object, for messages.
 * @param architecture What it must be for; this process when left out.
 * @throws MoecError MOE4206
 */
export function linkObject(object: Uint8Array, file: string, architecture = ownArchitecture): Image {
  try {
    return link(object, architecture, (reason) => moecError("MOE4206", { file, reason }));
  } catch (error) {
    // Reads outside of the file.
    if (error instanceof RangeError) throw moecError("MOE4206", { file, reason: "it is cut off or damaged" });
    throw error;
  }
}

function link(object: Uint8Array, architecture: Architecture, refuse: (reason: string) => Error): Image {
  const data = new DataView(object.buffer, object.byteOffset, object.byteLength);
  const word = (at: number): number => data.getUint32(at, true);
  const long = (at: number): number => Number(data.getBigUint64(at, true));
  if (object.length < HEADER_BYTES || word(0) !== 0x464c457f) throw refuse("it is no ELF file");
  // 64 bits, little endian, relocatable.
  const machine = relocationsOf[architecture];
  if (
    object[4] !== 2 ||
    object[5] !== 1 ||
    data.getUint16(16, true) !== 1 ||
    data.getUint16(18, true) !== machine.machine
  ) {
    throw refuse(`it is no relocatable object for ${architecture}`);
  }
  const table = long(40);
  const count = data.getUint16(60, true);
  if (table + count * SECTION_BYTES > object.length) throw refuse("it is cut off");
  const raw = Array.from({ length: count }, (_, i): Section => {
    const at = table + i * SECTION_BYTES;
    return {
      type: word(at + 4),
      flags: long(at + 8),
      offset: long(at + 24),
      size: long(at + 32),
      link: word(at + 40),
      info: word(at + 44),
      align: Math.max(1, long(at + 48)),
      place: undefined,
    };
  });
  const { sections, writable, size } = layOut(raw, refuse);
  const bytes = new Uint8Array(size);
  for (const { type, offset, size: length, place } of sections) {
    if (place === undefined || type === TYPE.zeros) continue;
    if (offset + length > object.length) throw refuse("it is cut off");
    bytes.set(object.subarray(offset, offset + length), place);
  }

  const symbolTable = sections.find(({ type }) => type === TYPE.symbols);
  if (!symbolTable) throw refuse("it has no symbols");
  const names = sections[symbolTable.link];
  if (!names) throw refuse("its symbols have no names");
  const nameAt = (offset: number): string => {
    const from = names.offset + offset;
    const to = object.indexOf(0, from);
    return new TextDecoder().decode(object.subarray(from, to < 0 ? from : to));
  };
  const symbols = new Map<string, number>();
  const places: (number | undefined)[] = [];
  const total = Math.floor(symbolTable.size / SYMBOL_BYTES);
  for (let i = 0; i < total; i++) {
    const at = symbolTable.offset + i * SYMBOL_BYTES;
    const section = sections[data.getUint16(at + 6, true)];
    const place = section?.place === undefined ? undefined : section.place + long(at + 8);
    places.push(place);
    const isGlobal = data.getUint8(at + 4) >> 4 === 1;
    if (place !== undefined && isGlobal) symbols.set(nameAt(word(at)), place);
  }

  const absolute: { at: number; value: number }[] = [];
  const image = new DataView(bytes.buffer);
  for (const section of sections) {
    const changed = section.type === TYPE.relocations ? sections[section.info]?.place : undefined;
    if (changed === undefined) continue;
    for (let at = section.offset; at < section.offset + section.size; at += RELOCATION_BYTES) {
      const place = changed + long(at);
      const symbol = word(at + 12);
      const target = places[symbol];
      if (target === undefined) {
        const name = symbol < total ? nameAt(word(symbolTable.offset + symbol * SYMBOL_BYTES)) : `symbol ${symbol}`;
        throw refuse(`it needs \`${name}\`, which it does not define`);
      }
      const value = target + Number(data.getBigInt64(at + 16, true));
      const type = word(at + 8);
      if (type === machine.absolute) {
        if (place + 8 > size) throw refuse("a relocation lies outside of it");
        absolute.push({ at: place, value });
        continue;
      }
      const relocate: Relocate | undefined = machine.relative[type];
      if (!relocate) throw refuse(`relocation type ${type} is not known`);
      relocate(image, place, value);
    }
  }
  return { bytes, writable, symbols, absolute };
}

/** Places of all loaded sections: what is only read first, then, on pages of its own, what is written. */
function layOut(
  raw: readonly Section[],
  refuse: (reason: string) => Error,
): { readonly sections: readonly Section[]; readonly writable: number; readonly size: number } {
  let end = 0;
  const placed = new Map<Section, number>();
  const put = (isWritable: boolean): void => {
    for (const section of raw) {
      const loaded = (section.flags & FLAG.loaded) !== 0;
      if (!loaded || ((section.flags & FLAG.write) !== 0) !== isWritable) continue;
      const align = Math.max(64, section.align);
      const place = Math.ceil(end / align) * align;
      placed.set(section, place);
      end = place + section.size;
      if (!(end <= MOST_BYTES)) throw refuse("it is larger than kernels are");
    }
    end = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
  };
  put(false);
  const writable = end;
  put(true);
  return { sections: raw.map((section) => ({ ...section, place: placed.get(section) })), writable, size: end };
}
