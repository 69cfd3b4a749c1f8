/**
 * What a relocation writes: the distance from its place to a value, or a part of it in the fields of an instruction. Both
 * are offsets in an image that begins with a page, as the supplements of the System V ABI number and name them.
 */

/**
 * Changes the bytes at `place` so that they lead to `value`.
 *
 * @throws RangeError where the field cannot hold what leads there.
 */
export type Relocate = (image: DataView, place: number, value: number) => void;

export interface Relocations {
  /** The processor's number in ELF files. */
  readonly machine: number;
  /** The type that holds an address of 8 bytes. */
  readonly absolute: number;
  readonly relative: Readonly<Record<number, Relocate>>;
}

/** A number that a signed field of some bits holds. */
function signed(number: number, bits: number): number {
  if (number >= -(2 ** (bits - 1)) && number < 2 ** (bits - 1)) return number;
  throw new RangeError(`${number} does not fit in ${bits} bits`);
}

/** How many units a number of bytes has. */
function units(bytes: number, unit: number): number {
  if (bytes % unit === 0) return bytes / unit;
  throw new RangeError(`${bytes} bytes are no whole units of ${unit}`);
}

const distance32: Relocate = (image, place, value) => image.setInt32(place, signed(value - place, 32), true);
const distance64: Relocate = (image, place, value) => image.setBigInt64(place, BigInt(value - place), true);

/** R_X86_64_64, _PC32, _PLT32, _PC64. */
const x86: Relocations = { machine: 62, absolute: 1, relative: { 2: distance32, 4: distance32, 24: distance64 } };

/** Bits of a number in a field of an instruction of 32 bits. */
function putField(image: DataView, place: number, number: number, bits: number, at: number): void {
  const mask = 2 ** bits - 1;
  const rest = image.getUint32(place, true) & ~(mask << at);
  image.setUint32(place, (rest | ((number & mask) << at)) >>> 0, true);
}

/** Pages of 4 KiB, whatever those of the system are. */
const pageOf = (offset: number): number => Math.floor(offset / 4096);

/** `adrp`: the distance in pages, its two lowest bits apart. */
const pageDistance: Relocate = (image, place, value) => {
  const pages = signed(pageOf(value) - pageOf(place), 21);
  putField(image, place, pages, 2, 29);
  putField(image, place, pages >> 2, 19, 5);
};

/** The place in a page, counted in units of 2^shift bytes: `add`, and loads and stores of that size. */
const inPage =
  (shift: number): Relocate =>
  (image, place, value) =>
    putField(image, place, units(value & 0xfff, 2 ** shift), 12, 10);

/** `b` and `bl`: the distance in instructions. */
const jump: Relocate = (image, place, value) => putField(image, place, signed(units(value - place, 4), 26), 26, 0);

/**
 * R_AARCH64_ABS64, _PREL64, _PREL32, _ADR_PREL_PG_HI21, _ADD_ABS_LO12_NC, _LDST8_ABS_LO12_NC, _JUMP26, _CALL26, and
 * _LDST16, 32, 64 and 128_ABS_LO12_NC.
 */
const aarch64: Relocations = {
  machine: 183,
  absolute: 257,
  relative: {
    260: distance64,
    261: distance32,
    275: pageDistance,
    277: inPage(0),
    278: inPage(0),
    282: jump,
    283: jump,
    284: inPage(1),
    285: inPage(2),
    286: inPage(3),
    299: inPage(4),
  },
};

/** By processors, as LLVM names them. */
export const relocationsOf = { "x86-64": x86, aarch64 } as const;
