/** Words of instructions before and after relocation, and what their fields cannot hold. */
import { expect, it } from "vitest";
import { relocationsOf } from "../../runtime/native/relocations.js";

/** The word that relocation `type` makes of `word` at byte `place`. */
function relocated(
  architecture: keyof typeof relocationsOf,
  type: number,
  word: number,
  place: number,
  value: number,
): number {
  const image = new DataView(new ArrayBuffer(place + 4));
  image.setUint32(place, word, true);
  relocationsOf[architecture].relative[type]!(image, place, value);
  return image.getUint32(place, true);
}

it.each([
  ["bl forward", 283, 0x94000000, 4, 12, 0x94000002],
  ["b backward", 282, 0x14000000, 8, 4, 0x17ffffff],
  ["the furthest bl", 283, 0x94000000, 0, 2 ** 27 - 4, 0x95ffffff],
  ["adrp", 275, 0x90000000, 0x1004, 0x6008, 0xb0000020],
  ["adrp backward", 275, 0x90000000, 0x1004, 0x8, 0xf0ffffe0],
  ["add", 277, 0x91000000, 0, 0x1231, 0x9108c400],
  ["ldr of 16 bytes", 299, 0x3dc00000, 0, 0x1230, 0x3dc08c00],
] as const)("aarch64: %s", (_, type, word, place, value, expected) => {
  expect(relocated("aarch64", type, word, place, value).toString(16)).toBe(expected.toString(16));
});

it.each([
  ["aarch64", "a jump of 128 MiB", 283, 2 ** 27],
  ["aarch64", "a jump between instructions", 282, 6],
  ["aarch64", "a page 4 GiB away", 275, 2 ** 32],
  ["aarch64", "16 bytes that lie across", 299, 0x1238],
  ["aarch64", "2 bytes that lie across", 284, 1],
  ["x86-64", "a distance of 2 GiB", 2, 2 ** 31],
] as const)("%s: refuses %s", (architecture, _, type, value) => {
  expect(() => relocated(architecture, type, 0, 0, value)).toThrow(RangeError);
});
