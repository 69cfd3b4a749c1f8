/**
 * The engines in a page. `prepare` loads one case on one engine, `once` runs a call of it and waits for its result. What
 * goes to the GPU is counted at the interface of WebGPU, the same for all.
 */
/* global navigator */
const counts = { dispatches: 0, uploaded: 0, allocated: 0, downloads: 0 };
const wrap = (prototype, name, note) => {
  const plain = prototype[name];
  prototype[name] = function (...args) {
    note(...args);
    return plain.apply(this, args);
  };
};
wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroups", () => counts.dispatches++);
wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", () => counts.dispatches++);
wrap(GPUQueue.prototype, "writeBuffer", (_, __, data, ___, size) => {
  counts.uploaded += size === undefined ? data.byteLength : size * (data.BYTES_PER_ELEMENT ?? 1);
});
wrap(GPUDevice.prototype, "createBuffer", ({ size }) => (counts.allocated += size));
wrap(GPUBuffer.prototype, "mapAsync", () => counts.downloads++);

function noise(length, seed) {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1);
}
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
const bytes = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
const inputsOf = (test, tokens) =>
  Object.entries(test.inputs).map(([name, axes], i) => ({ name, axes, data: noise(tokens * product(axes), 100 + i) }));

const engines = {
  async moec(test, url) {
    const { makeWebGpuDevice, chooseGpu } = await import("/runtime.js");
    const { plan, programs } = await (await fetch(`${url}/moec.json`)).json();
    const { adapter, name, isSoftware, support } = await chooseGpu({
      name: "the page",
      gpu: async () => navigator.gpu,
    });
    const device = await adapter.requestDevice({ requiredLimits: {}, requiredFeatures: support.features });
    const gpu = await makeWebGpuDevice({ plan, programs, device, name, isSoftware, support });
    gpu.write("weights", 0, await bytes(`${url}/moec.bin`));
    const places = new Map(plan.buffers.map((buffer) => [buffer.id, buffer.offset]));
    const [entry] = plan.entries;
    const [output] = entry.outputs;
    return async (tokens, inputs) => {
      for (const { name, data } of inputs) {
        const port = entry.inputs.find((one) => one.name === name);
        gpu.write("io", places.get(port.buffer), new Uint8Array(data.buffer));
      }
      gpu.run(entry.name, { T: tokens, past: 0 });
      const length = tokens * product(output.axes.slice(1).map(({ size }) => Number(size))) * 4;
      return new Float32Array((await gpu.read("io", places.get(output.buffer), length)).buffer);
    };
  },
  async onnx(test, url) {
    const ort = await import("/peers/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs");
    ort.env.wasm.wasmPaths = "/peers/onnxruntime-web/dist/";
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    const model = await bytes(`${url}/onnx.onnx`);
    const externalData = await Promise.all(
      test.external.map(async (path) => ({ path, data: await bytes(`${url}/onnx.${path}.bin`) })),
    );
    const session = await ort.InferenceSession.create(model, { executionProviders: ["webgpu"], externalData });
    return async (tokens, inputs) => {
      const feeds = Object.fromEntries(
        inputs.map(({ name, axes, data }) => [
          name,
          new ort.Tensor("float32", data, test.flat ? [1, tokens, product(axes)] : [tokens, ...axes]),
        ]),
      );
      const outputs = await session.run(feeds);
      return outputs[session.outputNames[0]].getData();
    };
  },
  async jax(test) {
    const { defaultDevice, init, jit, nn, numpy } = await import("/jax.js");
    if (!(await init("webgpu")).includes("webgpu")) throw new Error("jax-js finds no WebGPU");
    defaultDevice("webgpu");
    const { kind, D, N } = test.jax;
    const weight = kind === "product" ? numpy.array(noise(D * N, 1)).reshape([D, N]) : undefined;
    const run = weight
      ? jit((x, w) => numpy.matmul(x, w))
      : jit((q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }));
    return async (tokens, inputs) => {
      const arrays = inputs.map(({ axes, data }) => numpy.array(data).reshape([tokens, ...axes]));
      return (weight ? run(arrays[0], weight.ref) : run(...arrays)).data();
    };
  },
};

let call;
let test;
globalThis.prepare = async (engine, given, url) => {
  test = given;
  try {
    call = await engines[engine](test, url);
    return { allocated: counts.allocated };
  } catch (error) {
    return {
      reason: String(error?.message ?? error)
        .split("\n")[0]
        .slice(0, 200),
    };
  }
};
globalThis.once = async (tokens) => {
  const inputs = inputsOf(test, tokens);
  const before = { ...counts };
  const from = performance.now();
  try {
    const output = await call(tokens, inputs);
    const milliseconds = performance.now() - from;
    if (!output.every(Number.isFinite)) return { reason: "a result is no finite number" };
    const used = Object.fromEntries(Object.keys(counts).map((name) => [name, counts[name] - before[name]]));
    return { milliseconds, ...used, first: [...output.slice(0, 3)] };
  } catch (error) {
    return {
      reason: String(error?.message ?? error)
        .split("\n")[0]
        .slice(0, 200),
    };
  }
};
globalThis.adapter = async () => {
  const { info, features } = await navigator.gpu.requestAdapter();
  return {
    name: info.description || info.vendor,
    features: [...features],
    language: [...navigator.gpu.wgslLanguageFeatures],
  };
};
globalThis.ready = true;
