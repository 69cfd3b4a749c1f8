/** The example model on WebGPU: kernels for the target, a bundle in memory, Dawn's device behind the runtime's. */
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { webgpu } from "../../compiler/targets/index.js";
import type { Device } from "../../runtime/device.js";
import { Model } from "../../runtime/model/model.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { makeWebGpuDevice, type WebGpuParts } from "../../runtime/webgpu/device.js";
import { tinyBundle, tinyProgram, tinySchedule } from "../real/tiny-moe.js";
import { interpreterDevice } from "./interpreter-device.js";
import { memoryFiles } from "./memory-bundle.js";

/** The kernels of the WebGPU plan, on a GPU or (without one) on the interpreter. */
export async function gpuModel(
  storage: StorageType,
  gpu?: Pick<WebGpuParts, "device" | "name" | "isSoftware" | "support" | "texts">,
): Promise<Model> {
  const program = tinyProgram();
  const { kernels, plan } = tinySchedule(program, storage, webgpu);
  const files = tinyBundle(program, { plan });
  const make = (): Promise<Device> =>
    gpu
      ? makeWebGpuDevice({ plan, programs: emitWgslPrograms(kernels, plan, webgpu), ...gpu })
      : Promise.resolve(interpreterDevice(kernels, plan, false, "cpu"));
  const model = new Model(
    await openModel(memoryFiles(files), nodeHost(), gpu?.texts === undefined ? {} : { texts: gpu.texts }, make),
  );
  await model.reset();
  return model;
}
