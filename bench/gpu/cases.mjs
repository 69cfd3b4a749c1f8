/** What is measured: the same work for each engine, as each one's user would write it. */
import { compiler, program } from "../compiled.mjs";
import { matmulGraph, moeGraph, qmoeGraph } from "../layer/onnx-graphs.mjs";
import { model, node, port } from "../layer/onnx-proto.mjs";
import { noise } from "../layer/noise.mjs";

const { emitWgslPrograms, layerCount, packWeight, schedule, webgpu } = compiler;
const path = (name) => new URL(`../${name}`, import.meta.url).pathname;

/** Plan, WGSL and packed weights of a spec for WebGPU. */
function compiled(spec, { model: name, sizes, tokens, storage = "f32", weight = noise }) {
  const graph = program(path(spec), { ...(name ? { model: name } : {}), sizes });
  const { kernels, plan } = schedule(graph, webgpu, {
    limits: { T: tokens, context: tokens },
    entries: ["forward"],
    storage: (param) => (param.axes.length > 2 || storage === "f32" ? storage : "f32"),
  });
  const bytes = new Uint8Array(plan.spaces.weights);
  const buffers = new Map(plan.buffers.map((buffer) => [buffer.id, buffer]));
  for (const one of plan.weights) {
    const count = one.axes.reduce((product, { size }) => product * size, 1) / layerCount(one);
    bytes.set(
      packWeight(one, () => weight(count, 0.05, 1 + one.path.length)),
      buffers.get(one.buffer).offset,
    );
  }
  return { plan, programs: emitWgslPrograms(kernels, plan, webgpu), weights: bytes };
}

function attentionGraph(H, C) {
  const inputs = ["q", "k", "v"].map((name) => port(name, "float", [1, "T", H * C]));
  const attributes = { num_heads: H, unidirectional: 1 };
  const nodes = [node("MultiHeadAttention", ["q", "k", "v"], ["y"], attributes, "com.microsoft")];
  return {
    model: model({ nodes, initializers: [], inputs, outputs: [port("y", "float", [1, "T", H * C])] }),
    external: {},
  };
}

/** Cases by name: input lengths per token, tokens per call, and what each engine computes them with. */
export function casesOf({ D, F, E, k, tokens, matmul, attention }) {
  const most = Math.max(...tokens);
  const shape = { D, F, E, k, router: noise(D * E, 0.03, 7) };
  const scale = 1 / Math.sqrt(D);
  const sizes = { D, F, E };
  const layer = (storage) => () => compiled("layer/layer.moe", { sizes, tokens: most, storage });
  const moe = { inputs: { x: [D] }, tokens };
  const [H, C] = [4, 64];
  return {
    "MoE layer, f32": {
      ...moe,
      moec: layer("f32"),
      onnx: () => moeGraph(shape, { interleaved: noise(E * 2 * F * D, scale, 1), down: noise(E * D * F, scale, 3) }),
      jax: { kind: "product", D, N: 3 * F * k },
    },
    "MoE layer, f16": { ...moe, moec: layer("f16") },
    "MoE layer, 8 bits": { ...moe, moec: layer("q8_0"), onnx: () => qmoeGraph(shape, 8) },
    "MoE layer, 4 bits": { ...moe, moec: layer("q4_0"), onnx: () => qmoeGraph(shape, 4) },
    matmul: {
      inputs: { x: [matmul] },
      tokens: [matmul],
      moec: () => compiled("layer/dense.moe", { sizes: { D: matmul, F: matmul }, tokens: matmul }),
      onnx: () => matmulGraph(matmul, matmul, matmul, noise(matmul * matmul, 0.05, 2)),
      jax: { kind: "product", D: matmul, N: matmul },
    },
    attention: {
      inputs: { q: [H, C], k: [H, C], v: [H, C] },
      flat: true,
      tokens: [attention],
      moec: () => compiled("attention/attention.moe", { model: "Full", sizes: { H, C }, tokens: attention }),
      onnx: () => attentionGraph(H, C),
      jax: { kind: "attention", H, C },
    },
  };
}
