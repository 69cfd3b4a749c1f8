/** Writes numbers to places in native memory. */
import type { Address } from "./koffi.js";
import type { Mapping } from "./mapping.js";

const HALF = 2 ** 32;

/** Views of a mapping by the width of what is written; places are byte offsets. */
export class Words {
  private readonly u32: Uint32Array;
  private readonly i32: Int32Array;
  private readonly f32: Float32Array;

  constructor(readonly mapping: Mapping) {
    this.u32 = new Uint32Array(mapping.buffer);
    this.i32 = new Int32Array(mapping.buffer);
    this.f32 = new Float32Array(mapping.buffer);
  }

  get address(): Address {
    return this.mapping.address;
  }

  setAddress(at: number, value: Address): void {
    this.u32[at / 4] = value % HALF;
    this.u32[at / 4 + 1] = Math.floor(value / HALF);
  }

  /** A number that is not negative as 64 bits. */
  setLong(at: number, value: number): void {
    this.setAddress(at, value);
  }

  setInt(at: number, value: number): void {
    this.i32[at / 4] = value;
  }

  setFloat(at: number, value: number): void {
    this.f32[at / 4] = value;
  }
}
