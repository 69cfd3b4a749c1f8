/**
 * What all cores together do at most, with some threads at once: reads, the triad of STREAM, products of bytes and
 * multiply-adds, by the kernels of `limits.ts`. Each thread has memory of its own.
 */
import { loadCode } from "../../runtime/native/code.js";
import { callAside, koffi, type NativeFunction } from "../../runtime/native/koffi.js";
import { compileNative } from "../../test/support/native.js";
import { limitKernels, peakByteOperations, peakOperations, readBytes } from "./limits.js";
import { noise, target } from "./product.js";

export type Limit = "read" | "triad" | "bytes" | "floats";

export interface Machine {
  /** GB/s of `read` and `triad`, GOP/s of `bytes`, GFLOP/s of `floats`, all threads together. */
  rate(limit: Limit): Promise<number>;
  /**
   * Reads all memory of each thread once. A virtual machine's host may take pages that were not read for minutes, and
   * gives each back in microseconds: the first rates after a pause would be those of the host.
   */
  warm(): Promise<void>;
}

const SLICE_BYTES = 64 * 2 ** 20;
const PEAK_TURNS = 200_000;
const BLOCKS = 8;

/**
 * Calls that run at once: koffi makes them on the pool of libuv, which has four threads where nothing else is said
 * before the process starts.
 */
const callsAtOnce = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);

/**
 * @param ringBytes Memory that each thread reads round and round: several times what caches hold.
 * @throws Error for more threads than make calls at once.
 */
export function prepareMachine(threads: number, ringBytes = 512 * 2 ** 20): Machine {
  if (threads > callsAtOnce) {
    throw new Error(
      `${threads} threads at once are measured with UV_THREADPOOL_SIZE=${threads}, now it is ${callsAtOnce}`,
    );
  }
  const level = target!;
  const code = loadCode(compileNative(limitKernels(level), level), "limits.o");
  const type = koffi().proto("void (void** buffers, const int* scalars, void* scratch, int from, int to)");
  const { decode } = koffi() as unknown as { readonly decode: (address: bigint, type: unknown) => NativeFunction };
  const kernels = new Map(
    ["read", "triad", "peak_i8", "peak_f32"].map((name) => [name, decode(BigInt(code.address(name)), type)]),
  );
  const ring = noise(ringBytes);
  const rings = Array.from({ length: threads }, (_, thread) => (thread === 0 ? ring : ring.slice()));
  // Zeros for each kernel and thread: what one wrote, read as another's numbers, could be slow.
  const places = Object.fromEntries([...kernels.keys()].map((name) => [name, new Uint8Array(4096 * threads)]));
  let at = 0;
  /** The kernel on every thread; nanoseconds until the last one ends. */
  const together = async (name: string, buffers: (thread: number) => readonly Uint8Array[], turns: number) => {
    const start = performance.now();
    const calls = rings.map((_, thread) => {
      const own = places[name]!.subarray(4096 * thread, 4096 * (thread + 1));
      return callAside(kernels.get(name)!, [...buffers(thread), own], Int32Array.of(turns), own, 0, BLOCKS);
    });
    await Promise.all(calls);
    return (performance.now() - start) * 1e6;
  };
  /** The next bytes of each ring, parted into `parts`. */
  const next = (parts: number): ((thread: number) => readonly Uint8Array[]) => {
    if (at + SLICE_BYTES > ringBytes) at = 0;
    const size = SLICE_BYTES / parts;
    const from = at;
    at += SLICE_BYTES;
    return (thread) =>
      Array.from({ length: parts }, (_, part) => rings[thread]!.subarray(from + part * size, from + (part + 1) * size));
  };
  const turns = SLICE_BYTES / readBytes / BLOCKS;
  return {
    warm: async () => {
      for (let slice = 0; slice + SLICE_BYTES <= ringBytes; slice += SLICE_BYTES)
        await together("read", next(1), turns);
    },
    rate: async (limit) => {
      if (limit === "read") return (threads * SLICE_BYTES) / (await together("read", next(1), turns));
      if (limit === "triad") {
        // A quarter each, because a third of the slice is no whole number of blocks; three of four are used.
        const parts = next(4);
        const time = await together("triad", (thread) => parts(thread).slice(0, 3), turns / 4);
        return (threads * 0.75 * SLICE_BYTES) / time;
      }
      const [name, operations] =
        limit === "bytes"
          ? (["peak_i8", peakByteOperations(level)] as const)
          : (["peak_f32", peakOperations(level)] as const);
      const time = await together(name, () => [], PEAK_TURNS);
      return (threads * BLOCKS * PEAK_TURNS * operations) / time;
    },
  };
}
