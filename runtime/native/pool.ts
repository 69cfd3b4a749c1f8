/** The threads of a native device, and the call that makes them work. Their code is part of every object of kernels. */
import {
  CONTROL,
  CONTROL_BYTES,
  FUTEX,
  POOL_SYMBOLS,
  THREAD,
  THREAD_BYTES,
} from "../../compiler/5-emit/llvm/pool-layout.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { LoadedCode } from "./code.js";
import { ownArchitecture } from "./elf.js";
import { koffi, type Address } from "./koffi.js";
import { errorName, libc } from "./libc.js";
import { Mapping } from "./mapping.js";
import { Words } from "./words.js";

export class Pool {
  private readonly mapping: Mapping;
  private readonly scratch: Mapping;
  private readonly words: Words;
  private readonly threads: bigint[] = [];
  private readonly runAddress: bigint;
  private readonly runType = koffi().proto(
    "void (uintptr_t control, uintptr_t table, int64_t count, uintptr_t scratch)",
  );

  /**
   * @param count Threads, with the one that calls.
   * @param scratchBytes Block memory that each thread needs.
   * @throws MoecError MOE4205, MOE4208
   */
  constructor(code: LoadedCode, count: number, scratchBytes: number) {
    const each = Math.ceil((scratchBytes + THREAD_BYTES) / THREAD_BYTES) * THREAD_BYTES;
    this.mapping = Mapping.memory(CONTROL_BYTES + count * THREAD_BYTES, "threads");
    this.scratch = Mapping.memory(count * each, "block memory");
    this.words = new Words(this.mapping);
    this.words.setAddress(CONTROL.syscall, libc().address("syscall"));
    this.runAddress = BigInt(code.address(POOL_SYMBOLS.run));
    const worker = code.address(POOL_SYMBOLS.worker);
    try {
      for (let number = 1; number < count; number++) {
        const at = CONTROL_BYTES + number * THREAD_BYTES;
        this.words.setAddress(at + THREAD.control, this.mapping.address);
        this.words.setAddress(at + THREAD.scratch, this.scratch.address + number * each);
        const thread = new BigUint64Array(1);
        const failed = libc().threadCreate(thread, worker, this.mapping.address + at);
        if (failed !== 0) {
          throw moecError("MOE4208", { thread: number + 1, threads: count, reason: errorName(failed) });
        }
        this.threads.push(thread[0]!);
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Bytes that the pool took. */
  get bytes(): number {
    return this.mapping.bytes + this.scratch.bytes;
  }

  /** Runs the launches of a table; returns when all are finished. */
  run(table: Address, count: number): void {
    koffi().call(this.runAddress, this.runType, this.mapping.address, table, count, this.scratch.address);
  }

  /** Ends the threads and waits until they have. */
  dispose(): void {
    if (this.threads.length > 0) {
      this.words.setLong(CONTROL.stop, 1);
      const event = new Int32Array(this.mapping.buffer);
      Atomics.add(event, CONTROL.event / 4, 1);
      wake(this.mapping.address + CONTROL.event);
      for (const thread of this.threads.splice(0)) libc().threadJoin(thread);
    }
    this.mapping.free();
    this.scratch.free();
  }
}

function wake(event: Address): void {
  libc().syscall(FUTEX.call[ownArchitecture], event, FUTEX.wakePrivate, FUTEX.all);
}
