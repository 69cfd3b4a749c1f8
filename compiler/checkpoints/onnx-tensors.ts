/** TensorProto messages as entries of a checkpoint's table. */
import { moecError } from "../errors/index.js";
import { badShape, damagedOnnx, place, tensorOutOfRange } from "./errors.js";
import { STORAGE, storageBytes, valueCount } from "./storage.js";
import type { ByteSource, OpenBeside, StorageType, TensorInfo } from "./types.js";
import type { ByteRange, WireField, WireFile } from "./wire-fields.js";

const TENSOR = {
  ...{ dims: 1, type: 2, floats: 4, ints: 5, longs: 7, name: 8, raw: 9, doubles: 10, external: 13, location: 14 },
} as const;

/** Element types that moec reads, by their numbers in the format. */
const TYPES: ReadonlyMap<number, StorageType> = new Map<number, StorageType>([
  [1, "f32"],
  [2, "u8"],
  [3, "i8"],
  [6, "i32"],
  [7, "i64"],
  [9, "bool"],
  [10, "f16"],
  [16, "bf16"],
]);
/** Names of the others, for people. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  ...{ 4: "uint16", 5: "int16", 8: "string", 11: "double", 12: "uint32", 13: "uint64", 14: "complex64" },
  ...{ 15: "complex128", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz" },
  ...{ 21: "uint4", 22: "int4", 23: "float4e2m1" },
};

const MOST_NAME_BYTES = 1 << 12;
const MOST_AXES = 16;
/** Files of external data that one model may have. */
const MOST_FILES = 1 << 12;

interface Fields {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly raw: ByteRange | undefined;
  readonly floats: ByteRange | undefined;
  /** Varints one behind the other, of `int32_data` or `int64_data`. */
  readonly numbers: ByteRange | undefined;
  readonly external: ReadonlyMap<string, string> | undefined;
}

export class OnnxTensors {
  readonly infos: TensorInfo[] = [];
  /** Initializers that have no place in the table, with the reason. */
  readonly unread: string[] = [];
  readonly external: ByteSource[] = [];
  private readonly files = new Map<string, number>();
  /** Tensors whose numbers are spelled out, and where. */
  private readonly spelled: { readonly info: Omit<TensorInfo, "source" | "offset">; readonly at: ByteRange }[] = [];

  constructor(
    private readonly wire: WireFile,
    private readonly openBeside: OpenBeside | undefined,
  ) {}

  add(at: ByteRange): void {
    const { wire } = this;
    const tensor = this.read(at);
    const { name, dims } = tensor;
    const type = TYPES.get(tensor.type);
    if (type === undefined) {
      this.unread.push(`${name}: ${OTHER_TYPES[tensor.type] ?? `type ${tensor.type}`}`);
      return;
    }
    const byteLength = storageBytes(type, dims, name);
    const info = { name, shape: dims, type, byteLength };
    const whole = (range: ByteRange): void => {
      if (range.length !== byteLength) {
        throw badShape(name, dims, `${type} needs ${byteLength} bytes, and the file has ${range.length}`);
      }
    };
    const data = tensor.raw ?? tensor.floats;
    if (tensor.external) this.infos.push({ ...info, ...this.outside(name, tensor.external, byteLength) });
    else if (tensor.numbers) {
      if (type === "f32") throw damagedOnnx("whole numbers for f32", wire.source.name, at.offset);
      this.spelled.push({ info, at: tensor.numbers });
      // A varint has at least one byte, so what is decoded is at most eight times as long as the file.
      const count = valueCount(dims, name);
      if (count > tensor.numbers.length) throw badShape(name, dims, `the file has fewer than ${count} numbers`);
    } else if (data) {
      if (data === tensor.floats && type !== "f32")
        throw damagedOnnx(`floats for ${type}`, wire.source.name, at.offset);
      whole(data);
      this.infos.push({ ...info, source: 0, offset: data.offset });
    } else if (byteLength === 0) this.infos.push({ ...info, source: 0, offset: at.offset });
    else throw badShape(name, dims, "the file has no numbers for it");
  }

  /** Numbers that were spelled out, one tensor behind the other; adds their tensors to the table. */
  decoded(): Uint8Array {
    const source = 1 + this.external.length;
    const total = this.spelled.reduce((sum, { info }) => sum + info.byteLength, 0);
    const out = new Uint8Array(total);
    let offset = 0;
    for (const { info, at } of this.spelled) {
      const width = STORAGE[info.type].blockBytes;
      const end = offset + info.byteLength;
      let to = offset;
      for (const value of this.wire.packed(at)) {
        if (to >= end) throw badShape(info.name, info.shape, "the file has more numbers");
        for (let byte = 0; byte < width; byte++) out[to++] = Number((value >> BigInt(8 * byte)) & 0xffn);
      }
      if (to !== end) throw badShape(info.name, info.shape, "the file has fewer numbers");
      this.infos.push({ ...info, source, offset });
      offset = end;
    }
    return out;
  }

  private read(at: ByteRange): Fields {
    const { wire } = this;
    const dims: number[] = [];
    let [name, type] = ["", 0];
    let raw: ByteRange | undefined;
    let floats: ByteRange | undefined;
    let numbers: ByteRange | undefined;
    let isExternal = false;
    const external = new Map<string, string>();
    const damaged = (reason: string): Error => damagedOnnx(reason, wire.source.name, at.offset);
    const dim = (value: bigint): void => {
      if (dims.length === MOST_AXES) throw damaged(`a tensor of more than ${MOST_AXES} axes`);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`a tensor with an axis of ${value}`);
      dims.push(Number(value));
    };
    /** The one run of bytes that a tensor's numbers lie in. */
    const run = (field: WireField): ByteRange => {
      if (field.kind !== "bytes" || raw || floats || numbers) throw damaged("numbers of a tensor that lie in pieces");
      return field.at;
    };
    for (const field of wire.fields(at)) {
      switch (field.field) {
        case TENSOR.dims:
          if (field.kind === "varint") dim(field.value);
          else if (field.kind === "bytes") for (const value of wire.packed(field.at)) dim(value);
          break;
        case TENSOR.type:
          if (field.kind === "varint") type = Number(field.value);
          break;
        case TENSOR.name:
          if (field.kind === "bytes") name = wire.text(field.at, MOST_NAME_BYTES);
          break;
        case TENSOR.raw:
          raw = run(field);
          break;
        case TENSOR.floats:
          floats = run(field);
          break;
        case TENSOR.ints:
        case TENSOR.longs:
          numbers = run(field);
          break;
        case TENSOR.external:
          if (field.kind === "bytes") external.set(...noteOf(wire, field.at, MOST_NAME_BYTES));
          break;
        case TENSOR.location:
          isExternal = field.kind === "varint" && field.value === 1n;
          break;
      }
    }
    return { name, dims, type, raw, floats, numbers, external: isExternal ? external : undefined };
  }

  /** Where external data lies. */
  private outside(name: string, keys: ReadonlyMap<string, string>, byteLength: number) {
    const location = keys.get("location") ?? "";
    const refuse = (reason: string): Error =>
      moecError("MOE5612", { name, location, reason }, place(this.wire.source.name, { path: name }));
    // A model is a foreign file: it may only name what lies in its own folder.
    const parts = location.split("/");
    if (!parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part))) throw refuse("it leaves the folder");
    const offset = wholeNumber(keys.get("offset") ?? "0");
    const length = wholeNumber(keys.get("length") ?? String(byteLength));
    if (offset === undefined || length !== byteLength) throw refuse("offset or length do not fit its shape");
    let source = this.files.get(location);
    if (source === undefined) {
      if (!this.openBeside) throw refuse("no folder is known");
      if (this.external.length === MOST_FILES) throw refuse(`the model names more than ${MOST_FILES} files`);
      this.external.push(this.openBeside(location));
      source = this.external.length;
      this.files.set(location, source);
    }
    const { size } = this.external[source - 1]!;
    if (offset + length > size) throw tensorOutOfRange(name, offset, offset + length, size, location);
    return { source, offset };
  }
}

function wholeNumber(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Key and value of a StringStringEntryProto; texts of at most `most` bytes. */
export function noteOf(wire: WireFile, at: ByteRange, most: number): readonly [key: string, value: string] {
  let [key, value] = ["", ""];
  for (const part of wire.fields(at)) {
    if (part.kind !== "bytes") continue;
    if (part.field === 1) key = wire.text(part.at, most);
    if (part.field === 2) value = wire.text(part.at, most);
  }
  return [key, value];
}
