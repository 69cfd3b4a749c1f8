/**
 * Just enough of the ONNX protobuf schema to write the graphs that the benchmark feeds to ONNX Runtime. Weights stay
 * outside of the message (external data), so a 1.6 GB layer needs no 1.6 GB string.
 */

const TYPES = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9 };
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 };

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}
const tag = (field, wire) => varint((field << 3) | wire);
const integer = (field, value) => Buffer.concat([tag(field, 0), varint(value)]);
const bytes = (field, value) => {
  const data = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([tag(field, 2), varint(data.length), data]);
};
const float = (field, value) => {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([tag(field, 5), data]);
};

function attribute(name, value) {
  const head = bytes(1, name);
  if (typeof value === "string") return Buffer.concat([head, bytes(4, value), integer(20, ATTRIBUTE.string)]);
  if (Array.isArray(value))
    return Buffer.concat([head, ...value.map((v) => integer(8, v)), integer(20, ATTRIBUTE.ints)]);
  if (value instanceof Float) return Buffer.concat([head, float(2, value.value), integer(20, ATTRIBUTE.float)]);
  return Buffer.concat([head, integer(3, value), integer(20, ATTRIBUTE.int)]);
}

/** Marks a number as a float attribute. */
export class Float {
  constructor(value) {
    this.value = value;
  }
}

export function node(op, inputs, outputs, attributes = {}, domain = "") {
  return Buffer.concat([
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
    ...(domain ? [bytes(7, domain)] : []),
  ]);
}

/** A small constant, kept inside the message. */
export function constant(name, type, dims, data) {
  return Buffer.concat([
    ...dims.map((dim) => integer(1, dim)),
    integer(2, TYPES[type]),
    bytes(8, name),
    bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

/** A weight that lies in the file `location`, from `offset` on. */
export function external(name, type, dims, location, offset, length) {
  const entry = (key, value) => bytes(13, Buffer.concat([bytes(1, key), bytes(2, String(value))]));
  return Buffer.concat([
    ...dims.map((dim) => integer(1, dim)),
    integer(2, TYPES[type]),
    bytes(8, name),
    entry("location", location),
    entry("offset", offset),
    entry("length", length),
    integer(14, 1),
  ]);
}

export function port(name, type, dims) {
  const shape = Buffer.concat(dims.map((dim) => bytes(1, typeof dim === "number" ? integer(1, dim) : bytes(2, dim))));
  return Buffer.concat([bytes(1, name), bytes(2, bytes(1, Buffer.concat([integer(1, TYPES[type]), bytes(2, shape)])))]);
}

export function model({ nodes, initializers, inputs, outputs }) {
  const graph = Buffer.concat([
    ...nodes.map((item) => bytes(1, item)),
    bytes(2, "layer"),
    ...initializers.map((item) => bytes(5, item)),
    ...inputs.map((item) => bytes(11, item)),
    ...outputs.map((item) => bytes(12, item)),
  ]);
  const opset = (domain, version) => bytes(8, Buffer.concat([bytes(1, domain), integer(2, version)]));
  return Buffer.concat([integer(1, 10), opset("", 21), opset("com.microsoft", 1), bytes(7, graph)]);
}
