/**
 * One mixture-of-experts layer (router, top-k, SwiGLU experts) as ONNX graphs, each the way a user of ONNX Runtime would
 * write it: the fused `MoE` and `QMoE` operators, and a loop over experts built from plain operators.
 *
 * Every builder returns `{ model, external }`: the message, and the external data files by name.
 */
import { constant, external, Float, model, node, port } from "./onnx-proto.mjs";

const f32 = (values) => Float32Array.from(values);
const i64 = (values) => BigInt64Array.from(values.map(BigInt));

function randomBytes(length) {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = (i * 2654435761) >>> 13;
  return data;
}

function router(shape) {
  return {
    nodes: [node("MatMul", ["x", "router"], ["scores"])],
    constants: [constant("router", "float", [shape.D, shape.E], shape.router)],
  };
}

/** `com.microsoft.MoE`: gate and up interleaved by row, weights `[E, 2F, D]` and `[E, D, F]`. */
export function moeGraph(shape, weights) {
  const { D, E, F, k } = shape;
  const { nodes, constants } = router(shape);
  const fc1 = weights.interleaved;
  return {
    model: model({
      nodes: [
        ...nodes,
        node(
          "MoE",
          ["x", "scores", "fc1", "", "fc2"],
          ["y"],
          {
            activation_type: "swiglu",
            k,
            normalize_routing_weights: 1,
            swiglu_fusion: 1,
            activation_alpha: new Float(1),
            activation_beta: new Float(0),
          },
          "com.microsoft",
        ),
      ],
      initializers: [
        ...constants,
        external("fc1", "float", [E, 2 * F, D], "fc1", 0, fc1.byteLength),
        external("fc2", "float", [E, D, F], "fc2", 0, weights.down.byteLength),
      ],
      inputs: [port("x", "float", ["T", D])],
      outputs: [port("y", "float", ["T", D])],
    }),
    external: { fc1, fc2: weights.down },
  };
}

/** `com.microsoft.QMoE` with blocks of 32 along the contracted axis; the weights' bytes are random, only time is measured. */
export function qmoeGraph(shape, bits) {
  const { D, E, F, k } = shape;
  const { nodes, constants } = router(shape);
  const pack = 8 / bits;
  const scales = (length) => new Float32Array(length).fill(bits === 4 ? 0.003 : 0.0002);
  const data = {
    w1: randomBytes((E * 2 * F * D) / pack),
    s1: scales((E * 2 * F * D) / 32),
    w2: randomBytes((E * D * F) / pack),
    s2: scales((E * D * F) / 32),
  };
  return {
    model: model({
      nodes: [
        ...nodes,
        node(
          "QMoE",
          ["x", "scores", "w1", "s1", "", "w2", "s2", ""],
          ["y"],
          {
            activation_type: "swiglu",
            k,
            normalize_routing_weights: 1,
            swiglu_fusion: 1,
            activation_alpha: new Float(1),
            activation_beta: new Float(0),
            expert_weight_bits: bits,
            block_size: 32,
          },
          "com.microsoft",
        ),
      ],
      initializers: [
        ...constants,
        external("w1", "uint8", [E, 2 * F, D / pack], "w1", 0, data.w1.byteLength),
        external("s1", "float", [E, 2 * F, D / 32], "s1", 0, data.s1.byteLength),
        external("w2", "uint8", [E, D, F / pack], "w2", 0, data.w2.byteLength),
        external("s2", "float", [E, D, F / 32], "s2", 0, data.s2.byteLength),
      ],
      inputs: [port("x", "float", ["T", D])],
      outputs: [port("y", "float", ["T", D])],
    }),
    external: data,
  };
}

/**
 * Per expert: NonZero finds its tokens, Gather, three products, ScatterND adds. `products` writes a product of an
 * expert's rows: `{ constants(e), multiply(e, input, name, output) }`.
 */
function loop(shape, products, data) {
  const { E, k } = shape;
  const { nodes, constants } = router(shape);
  const initializers = [
    ...constants,
    constant("k", "int64", [1], i64([k])),
    constant("axis1", "int64", [1], i64([1])),
    constant("minus1", "int64", [1], i64([-1])),
    constant("zero", "float", [1], f32([0])),
  ];
  nodes.push(
    node("Softmax", ["scores"], ["p"], { axis: -1 }),
    node("TopK", ["p", "k"], ["best", "index"], { axis: -1, largest: 1, sorted: 1 }),
    node("ReduceSum", ["best", "axis1"], ["total"], { keepdims: 1 }),
    node("Div", ["best", "total"], ["weight"]),
    node("Mul", ["x", "zero"], ["y0"]),
  );
  for (let e = 0; e < E; e++) {
    initializers.push(constant(`e${e}`, "int64", [1], i64([e])), ...products.constants(e));
    nodes.push(
      node("Equal", ["index", `e${e}`], [`hit${e}`]),
      node("NonZero", [`hit${e}`], [`where${e}`]),
      node("Transpose", [`where${e}`], [`pairs${e}`], { perm: [1, 0] }),
      node("GatherND", ["weight", `pairs${e}`], [`w${e}`]),
      node("Unsqueeze", [`w${e}`, "axis1"], [`wc${e}`]),
      node("Split", [`where${e}`], [`rows${e}`, `slots${e}`], { axis: 0, num_outputs: 2 }),
      node("Reshape", [`rows${e}`, "minus1"], [`row${e}`]),
      node("Gather", ["x", `row${e}`], [`z${e}`], { axis: 0 }),
      products.multiply(e, `z${e}`, "gate", `g${e}`),
      products.multiply(e, `z${e}`, "up", `u${e}`),
      node("Sigmoid", [`g${e}`], [`s${e}`]),
      node("Mul", [`g${e}`, `s${e}`], [`a${e}`]),
      node("Mul", [`a${e}`, `u${e}`], [`h${e}`]),
      products.multiply(e, `h${e}`, "down", `d${e}`),
      node("Mul", [`d${e}`, `wc${e}`], [`o${e}`]),
      node("Unsqueeze", [`row${e}`, "axis1"], [`rc${e}`]),
      node("ScatterND", [e === 0 ? "y0" : `y_${e}`, `rc${e}`, `o${e}`], [e === E - 1 ? "y" : `y_${e + 1}`], {
        reduction: "add",
      }),
    );
  }
  return {
    model: model({
      nodes,
      initializers,
      inputs: [port("x", "float", ["T", shape.D])],
      outputs: [port("y", "float", ["T", shape.D])],
    }),
    external: data,
  };
}

/** Experts one by one by plain `MatMul`. Weights `[D, F]`, `[D, F]`, `[F, D]`. */
export function loopGraph(shape, weights) {
  const { D, F } = shape;
  const bytes = D * F * 4;
  const products = {
    constants: (e) => [
      external(`gate${e}`, "float", [D, F], "gate", e * bytes, bytes),
      external(`up${e}`, "float", [D, F], "up", e * bytes, bytes),
      external(`down${e}`, "float", [F, D], "down", e * bytes, bytes),
    ],
    multiply: (e, input, name, output) => node("MatMul", [input, `${name}${e}`], [output]),
  };
  return loop(shape, products, { gate: weights.gate, up: weights.up, down: weights.downT });
}

/**
 * Experts one by one by `com.microsoft.MatMulNBits` in blocks of 32, activations as 8-bit integers (`accuracy_level` 4):
 * the fastest way that ONNX Runtime has for quantized experts on processors. Bytes are random; only time is measured.
 */
export function quantizedLoopGraph(shape, bits) {
  const { D, E, F } = shape;
  const sizes = { gate: [D, F], up: [D, F], down: [F, D] };
  const data = {};
  for (const [name, [K, N]] of Object.entries(sizes)) {
    data[name] = randomBytes((E * K * N * bits) / 8);
    data[`${name}_scale`] = new Float32Array((E * K * N) / 32).fill(bits === 4 ? 0.003 : 0.0002);
  }
  const products = {
    constants: (e) =>
      Object.entries(sizes).flatMap(([name, [K, N]]) => {
        const [bytes, scaleBytes] = [(K * N * bits) / 8, (K * N) / 8];
        return [
          external(`${name}${e}`, "uint8", [N, K / 32, 4 * bits], name, e * bytes, bytes),
          external(`${name}_scale${e}`, "float", [N * (K / 32)], `${name}_scale`, e * scaleBytes, scaleBytes),
        ];
      }),
    multiply: (e, input, name, output) => {
      const [K, N] = sizes[name];
      const attributes = { K, N, bits, block_size: 32, accuracy_level: 4 };
      return node("MatMulNBits", [input, `${name}${e}`, `${name}_scale${e}`], [output], attributes, "com.microsoft");
    },
  };
  return loop(shape, products, data);
}

/** A plain product `[M, K] x [K, N]`. */
export function matmulGraph(M, K, N, weight) {
  return {
    model: model({
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      initializers: [external("w", "float", [K, N], "w", 0, weight.byteLength)],
      inputs: [port("x", "float", [M, K])],
      outputs: [port("y", "float", [M, N])],
    }),
    external: { w: weight },
  };
}
