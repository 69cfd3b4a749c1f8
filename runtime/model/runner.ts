/**
 * Calls of entry points on a device: writes inputs, runs, reads outputs and routes; cuts inputs that are longer than the
 * largest call into pieces where the caches allow it.
 */
import type { Derivation } from "../../compiler/2-graph/ir.js";
import type { Plan, PlanBuffer, PlanEntry, PlanPort, PlanTrace } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Device } from "../device.js";
import { compileSize, type SizeValues } from "../plan/sizes.js";
import { bad, type CheckedInput } from "./inputs.js";
import { joinRoutes, layerNames, toNumbers, type RouteTrace, type Tensor } from "./tensor.js";

export interface PieceResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly routes: readonly RouteTrace[];
  /** How many texts went on by this call, when it was not one. */
  readonly texts?: number;
}

export interface ReadChoice {
  readonly trace: boolean;
  /** Only the last place of the outermost axis: all that generation needs. */
  readonly lastOnly: boolean;
}

export class Runner {
  private readonly buffers: ReadonlyMap<string, PlanBuffer>;

  constructor(
    private readonly plan: Plan,
    private readonly device: Device,
  ) {
    this.buffers = new Map(plan.buffers.map((buffer) => [buffer.id, buffer]));
  }

  /** The entry of the spec that an entry was made of, or itself. */
  source(entry: PlanEntry): PlanEntry {
    return this.plan.entries.find(({ name }) => name === entry.derived?.from) ?? entry;
  }

  /** What was made of an entry, or of the one that it was made of itself. */
  derived({ name, derived }: PlanEntry, form: Derivation["form"]): PlanEntry | undefined {
    const from = derived?.from ?? name;
    return this.plan.entries.find((entry) => entry.derived?.form === form && entry.derived.from === from);
  }

  /**
   * @param fits Which entries are meant; all when absent.
   * @throws MoecError MOE5322
   */
  entry(name: string, fits: (entry: PlanEntry) => boolean = () => true): PlanEntry {
    const entries = this.plan.entries.filter(fits);
    const entry = entries.find((candidate) => candidate.name === name);
    if (entry) return entry;
    throw moecError("MOE5322", { name, available: entries.map((one) => one.name).join(", ") });
  }

  /** Runs one call; `sizes` are within the limits of the plan. */
  async run(
    entry: PlanEntry,
    inputs: readonly CheckedInput[],
    sizes: SizeValues,
    read: ReadChoice,
  ): Promise<PieceResult> {
    for (const { port, data } of inputs) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const buffer = this.buffers.get(port.buffer)!;
      if (bytes.length > buffer.bytes) throw bad(entry, port.name, `its buffer has ${buffer.bytes} bytes`);
      await this.device.write(buffer.space, buffer.offset, bytes);
    }
    await this.device.run(entry.name, sizes);
    const outputs: Record<string, Tensor> = {};
    for (const port of entry.outputs) outputs[port.name] = await this.readPort(port, sizes, read.lastOnly);
    const routes: RouteTrace[] = [];
    if (read.trace) for (const trace of entry.traces) routes.push(await this.readTrace(trace, entry, sizes));
    return { outputs, routes };
  }

  private async readPort(port: PlanPort, sizes: SizeValues, lastOnly: boolean): Promise<Tensor> {
    const full = port.axes.map(({ name, size }) => ({ name, size: compileSize(size).evaluate(sizes) }));
    const [outer, ...inner] = full;
    const place = inner.reduce((product, axis) => product * axis.size, 1);
    const places = outer === undefined ? 1 : outer.size;
    const skipped = lastOnly && outer !== undefined ? Math.max(0, places - 1) : 0;
    const buffer = this.buffers.get(port.buffer)!;
    const bytes = (places - skipped) * place * 4;
    const raw = await this.device.read(buffer.space, buffer.offset + skipped * place * 4, bytes);
    const axes = outer === undefined ? [] : [{ name: outer.name, size: places - skipped }, ...inner];
    return { dtype: port.dtype, axes, data: toNumbers(raw, port.dtype) };
  }

  private async readTrace(trace: PlanTrace, entry: PlanEntry, sizes: SizeValues): Promise<RouteTrace> {
    const all = sizes[tokenAxis(entry)] ?? 1;
    const tokens = trace.rows === undefined ? all : compileSize(trace.rows).evaluate(sizes);
    const byToken = tokens === all && this.isByToken(trace, entry);
    const places = tokens * trace.slots;
    const read = async (id: string, dtype: "i32" | "f32"): Promise<Float32Array | Int32Array> => {
      const buffer = this.buffers.get(id)!;
      const numbers = dtype === "f32" ? new Float32Array(trace.layers * places) : new Int32Array(trace.layers * places);
      for (let layer = 0; layer < trace.layers; layer++) {
        const offset = buffer.offset + layer * trace.layerStride;
        const bytes = await this.device.read(buffer.space, offset, places * 4);
        numbers.set(toNumbers(bytes, dtype), layer * places);
      }
      return numbers;
    };
    const { label, layers, slots, experts, axes } = trace;
    const names = layerNames(trace);
    const index = (await read(trace.index, "i32")) as Int32Array;
    const weight = (await read(trace.weight, "f32")) as Float32Array;
    return { label, layers, names, tokens, byToken, ...(axes ? { axes } : {}), slots, experts, index, weight };
  }

  /** An entry for one token has one row of anything: the one that it was made of says what a row is. */
  private isByToken(trace: PlanTrace, entry: PlanEntry): boolean {
    const base = this.source(entry);
    const { rows } = base.traces.find(({ label }) => label === trace.label) ?? trace;
    return rows === undefined || rows === tokenAxis(base);
  }
}

/** Name of the run-time size that counts the new tokens of a call. */
export function tokenAxis(entry: PlanEntry): string {
  if (entry.tokens !== undefined) return entry.tokens;
  const open = entry.inputs.flatMap((port) => port.axes).find(({ size }) => /^[A-Za-z_]\w*$/.test(size));
  return open?.size ?? "T";
}

/** Joins the results of consecutive pieces along the axis of the tokens. */
export function joinPieces(pieces: readonly PieceResult[], axis: string): PieceResult {
  const [first] = pieces;
  if (pieces.length === 1 || !first) return first ?? { outputs: {}, routes: [] };
  const outputs: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(first.outputs)) {
    const parts = pieces.map((piece) => piece.outputs[name]!);
    outputs[name] = tensor.axes[0]?.name === axis ? concatenate(parts) : parts.at(-1)!;
  }
  const routes = first.routes.map((_, number) => joinRoutes(pieces.map((piece) => piece.routes[number]!)));
  return { outputs, routes };
}

function concatenate(parts: readonly Tensor[]): Tensor {
  const [first] = parts as [Tensor, ...Tensor[]];
  const length = parts.reduce((sum, part) => sum + part.data.length, 0);
  const data = first.dtype === "f32" ? new Float32Array(length) : new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  const size = parts.reduce((sum, part) => sum + part.axes[0]!.size, 0);
  return { dtype: first.dtype, axes: [{ name: first.axes[0]!.name, size }, ...first.axes.slice(1)], data };
}
