/** A file written in whole blocks, so that the system keeps what it holds of it in huge pages. */
import { closeSync, openSync, writeSync } from "node:fs";

/**
 * Two huge pages. Linux chooses the size of the pages in which it caches a file by the length of each write: of one that
 * begins at such a border and is as long, it makes huge pages, which a process that maps the file enters and translates
 * as one (ext4 and XFS with large folios). With smaller writes a bundle of 1.6 GB costs thousands of interruptions before
 * each of its experts has been read once.
 */
export const BLOCK_BYTES = 4 * 2 ** 20;

/** Node writes less than 2 GiB in one call; whole blocks. */
const MOST_AT_ONCE = 2 ** 30;

export class BlockFile {
  /** Undefined once it is closed. */
  private descriptor: number | undefined;
  /** The begun block; taken when a write first needs it. */
  private block: Uint8Array | undefined;
  private held = 0;
  private written = 0;

  constructor(path: string) {
    this.descriptor = openSync(path, "w");
  }

  /** Bytes handed over, written or not. */
  get bytes(): number {
    return this.written + this.held;
  }

  /** The bytes are copied or written before this ends. @throws what the system says; `abandon` closes the file then. */
  write(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const left = bytes.length - from;
      if (this.held === 0 && left >= BLOCK_BYTES) {
        const whole = left - (left % BLOCK_BYTES);
        this.put(bytes.subarray(from, from + whole));
        from += whole;
        continue;
      }
      this.block ??= new Uint8Array(BLOCK_BYTES);
      const count = Math.min(left, BLOCK_BYTES - this.held);
      this.block.set(bytes.subarray(from, from + count), this.held);
      this.held += count;
      from += count;
      if (this.held === BLOCK_BYTES) this.putHeld();
    }
  }

  /** Writes what is left, and closes the file also when that fails. */
  close(): void {
    try {
      this.putHeld();
    } finally {
      this.abandon();
    }
  }

  /** Closes the file without what is left, if nobody has closed it. */
  abandon(): void {
    const { descriptor } = this;
    this.descriptor = undefined;
    this.block = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
  }

  private putHeld(): void {
    const count = this.held;
    this.held = 0;
    if (count > 0) this.put(this.block!.subarray(0, count));
  }

  private put(bytes: Uint8Array): void {
    if (this.descriptor === undefined) throw new TypeError("the file is closed");
    for (let at = 0; at < bytes.length;) {
      at += writeSync(this.descriptor, bytes, at, Math.min(bytes.length - at, MOST_AT_ONCE));
    }
    this.written += bytes.length;
  }
}
