/** Ranges of addresses: fresh memory, and files mapped to where they belong in one range. */
import { PAGE_BYTES } from "../../compiler/5-emit/llvm/pool-layout.js";
import { moecError } from "../../compiler/errors/raise.js";
import { describeBytes } from "../bytes.js";
import { koffi, type Address, viewOf } from "./koffi.js";
import { ADVICE, errorName, libc, MAP, PROTECTION } from "./libc.js";

const HUGE_PAGE_BYTES = 2 * 2 ** 20;

const pages = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** A range of addresses that belongs to this process until `free`. */
export class Mapping {
  private whole: ArrayBuffer | undefined;

  private constructor(
    readonly address: Address,
    readonly bytes: number,
  ) {}

  /**
   * Memory of zeros; pages come into being when they are first written.
   *
   * @param what For the message when there is none.
   * @throws MoecError MOE4205
   */
  static memory(bytes: number, what: string): Mapping {
    const mapping = Mapping.take(bytes, what, PROTECTION.readWrite);
    // Where the system has huge pages, large tables need fewer address translations; a refusal costs nothing.
    if (bytes >= HUGE_PAGE_BYTES) libc().madvise(mapping.address, mapping.bytes, ADVICE.hugePages);
    return mapping;
  }

  /**
   * Addresses without memory, for files to be put into. They begin at a multiple of a huge page: where the system holds a
   * file in pages of that size, it enters each of them as one (Linux: `do_set_pmd`), not in 512 pieces.
   *
   * @throws MoecError MOE4205
   */
  static reserve(bytes: number, what: string): Mapping {
    const { address, bytes: taken } = Mapping.take(bytes + HUGE_PAGE_BYTES, what, PROTECTION.none);
    const from = Math.ceil(address / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
    const size = Math.max(PAGE_BYTES, pages(bytes));
    if (from > address) libc().munmap(address, from - address);
    const end = from + size;
    if (end < address + taken) libc().munmap(end, address + taken - end);
    return new Mapping(from, size);
  }

  private static take(bytes: number, what: string, protection: number): Mapping {
    const size = Math.max(PAGE_BYTES, pages(bytes));
    const address = libc().mmap(0, size, protection, MAP.private | MAP.anonymous | MAP.noReserve, -1);
    if (address === -1) throw refused(bytes, what);
    return new Mapping(address, size);
  }

  /**
   * Puts a file, read only, at an offset that is a multiple of a page.
   *
   * @throws MoecError MOE4205
   */
  place(file: number, offset: number, bytes: number, what: string): void {
    const at = libc().mmap(this.address + offset, bytes, PROTECTION.read, MAP.private | MAP.fixed, file);
    if (at === -1) throw refused(bytes, what);
    // What has to come from the disk comes in huge pages then; what is cached stays as it was written.
    if (bytes >= HUGE_PAGE_BYTES) libc().madvise(at, bytes, ADVICE.hugePages);
  }

  /**
   * Whether all pages of a part lie in memory, those of files in the system's cache of files. Of files that this process
   * neither owns nor may write, the system says so of each page.
   */
  isCached(offset: number, bytes: number): boolean {
    const pages = new Uint8Array(Math.ceil(bytes / PAGE_BYTES));
    return libc().mincore(this.address + offset, bytes, pages) === 0 && !pages.includes(0);
  }

  /**
   * Enters the pages of a part into the tables of this process, on a thread beside this one: each one that is first read
   * by a kernel interrupts it. Systems that can't do so do nothing.
   */
  async enter(offset: number, bytes: number): Promise<void> {
    await libc().madviseAside(this.address + offset, bytes, ADVICE.populateRead);
  }

  protect(offset: number, bytes: number, protection: number): void {
    if (libc().mprotect(this.address + offset, bytes, protection) !== 0) throw refused(bytes, "kernels");
  }

  /** The memory; not for ranges with files, which are longer than one view may be. */
  get buffer(): ArrayBuffer {
    return (this.whole ??= viewOf(this.address, this.bytes));
  }

  view(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, offset, length);
  }

  free(): void {
    libc().munmap(this.address, this.bytes);
  }
}

function refused(bytes: number, what: string): Error {
  return moecError("MOE4205", { bytes: describeBytes(bytes), what, reason: errorName(koffi().errno()) });
}
