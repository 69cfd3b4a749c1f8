/** Bytes one after the other, with the variable-length integers of WebAssembly (LEB128). */
export class ByteSink {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.taken());
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  byte(value: number): void {
    this.room(1);
    this.bytes[this.length++] = value;
  }

  raw(values: ArrayLike<number>): void {
    this.room(values.length);
    this.bytes.set(values, this.length);
    this.length += values.length;
  }

  /** An unsigned integer of up to 32 bits. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed integer of 32 bits; what is beyond them is dropped. */
  signed(value: number): void {
    let rest = value | 0;
    // The last byte says the sign with its bit 6.
    while (rest < -0x40 || rest > 0x3f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  f32(value: number): void {
    this.room(4);
    this.view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.unsigned(bytes.length);
    this.raw(bytes);
  }

  /** What was written, until the next write. */
  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** To begin anew in the same memory. */
  clear(): void {
    this.length = 0;
  }
}
