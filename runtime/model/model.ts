/**
 * A loaded model. It holds one text at a time: `forward` begins a new one, `extend` and `generate` go on with it, and
 * `save` / `restore` exchange it for another.
 */
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import type { Plan, PlanEntry } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Device, DeviceReport } from "../device.js";
import { generateText, type GenerateOptions } from "../generate/generate.js";
import type { Host } from "../host.js";
import type { Tokenizer } from "../tokenizer/types.js";
import { checkInputs, type CheckedInputs } from "./inputs.js";
import { joinPieces, Runner, tokenAxis, type PieceResult } from "./runner.js";
import { States, type Snapshot } from "./states.js";
import type { InputValue, RouteTrace, Tensor } from "./tensor.js";

export interface CallOptions {
  /** Also give which expert took which token. */
  readonly trace?: boolean;
  /** Checked between the pieces of a long input. */
  readonly signal?: AbortSignal;
}

export interface CallResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Empty without `trace`. */
  readonly routes: readonly RouteTrace[];
}

/** What a model is made of; `load` puts it together. */
export interface ModelParts {
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly device: Device;
  readonly host: Host;
  readonly tokenizer: Tokenizer | undefined;
}

export class Model {
  readonly manifest: Manifest;
  /** What this host could offer: threads, relaxed SIMD, and why not. */
  readonly report: DeviceReport;
  private readonly parts: ModelParts;
  private readonly runner: Runner;
  private readonly states: States;
  private readonly context: number;
  /** Token ids of the text in the caches. */
  private text: number[] = [];
  private busy = false;
  private disposed = false;

  constructor(parts: ModelParts) {
    this.parts = parts;
    this.manifest = parts.manifest;
    this.report = parts.device.report;
    this.runner = new Runner(parts.plan, parts.device);
    this.states = new States(parts.plan, parts.device);
    this.context = parts.plan.limits["context"] ?? Infinity;
  }

  /** Token ids that the model has in its caches. */
  get tokens(): readonly number[] {
    return this.text;
  }

  /** @throws MoecError MOE5313 when the bundle has none. */
  get tokenizer(): Tokenizer {
    if (this.parts.tokenizer) return this.parts.tokenizer;
    throw moecError("MOE5313", {});
  }

  /**
   * Runs an entry point on a new text.
   *
   * @throws MoecError MOE5321 for inputs that do not fit, MOE5322 for an unknown entry, MOE5320 when the text is longer
   * than the context.
   */
  call(entry: string, inputs: Readonly<Record<string, InputValue>>, options: CallOptions = {}): Promise<CallResult> {
    return this.alone(async () => {
      await this.clear();
      return this.pieces(this.runner.entry(entry), inputs, options, false);
    });
  }

  /** Like `call`, behind the text that the model holds. */
  extend(entry: string, inputs: Readonly<Record<string, InputValue>>, options: CallOptions = {}): Promise<CallResult> {
    return this.alone(() => this.pieces(this.runner.entry(entry), inputs, options, false));
  }

  /**
   * Writes on from a prompt, piece by piece. What the prompt shares with the text that the model holds is not read again.
   *
   * @example for await (const piece of model.generate("Once upon a time")) process.stdout.write(piece);
   * @throws MoecError MOE5323 for options out of range, MOE5320 when the prompt is longer than the context.
   */
  async *generate(prompt: string | readonly number[], options: GenerateOptions = {}): AsyncGenerator<string, void> {
    this.take("generate");
    try {
      yield* generateText(
        {
          host: this.parts.host,
          tokenizer: this.parts.tokenizer,
          defaults: this.manifest.generation,
          context: this.context,
          advance: (ids, trace, signal) => this.advance(ids, trace, signal),
          rewindTo: (ids) => this.rewindTo(ids),
          used: () => this.text.length,
        },
        prompt,
        options,
      );
    } finally {
      this.busy = false;
    }
  }

  /** Forgets the text. */
  reset(): Promise<void> {
    return this.alone(() => this.clear());
  }

  /** The text with everything the model remembers of it. */
  save(): Promise<Snapshot> {
    return this.alone(async () => ({ tokens: [...this.text], states: await this.states.save(this.text.length) }));
  }

  /** Goes on from a saved text. */
  restore(snapshot: Snapshot): Promise<void> {
    return this.alone(async () => {
      await this.states.restore(snapshot.tokens.length, snapshot.states);
      this.text = [...snapshot.tokens];
    });
  }

  /**
   * Sets a knob of the spec, by its path.
   *
   * @throws MoecError MOE5323 for an unknown knob or values outside its range.
   */
  setKnob(path: string, values: number | ArrayLike<number>): Promise<void> {
    return this.alone(async () => {
      const port = this.parts.plan.knobs.find((knob) => knob.name === path);
      const known = this.manifest.knobs.find((knob) => knob.name === path);
      const buffer = this.parts.plan.buffers.find((candidate) => candidate.id === port?.buffer);
      if (!port || !known || !buffer) {
        const names = this.manifest.knobs.map((knob) => knob.name).join(", ");
        throw moecError("MOE5323", { name: "knob", value: path, expected: names === "" ? "nothing" : names });
      }
      const [from, to] = known.range ?? [-Infinity, Infinity];
      const length = port.axes.reduce((product, axis) => product * Number(axis.size), 1);
      const numbers = typeof values === "number" ? new Array<number>(length).fill(values) : Array.from(values);
      if (numbers.length !== length || numbers.some((value) => !(value >= from && value <= to))) {
        const expected = `${length} numbers from ${from} to ${to}`;
        throw moecError("MOE5323", { name: path, value: numbers.slice(0, 8).join(", "), expected });
      }
      const data = port.dtype === "f32" ? Float32Array.from(numbers) : Int32Array.from(numbers);
      await this.parts.device.write(buffer.space, buffer.offset, new Uint8Array(data.buffer));
    });
  }

  /** Gives memory and threads back. The model can't be used afterwards; disposing twice does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.parts.device.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private take(action: string): void {
    if (this.disposed) throw moecError("MOE5324", { action });
    if (this.busy) throw moecError("MOE5325", {});
    this.busy = true;
  }

  private async alone<T>(action: () => Promise<T>): Promise<T> {
    this.take("run");
    try {
      return await action();
    } finally {
      this.busy = false;
    }
  }

  private async clear(): Promise<void> {
    this.text = [];
    await this.states.reset();
  }

  /** Keeps the longest beginning of `ids` that the caches hold and gives its length; the last id is always new. */
  private async rewindTo(ids: readonly number[]): Promise<number> {
    let same = 0;
    while (same < ids.length - 1 && same < this.text.length && this.text[same] === ids[same]) same++;
    if (same === this.text.length || this.states.canRewind) this.text.length = same;
    else await this.clear();
    return this.text.length;
  }

  /** Reads token ids and gives the logits of the last one. */
  private async advance(ids: readonly number[], trace: boolean, signal?: AbortSignal): Promise<PieceResult> {
    const { language } = this.manifest;
    if (language === undefined) throw moecError("MOE5330", { name: this.manifest.name });
    // A spec may say how a single token differs (`decode { … }`); that entry is for tokens behind a text.
    const decode = `${language.replace(/_last$/, "")}.decode`;
    const isDecode = ids.length === 1 && this.text.length > 0 && this.runner.has(decode);
    const entry = this.runner.entry(isDecode ? decode : language);
    return this.pieces(entry, { [entry.inputs[0]!.name]: ids }, { trace, ...(signal ? { signal } : {}) }, true);
  }

  private async pieces(
    entry: PlanEntry,
    given: Readonly<Record<string, InputValue>>,
    options: CallOptions,
    lastOnly: boolean,
  ): Promise<PieceResult> {
    const checked = checkInputs(entry, given);
    const axis = tokenAxis(entry);
    const total = checked.sizes[axis] ?? 1;
    const past = this.states.hasCache ? this.text.length : 0;
    if (past + total > this.context) {
      throw moecError("MOE5320", { limit: this.context, past, asked: total });
    }
    const most = Math.max(1, this.parts.plan.limits[axis] ?? total);
    if (total > most && !this.states.hasCache) throw moecError("MOE5320", { limit: most, past: 0, asked: total });
    this.checkTokens(entry, checked);
    const results: PieceResult[] = [];
    for (let from = 0; from < total || from === 0; from += most) {
      options.signal?.throwIfAborted();
      const count = Math.min(most, total - from);
      const inputs = checked.inputs.map(({ port, data }) =>
        port.axes[0]?.size === axis ? { port, data: slicePlaces(data, total, from, count) } : { port, data },
      );
      const sizes = { ...checked.sizes, [axis]: count, past: past + from };
      results.push(await this.runner.run(entry, inputs, sizes, { trace: options.trace ?? false, lastOnly }));
      const ids = inputs[0];
      if (this.states.hasCache && ids) this.text.push(...ids.data);
      if (total > most) await this.parts.host.breathe();
    }
    return lastOnly
      ? { outputs: results.at(-1)!.outputs, routes: joinPieces(results, axis).routes }
      : joinPieces(results, axis);
  }

  /** Token ids outside the vocabulary would read zeros in silence. */
  private checkTokens(entry: PlanEntry, checked: CheckedInputs): void {
    const size = this.parts.tokenizer?.vocabSize;
    const [first] = checked.inputs;
    if (size === undefined || first?.port.dtype !== "i32") return;
    const id = first.data.find((value) => value < 0 || value >= size);
    if (id === undefined) return;
    const reason = `token id ${id} is not in the vocabulary of ${size} tokens`;
    throw moecError("MOE5321", { name: first.port.name, entry: entry.name, reason });
  }
}

function slicePlaces(data: Float32Array | Int32Array, places: number, from: number, count: number): typeof data {
  const place = data.length / Math.max(1, places);
  return data.subarray(from * place, (from + count) * place);
}
