/** The example model on CUDA: a bundle with its kernels, and a driver that runs them on the CPU. */
import type { StorageType } from "../../compiler/2-graph/ir.js";
import type { Schedule } from "../../compiler/4-schedule/options.js";
import { cudaLaunch, emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { cuda } from "../../compiler/targets/index.js";
import { Model } from "../../runtime/model/model.js";
import { openModel, type OpenOptions } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { tinyBundle, tinyProgram, tinySchedule } from "../real/tiny-moe.js";
import { fakeDriver, install, type FakeDriver } from "../support/fake-cuda.js";
import { interpreterDevice } from "../support/interpreter-device.js";
import { memoryFiles, type MemoryFiles } from "../support/memory-bundle.js";

export interface CudaExample extends Schedule {
  readonly files: MemoryFiles;
  readonly driver: FakeDriver;
}

/** A bundle with the source only, so that NVRTC is asked. */
export async function cudaExample(storage: StorageType): Promise<CudaExample> {
  const program = tinyProgram();
  const schedule = tinySchedule(program, storage, cuda);
  const { kernels, plan } = schedule;
  const files = tinyBundle(program, {
    plan,
    cuda: { plan, source: emitCuda(kernels, cuda), launches: kernels.map(cudaLaunch), modules: [] },
  });
  return { ...schedule, files, driver: await fakeDriver(kernels) };
}

export async function openExample({ files, driver }: CudaExample, options: OpenOptions = {}): Promise<Model> {
  install(driver);
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), options));
  await model.reset();
  return model;
}

/** The same kernels on the interpreter. */
export async function interpretedExample({ files, kernels, plan }: CudaExample): Promise<Model> {
  const make = () => Promise.resolve(interpreterDevice(kernels, plan));
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), {}, make));
  await model.reset();
  return model;
}
