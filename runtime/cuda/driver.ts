/** The part of CUDA's driver API that is used, through koffi. Handles and addresses on the GPU are numbers. */
import { moecError } from "../../compiler/errors/raise.js";
import { shortReasonOf } from "../../compiler/errors/reason.js";
import { koffi, type Address, type NativeFunction } from "../native/koffi.js";
import { libc } from "../native/libc.js";

/** Numbers of the driver API. */
export const ATTRIBUTE = { processors: 16, major: 75, minor: 76 } as const;
export const STREAM_NON_BLOCKING = 1;
const OUT_OF_MEMORY = 2;

/**
 * What each function takes. Out parameters are arrays of one element; a handle is a `uintptr_t`, one on its way out a
 * `uint64_t*`.
 */
export const PROTOTYPES = {
  cuInit: "unsigned int flags",
  cuDriverGetVersion: "int* version",
  cuDeviceGetCount: "int* count",
  cuDeviceGet: "int* device, int ordinal",
  cuDeviceGetName: "uint8_t* name, int length, int device",
  cuDeviceGetAttribute: "int* value, int attribute, int device",
  cuDevicePrimaryCtxRetain: "uint64_t* context, int device",
  cuDevicePrimaryCtxRelease_v2: "int device",
  cuCtxSetCurrent: "uintptr_t context",
  cuMemGetInfo_v2: "uint64_t* free, uint64_t* total",
  cuMemAlloc_v2: "uint64_t* address, size_t bytes",
  cuMemFree_v2: "uint64_t address",
  cuMemcpyHtoDAsync_v2: "uint64_t to, const uint8_t* from, size_t bytes, uintptr_t stream",
  cuMemcpyDtoHAsync_v2: "uint8_t* to, uint64_t from, size_t bytes, uintptr_t stream",
  cuModuleLoadData: "uint64_t* module, const uint8_t* image",
  cuModuleGetFunction: "uint64_t* function, uintptr_t module, const char* name",
  cuModuleUnload: "uintptr_t module",
  cuStreamCreate: "uint64_t* stream, unsigned int flags",
  cuStreamSynchronize: "uintptr_t stream",
  cuStreamDestroy_v2: "uintptr_t stream",
  cuGraphCreate: "uint64_t* graph, unsigned int flags",
  cuGraphAddKernelNode_v2: "uint64_t* node, uintptr_t graph, const uint64_t* after, size_t count, uintptr_t parameters",
  cuGraphInstantiateWithFlags: "uint64_t* ready, uintptr_t graph, uint64_t flags",
  cuGraphExecKernelNodeSetParams_v2: "uintptr_t ready, uintptr_t node, uintptr_t parameters",
  cuGraphNodeSetEnabled: "uintptr_t ready, uintptr_t node, unsigned int enabled",
  cuGraphLaunch: "uintptr_t ready, uintptr_t stream",
  cuGraphExecDestroy: "uintptr_t ready",
  cuGraphDestroy: "uintptr_t graph",
} as const;

export type DriverCall = keyof typeof PROTOTYPES;

export class CudaDriver {
  private constructor(
    private readonly functions: Readonly<Record<DriverCall, NativeFunction>>,
    private readonly errorName: NativeFunction,
  ) {}

  /**
   * @param path The driver's library.
   * @throws MoecError MOE4230 when it can't be loaded or lacks a function.
   */
  static open(path: string): CudaDriver {
    try {
      // Refuses systems whose addresses and memory are not as the launch tables take them.
      libc();
      const library = koffi().load(path);
      const bind = (call: DriverCall): [DriverCall, NativeFunction] => [
        call,
        library.func(`int ${call}(${PROTOTYPES[call]})`),
      ];
      const functions = Object.fromEntries((Object.keys(PROTOTYPES) as DriverCall[]).map(bind));
      const errorName = library.func("int cuGetErrorName(int error, _Out_ const char** name)");
      const driver = new CudaDriver(functions as Record<DriverCall, NativeFunction>, errorName);
      driver.call("cuInit", 0);
      return driver;
    } catch (error) {
      const reason = shortReasonOf(error);
      throw moecError("MOE4230", { reason: `${path}: ${reason}` });
    }
  }

  /** @throws MoecError MOE4234 when the driver gives an error. */
  call(name: DriverCall, ...args: readonly unknown[]): void {
    const status = this.functions[name](...args) as number;
    if (status !== 0) throw moecError("MOE4234", { error: this.nameOf(status), call: name });
  }

  /** The handle that a function puts into its first argument. */
  handle(name: DriverCall, ...args: readonly unknown[]): Address {
    const out = new BigUint64Array(1);
    this.call(name, out, ...args);
    return Number(out[0]);
  }

  /** The number that a function puts into its first argument. */
  number(name: DriverCall, ...args: readonly unknown[]): number {
    const out = new Int32Array(1);
    this.call(name, out, ...args);
    return out[0]!;
  }

  /** Memory on the GPU; undefined when there is not that much. */
  allocate(bytes: number): Address | undefined {
    const out = new BigUint64Array(1);
    const status = this.functions.cuMemAlloc_v2(out, bytes) as number;
    if (status === OUT_OF_MEMORY) return undefined;
    if (status !== 0) throw moecError("MOE4234", { error: this.nameOf(status), call: "cuMemAlloc_v2" });
    return Number(out[0]);
  }

  private nameOf(status: number): string {
    const name: [string | null] = [null];
    return this.errorName(status, name) === 0 && name[0] !== null ? name[0] : `error ${status}`;
  }
}
