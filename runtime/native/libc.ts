/** What native code needs of the C library: memory, threads, signals. */
import { constants } from "node:os";
import { PAGE_BYTES } from "../../compiler/5-emit/llvm/pool-layout.js";
import { moecError } from "../../compiler/errors/raise.js";
import { ownArchitecture } from "./elf.js";
import { callAside, koffi, type Address } from "./koffi.js";

export interface Libc {
  /** Address of a function by its name; 0 when there is none. */
  address(name: string): Address;
  /** -1 when the system refuses. */
  mmap(at: Address, bytes: number, protection: number, flags: number, file: number): Address;
  munmap(at: Address, bytes: number): number;
  mprotect(at: Address, bytes: number, protection: number): number;
  /**
   * Makes what was written to a part the instructions that run there. Nothing has to be done on x86-64, whose caches keep
   * one another right. On ARM it is the writer's task: Linux does it for pages that become executable for the first time,
   * but promises it nowhere (https://github.com/bytecodealliance/wasmtime/issues/3310), and not on all versions for memory
   * without a file. Some processors want the pages still writable (https://patchwork.kernel.org/patch/9047921/).
   */
  clearInstructions(from: Address, bytes: number): void;
  madvise(at: Address, bytes: number, advice: number): number;
  /** The same on a thread beside this one. */
  madviseAside(at: Address, bytes: number, advice: number): Promise<number>;
  /** Writes a byte for each page, whose lowest bit says whether it lies in memory. */
  mincore(at: Address, bytes: number, pages: Uint8Array): number;
  threadCreate(thread: BigUint64Array, body: Address, argument: Address): number;
  threadJoin(thread: bigint): number;
  syscall(number: number, a: number, b: number, c: number): number;
  /** Bytes before the zero that ends a text. */
  strlen(text: Address): number;
  sigaction(signal: number, action: Uint8Array | null, old: Uint8Array | null): number;
}

export const PROTECTION = { none: 0, read: 1, readWrite: 3, readExecute: 5 } as const;
/** Linux' numbers: MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_NORESERVE. */
export const MAP = { private: 0x02, fixed: 0x10, anonymous: 0x20, noReserve: 0x4000 } as const;
/** MADV_HUGEPAGE, and MADV_POPULATE_READ of Linux 5.14. */
export const ADVICE = { hugePages: 14, populateRead: 22 } as const;

let bound: Libc | undefined;

/** @throws MoecError MOE4203 on systems that native code is not built for. */
export function libc(): Libc {
  return (bound ??= bind());
}

function bind(): Libc {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) {
    const reason = `this is ${process.platform} on ${process.arch}, not Linux on x86-64 or 64-bit ARM`;
    throw moecError("MOE4203", { reason });
  }
  // The functions of the process itself: Node is linked with the C library.
  const library = koffi().load(null);
  const pageBytes = library.func("int getpagesize()")() as number;
  if (pageBytes !== PAGE_BYTES) {
    throw moecError("MOE4203", { reason: `pages of memory have ${pageBytes} bytes here, not ${PAGE_BYTES}` });
  }
  const dlsym = library.func("uintptr_t dlsym(uintptr_t handle, const char* name)");
  const madvise = library.func("int madvise(uintptr_t at, size_t bytes, int advice)");
  const address = (name: string): Address => dlsym(0, name) as Address;
  return {
    address,
    clearInstructions: ownArchitecture === "x86-64" ? () => undefined : instructionCache(address),
    mmap: (() => {
      const mmap = library.func(
        "intptr_t mmap(uintptr_t at, size_t bytes, int prot, int flags, int fd, int64_t offset)",
      );
      return (at, bytes, protection, flags, file) => mmap(at, bytes, protection, flags, file, 0) as Address;
    })(),
    munmap: library.func("int munmap(uintptr_t at, size_t bytes)") as Libc["munmap"],
    mprotect: library.func("int mprotect(uintptr_t at, size_t bytes, int prot)") as Libc["mprotect"],
    madvise: madvise as Libc["madvise"],
    madviseAside: (at, bytes, advice) => callAside(madvise, at, bytes, advice),
    mincore: library.func("int mincore(uintptr_t at, size_t bytes, uint8_t* pages)") as Libc["mincore"],
    threadCreate: (() => {
      const create = library.func(
        "int pthread_create(uint64_t* thread, void* attr, uintptr_t body, uintptr_t argument)",
      );
      return (thread, body, argument) => create(thread, null, body, argument) as number;
    })(),
    threadJoin: (() => {
      const join = library.func("int pthread_join(uint64_t thread, void* result)");
      return (thread) => join(thread, null) as number;
    })(),
    syscall: library.func("int64_t syscall(int64_t number, int64_t a, int64_t b, int64_t c)") as Libc["syscall"],
    strlen: library.func("size_t strlen(uintptr_t text)") as Libc["strlen"],
    sigaction: library.func("int sigaction(int signal, uint8_t* action, uint8_t* old)") as Libc["sigaction"],
  };
}

/**
 * The compiler's library for every program has the loop over the lines of a cache; Node is linked with it.
 *
 * @throws MoecError MOE4203 where it is not.
 */
export function instructionCache(address: Libc["address"]): Libc["clearInstructions"] {
  const clear = address("__clear_cache");
  if (clear === 0) throw moecError("MOE4203", { reason: "the process has no `__clear_cache` (libgcc_s)" });
  const type = koffi().proto("void (uintptr_t from, uintptr_t to)");
  return (from, bytes) => void koffi().call(BigInt(clear), type, from, from + bytes);
}

/** The name of an error number, such as `ENOMEM`. */
export function errorName(number: number): string {
  const found = Object.entries(constants.errno).find(([, value]) => value === number);
  return found?.[0] ?? `error ${number}`;
}
