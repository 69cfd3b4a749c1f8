/** One product y = x w on the native device of this process, and the limits of the machine through the same path. */
import { schedule } from "../../compiler/4-schedule/index.js";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import type { Target } from "../../compiler/targets/index.js";
import { koffi } from "../../runtime/native/koffi.js";
import { loadCode } from "../../runtime/native/code.js";
import { axis, f32, param, program } from "../../test/schedule/programs.js";
import { compileNative, levels, nativeDevice } from "../../test/support/native.js";
import { limitKernels, peakByteOperations, peakOperations, readBytes } from "./limits.js";

/** The best level of this machine. */
export const target: Target | undefined = levels[0];

export interface ProductCase {
  readonly storage: StorageType;
  readonly K: number;
  readonly N: number;
  /** Rows of x. */
  readonly T: number;
}

export interface PreparedProduct {
  readonly weightBytes: number;
  readonly operations: number;
  run(): void;
}

/** Bytes without meaning whose f16 and f32 readings are small numbers: every byte is 0x2c or a neighbour. */
export function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = 0x28 + (Math.imul(i, 0x9e3779b1) >>> 29);
  return bytes;
}

/** Quantization of the activations and the product, one thread. */
export function prepareProduct({ storage, K, N, T }: ProductCase, level: Target = target!): PreparedProduct {
  const [rows, D, F] = [axis("T"), axis("D", K), axis("F", N)];
  const test = program({
    inputs: { x: f32(rows, D) },
    params: [param("w", [D, F])],
    build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["D"] })],
  });
  const { kernels, plan } = schedule(test, level, { limits: { T, context: T }, storage: () => storage });
  const device = nativeDevice(kernels, plan, level, 1);
  const some = noise(1 << 20);
  for (let at = 0; at < plan.spaces.weights; at += some.length) {
    void device.write("weights", at, some.subarray(0, Math.min(some.length, plan.spaces.weights - at)));
  }
  const x = plan.buffers.find(({ id }) => id === "in:forward.x")!;
  const values = Float32Array.from({ length: T * K }, (_, i) => Math.sin(i * 0.7));
  void device.write("io", x.offset, new Uint8Array(values.buffer));
  return {
    weightBytes: plan.spaces.weights,
    operations: 2 * T * K * N,
    run: () => void device.run("forward", { T, past: 0 }),
  };
}

export interface Limits {
  /** Floating point operations of one call of `f32`. */
  readonly operations: number;
  readonly byteOperations: number;
  f32(): void;
  bytes(): void;
  /** Reads the next `count` bytes of a ring of `ringBytes`. */
  read(count: number): void;
}

export function prepareLimits(ringBytes: number, level: Target = target!): Limits {
  const code = loadCode(compileNative(limitKernels(level), level), "limits.o");
  const type = koffi().proto("void limit(void** buffers, const int* scalars, void* scratch, int from, int to)");
  const call = (name: string, buffers: readonly Uint8Array[], scalar: number, to: number): void =>
    void koffi().call(BigInt(code.address(name)), type, [...buffers], Int32Array.of(scalar), some, 0, to);
  const some = new Uint8Array(4096);
  const ring = noise(ringBytes);
  const turns = 20_000;
  let at = 0;
  return {
    operations: peakOperations(level) * turns,
    byteOperations: peakByteOperations(level) * turns,
    f32: () => call("peak_f32", [some], turns, 1),
    bytes: () => call("peak_i8", [some], turns, 1),
    read: (count) => {
      if (at + count > ring.length) at = 0;
      call("read", [ring.subarray(at, at + count), some], count / readBytes / 8, 8);
      at += count;
    },
  };
}
