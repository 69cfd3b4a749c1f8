/**
 * The memory that native threads share, in bytes: one control block, and a table with one row for each launch of an
 * entry point. The text of the pool (`pool.ts`) and the runtime that fills the table both read it here.
 */

/** Words that different threads write lie on cache lines of their own. */
export const CONTROL = {
  /** i64: number of the open launch << 32 | chunks that nobody has taken yet. */
  work: 0,
  /** i64: chunks of this call that are finished. */
  done: 64,
  /** i32: what sleeping threads wait for a change of. */
  event: 128,
  /** i32: how many threads sleep. */
  sleepers: 132,
  /** i64: calls that are finished. */
  finished: 192,
  /** i64: number of the first launch of this call. */
  base: 256,
  /** i64: launches of this call. */
  count: 264,
  /** Address of the table. */
  table: 272,
  /** i64: not 0 when the threads must end. */
  stop: 280,
  /** Address of libc's `syscall`. */
  syscall: 288,
} as const;
export const CONTROL_BYTES = 320;

export const ROW = {
  /** Address of the kernel. */
  kernel: 0,
  /** Address of the addresses of its buffers. */
  buffers: 8,
  /** Address of its scalars, 4 bytes each. */
  scalars: 16,
  /** i32: blocks. */
  grid: 24,
  /** i32: pieces that the grid is cut into; 0 skips the launch. */
  chunks: 28,
  /** i64: chunks of the call up to and with this launch. */
  until: 32,
} as const;
export const ROW_BYTES = 64;

/** What a thread is started with. */
export const THREAD = {
  /** Address of the control block. */
  control: 0,
  /** Address of the block memory that belongs to this thread. */
  scratch: 8,
} as const;
export const THREAD_BYTES = 64;

/** What the handler of bus errors reads and writes. */
export const BUS = {
  /** i64: pages that were replaced by zeros. */
  faults: 0,
  /** Address of libc's `syscall`. */
  syscall: 8,
  /** Pairs of addresses: begin and end of each range of mapped files; unused ones are 0. */
  ranges: 16,
} as const;
export const BUS_RANGES = 64;

/** Linux' numbers for the word on which threads sleep, on all processors; that of the system call differs. */
export const FUTEX = {
  waitPrivate: 128,
  wakePrivate: 129,
  /** Waiters are counted in an int. */
  all: 0x7fffffff,
  call: { "x86-64": 202, aarch64: 98 },
} as const;

/** What files are mapped by, and what is replaced when a part of one is gone. */
export const PAGE_BYTES = 4096;

/** Functions and data of the pool that the runtime looks up in an object. */
export const POOL_SYMBOLS = {
  run: "moec_run",
  worker: "moec_worker",
  onBusError: "moec_on_bus_error",
  bus: "moec_bus",
};
