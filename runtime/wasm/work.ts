/**
 * How threads share a call: a table of launches in shared memory, one word that says which launch is open and how many
 * of its chunks are left, and a count of finished chunks. A thread takes a chunk by one compare-and-exchange; whoever
 * finishes the last chunk of a launch opens the next one. So nobody waits for a thread that sleeps, only for chunks
 * that were taken: a thread that the system has put aside costs one chunk of delay, not a barrier.
 *
 * The word is `sequence << CHUNK_BITS | chunks left`. Sequence numbers run on through all calls, so a thread that comes
 * back late can't take a chunk of another launch with the arguments of the one it saw.
 *
 * This file is also the body of the worker threads: it imports nothing.
 */

/** Words of the control block. */
export const CONTROL = { work: 0, done: 1, base: 2, count: 3, event: 4, sleepers: 5, finished: 6, stop: 7, failed: 8 };
export const CONTROL_WORDS = 16;

export const CHUNK_BITS = 11;
export const MAX_CHUNKS = 2 ** CHUNK_BITS - 1;
const SEQUENCE_MASK = 2 ** (31 - CHUNK_BITS) - 1;

/** Columns of a table row before the arguments: kernel, grid, chunks, chunks of the call up to and with this launch. */
export const ROW = { kernel: 0, grid: 1, chunks: 2, until: 3, args: 4 };

export type KernelFunction = (...args: number[]) => void;

export interface SharedWork {
  readonly control: Int32Array;
  readonly table: Float64Array;
  /** Numbers per row of the table. */
  readonly stride: number;
  /** By the kernel numbers in the table, with how many arguments each takes before `from` and `to`. */
  readonly kernels: readonly { readonly run: KernelFunction; readonly args: number }[];
}

/** Called by the thread that starts a call, when nothing is open and the table is filled with `count` launches. */
export function openCall(work: SharedWork, count: number): number {
  const { control } = work;
  const last = Atomics.load(control, CONTROL.work) >>> CHUNK_BITS;
  Atomics.store(control, CONTROL.done, 0);
  Atomics.store(control, CONTROL.failed, 0);
  Atomics.store(control, CONTROL.base, (last + 1) & SEQUENCE_MASK);
  Atomics.store(control, CONTROL.count, count);
  const finished = Atomics.load(control, CONTROL.finished);
  openLaunch(work, 0);
  return finished;
}

function openLaunch(work: SharedWork, index: number): void {
  const { control, table, stride } = work;
  if (index >= Atomics.load(control, CONTROL.count)) {
    Atomics.add(control, CONTROL.finished, 1);
  } else {
    const sequence = (Atomics.load(control, CONTROL.base) + index) & SEQUENCE_MASK;
    Atomics.store(control, CONTROL.work, (sequence << CHUNK_BITS) | table[index * stride + ROW.chunks]!);
  }
  Atomics.add(control, CONTROL.event, 1);
  if (Atomics.load(control, CONTROL.sleepers) > 0) Atomics.notify(control, CONTROL.event);
}

/** Takes and runs chunks until none is open. */
export function takeChunks(work: SharedWork): void {
  const { control, table, stride, kernels } = work;
  for (;;) {
    const word = Atomics.load(control, CONTROL.work);
    const left = word & MAX_CHUNKS;
    if (left === 0) return;
    if (Atomics.compareExchange(control, CONTROL.work, word, word - 1) !== word) continue;
    const index = ((word >>> CHUNK_BITS) - Atomics.load(control, CONTROL.base)) & SEQUENCE_MASK;
    const row = index * stride;
    const grid = table[row + ROW.grid]!;
    const chunks = table[row + ROW.chunks]!;
    const chunk = chunks - left;
    const kernel = kernels[table[row + ROW.kernel]!]!;
    const args = Array.from(table.subarray(row + ROW.args, row + ROW.args + kernel.args));
    args.push(Math.floor((grid * chunk) / chunks), Math.floor((grid * (chunk + 1)) / chunks));
    try {
      kernel.run(...args);
    } catch {
      // The call must end all the same; the thread that started it reports the launch.
      Atomics.store(control, CONTROL.failed, index + 1);
    }
    if (Atomics.add(control, CONTROL.done, 1) + 1 === table[row + ROW.until]) openLaunch(work, index + 1);
  }
}

/** Turns of looking for work before a thread goes to sleep: some tens of microseconds, the pause between launches. */
const SPIN_TURNS = 20_000;

/**
 * Works until the call that `openCall` opened is finished. `canSleep` is false on the main thread of a browser, which
 * may not block.
 */
export function finishCall(work: SharedWork, finishedBefore: number, canSleep: boolean): void {
  const { control } = work;
  const over = (): boolean => Atomics.load(control, CONTROL.finished) !== finishedBefore;
  for (let turn = 0; !over(); turn++) {
    takeChunks(work);
    if (canSleep && turn > SPIN_TURNS && sleep(control, over)) turn = 0;
  }
}

/** Body of a worker thread: returns when the pool stops. */
export function workForever(work: SharedWork): void {
  const { control } = work;
  const over = (): boolean => Atomics.load(control, CONTROL.stop) !== 0;
  for (let turn = 0; !over(); turn++) {
    if ((Atomics.load(control, CONTROL.work) & MAX_CHUNKS) !== 0) {
      takeChunks(work);
      turn = 0;
    }
    if (turn > SPIN_TURNS && sleep(control, over)) turn = 0;
  }
}

/** Sleeps until something happens; the event is read before the last look, so that none is missed. */
function sleep(control: Int32Array, over: () => boolean): true {
  Atomics.add(control, CONTROL.sleepers, 1);
  const event = Atomics.load(control, CONTROL.event);
  const idle = (Atomics.load(control, CONTROL.work) & MAX_CHUNKS) === 0 && !over();
  if (idle) Atomics.wait(control, CONTROL.event, event);
  Atomics.sub(control, CONTROL.sleepers, 1);
  return true;
}

/** Wakes all workers and lets `workForever` return. */
export function stopWork(control: Int32Array): void {
  Atomics.store(control, CONTROL.stop, 1);
  Atomics.add(control, CONTROL.event, 1);
  Atomics.notify(control, CONTROL.event);
}

/** What a worker gets in its first message. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Base of this thread's block memory. */
  readonly scratch: number;
  readonly control: Int32Array;
  readonly table: Float64Array;
  readonly stride: number;
  readonly kernels: readonly { readonly name: string; readonly args: number }[];
}

/** Makes the thread's own instance and works until the pool stops. */
export function startWorker(start: WorkerStart): void {
  const instance = instantiate(start.module, start.memory, start.scratch);
  const kernels = start.kernels.map(({ name, args }) => ({ run: instance[name] as KernelFunction, args }));
  workForever({ control: start.control, table: start.table, stride: start.stride, kernels });
}

/** Instance of a kernel module over a memory, with the base of the thread's block memory. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  scratch: number,
): WebAssembly.Exports {
  return new WebAssembly.Instance(module, { env: { memory, scratch } }).exports;
}
