/** A GPU with a context and a stream of its own. */
import { capabilityName } from "../../compiler/5-emit/cuda/flags.js";
import { moecError } from "../../compiler/errors/raise.js";
import { describeBytes } from "../bytes.js";
import type { Address } from "../native/koffi.js";
import { ATTRIBUTE, CudaDriver, STREAM_NON_BLOCKING } from "./driver.js";

/** The driver's library, unless the environment names another. */
const DRIVER = "libcuda.so.1";
/** Compute capability 8.0, as `major * 10 + minor`. */
const OLDEST = 80;

/** A range of memory on the GPU. */
export interface GpuRange {
  readonly address: Address;
  readonly bytes: number;
}

export class CudaGpu {
  /** Such as `NVIDIA H100 80GB HBM3`. */
  readonly name: string;
  /** Compute capability as `major * 10 + minor`. */
  readonly capability: number;
  private readonly taken: (() => void)[] = [];

  private constructor(
    readonly driver: CudaDriver,
    private readonly device: number,
  ) {
    const name = new Uint8Array(256);
    driver.call("cuDeviceGetName", name, name.length, device);
    this.name = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
    const attribute = (number: number): number => driver.number("cuDeviceGetAttribute", number, device);
    this.capability = attribute(ATTRIBUTE.major) * 10 + attribute(ATTRIBUTE.minor);
  }

  /**
   * The first GPU of this machine (`CUDA_VISIBLE_DEVICES` says which that is).
   *
   * @throws MoecError MOE4230 when there is none that the kernels are for.
   */
  static first(path = process.env["MOEC_LIBCUDA"] || DRIVER): CudaGpu {
    const driver = CudaDriver.open(path);
    if (driver.number("cuDeviceGetCount") === 0) throw moecError("MOE4230", { reason: "the driver sees no GPU" });
    const gpu = new CudaGpu(driver, driver.number("cuDeviceGet", 0));
    if (gpu.capability >= OLDEST) return gpu;
    const [own, oldest] = [gpu.capability, OLDEST].map(capabilityName);
    throw moecError("MOE4230", {
      reason: `${gpu.name} has compute capability ${own}; ${oldest} is the oldest that runs`,
    });
  }

  /** Takes the GPU's context for this thread, and gives a stream. */
  open(): Address {
    const { driver, device } = this;
    const context = driver.handle("cuDevicePrimaryCtxRetain", device);
    this.taken.push(() => driver.call("cuDevicePrimaryCtxRelease_v2", device));
    driver.call("cuCtxSetCurrent", context);
    const stream = driver.handle("cuStreamCreate", STREAM_NON_BLOCKING);
    this.taken.push(() => driver.call("cuStreamDestroy_v2", stream));
    return stream;
  }

  /**
   * @param what For the message when there is too little.
   * @throws MoecError MOE4233
   */
  memory(bytes: number, what: string): GpuRange {
    const { driver } = this;
    const address = driver.allocate(Math.max(256, bytes));
    if (address === undefined) {
      const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
      driver.call("cuMemGetInfo_v2", free, total);
      const sizes = { needed: describeBytes(bytes), free: describeBytes(Number(free[0])) };
      throw moecError("MOE4233", { what, gpu: this.name, ...sizes });
    }
    this.taken.push(() => driver.call("cuMemFree_v2", address));
    return { address, bytes };
  }

  /** Remembers what has to be given back before what was taken earlier. */
  keep(giveBack: () => void): void {
    this.taken.push(giveBack);
  }

  /** Gives everything back; a GPU that has failed gives nothing back and needs no more. */
  close(): void {
    for (const give of this.taken.splice(0).reverse()) {
      try {
        give();
      } catch {
        // The driver frees what a lost GPU held.
      }
    }
  }
}
