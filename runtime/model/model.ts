/**
 * A loaded model. It holds a text: `forward` begins a new one, `extend` and `generate` go on with it, and `save` and
 * `restore` exchange it for another. Loaded with `texts: n` it holds n of them side by side; calls for different texts
 * may run at the same time and take turns. Texts that go on by one token at the same time do so in one call.
 */
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import type { Plan, PlanEntry } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Device, DeviceReport } from "../device.js";
import { generateText, type GenerateOptions } from "../generate/generate.js";
import type { Host } from "../host.js";
import type { Tokenizer } from "../tokenizer/types.js";
import { Batches } from "./batches.js";
import { textRows } from "../plan/texts.js";
import { checkInputs, type CheckedInput } from "./inputs.js";
import { joinPieces, Runner, tokenAxis, type PieceResult } from "./runner.js";
import { States, type Snapshot } from "./states.js";
import type { InputValue, RouteTrace, Tensor } from "./tensor.js";
import { commonLength, textAt } from "./texts.js";
import { Turns } from "./turns.js";

/** Which of the texts that a model holds side by side is meant. */
export interface TextChoice {
  /** From 0; the first when it is not given. */
  readonly text?: number;
}

export interface CallOptions extends TextChoice {
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

interface HeldText {
  /** Token ids that the caches and states have seen: one for each position, unless inputs were no ids. */
  ids: number[];
  /** Positions that the caches and states have seen. */
  past: number;
  /** A call runs. */
  busy: boolean;
}

export class Model {
  readonly manifest: Manifest;
  /** What this host could offer: threads, relaxed SIMD, and why not. */
  readonly report: DeviceReport;
  private readonly parts: ModelParts;
  private readonly runner: Runner;
  private readonly states: States;
  /** The entry that generates; a plan that lacks what its manifest names is refused when it is asked to. */
  private readonly language: PlanEntry | undefined;
  private readonly context: number;
  private readonly turns = new Turns();
  private readonly batches: Batches | undefined;
  private readonly texts: readonly HeldText[];
  private disposed = false;

  constructor(parts: ModelParts) {
    this.parts = parts;
    this.manifest = parts.manifest;
    this.report = parts.device.report;
    this.runner = new Runner(parts.plan, parts.device);
    this.states = new States(parts.plan, parts.device);
    this.context = parts.plan.limits["context"] ?? Infinity;
    const texts = parts.device.texts ?? 1;
    this.texts = Array.from({ length: texts }, () => ({ ids: [], past: 0, busy: false }));
    this.language = parts.plan.entries.find(({ name }) => name === parts.manifest.language);
    const batch = this.language && this.runner.derived(this.language, "batch");
    if (texts > 1 && batch) {
      this.batches = new Batches(batch, texts, this.runner, (call) => this.inTurn(call), parts.host);
    }
  }

  /** Token ids that the model has in its caches, of the first text. */
  get tokens(): readonly number[] {
    return this.tokensOf(0);
  }

  /** How many texts it holds side by side. */
  get textCount(): number {
    return this.texts.length;
  }

  /** Most texts that go on in one call; 1 where they take turns, for want of an entry for several. */
  get textsTogether(): number {
    return this.batches?.rows ?? 1;
  }

  /** Most positions of a text that `generate` reads and writes: the room of caches, and rows of tables of positions. */
  get longest(): number {
    return this.language ? this.mostPositions(this.language) : this.context;
  }

  /** Token ids of a text in the caches. */
  tokensOf(text: number): readonly number[] {
    return this.place(text).ids;
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
    const text = options.text ?? 0;
    return this.alone(text, async () => {
      await this.clear(text);
      return this.pieces(this.callable(entry), inputs, options, false);
    });
  }

  /**
   * Reads token ids as a new text by the entry that `generate` reads prompts with, and gives the results and routes of all
   * of them, where `generate` computes what lies behind the layers for the last one alone.
   *
   * @throws MoecError MOE5330 for a model of no text, and what `call` throws.
   */
  read(ids: readonly number[], options: CallOptions = {}): Promise<CallResult> {
    const { name, inputs } = this.runner.source(this.languageEntry());
    return this.call(name, { [inputs[0]!.name]: ids }, options);
  }

  /** Like `call`, behind the text that the model holds. */
  extend(entry: string, inputs: Readonly<Record<string, InputValue>>, options: CallOptions = {}): Promise<CallResult> {
    return this.alone(options.text ?? 0, () => this.pieces(this.callable(entry), inputs, options, false));
  }

  /**
   * Writes on from a prompt, piece by piece. What the prompt shares with the text that the model holds is not read again.
   *
   * @example for await (const piece of model.generate("Once upon a time")) process.stdout.write(piece);
   * @throws MoecError MOE5323 for options out of range, MOE5320 when the prompt is longer than the context.
   */
  async *generate(
    prompt: string | readonly number[],
    { text = 0, ...options }: GenerateOptions & TextChoice = {},
  ): AsyncGenerator<string, void> {
    const place = this.take("generate", text);
    try {
      yield* generateText(
        {
          host: this.parts.host,
          tokenizer: this.parts.tokenizer,
          defaults: this.manifest.generation,
          context: this.longest,
          advance: (ids, trace, signal) => this.advance(text, ids, trace, signal),
          rewindTo: (ids) => this.rewindTo(text, ids),
          used: () => place.past,
        },
        prompt,
        options,
      );
    } finally {
      place.busy = false;
    }
  }

  /** Forgets a text. */
  reset({ text = 0 }: TextChoice = {}): Promise<void> {
    return this.alone(text, () => this.clear(text));
  }

  /** A text with everything the model remembers of it. */
  save({ text = 0 }: TextChoice = {}): Promise<Snapshot> {
    return this.alone(text, async () => {
      const { ids, past } = this.place(text);
      return { tokens: [...ids], positions: past, states: await this.turn(text, () => this.states.save(past)) };
    });
  }

  /** Goes on from a saved text, in any of the places. */
  restore(snapshot: Snapshot, { text = 0 }: TextChoice = {}): Promise<void> {
    return this.alone(text, async () => {
      const { tokens, positions = tokens.length, states } = snapshot;
      await this.turn(text, () => this.states.restore(positions, states));
      const place = this.place(text);
      place.ids = [...tokens];
      place.past = positions;
    });
  }

  /**
   * Sets a knob of the spec, by its path.
   *
   * @throws MoecError MOE5323 for an unknown knob or values outside its range.
   */
  setKnob(path: string, values: number | ArrayLike<number>): Promise<void> {
    return this.undisturbed(async () => {
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

  /** An entry point of one text. */
  private callable(name: string): PlanEntry {
    return this.runner.entry(name, (entry) => textRows(entry) === 0);
  }

  private place(text: number): HeldText {
    return textAt(this.texts, text);
  }

  private take(action: string, text: number): HeldText {
    if (this.disposed) throw moecError("MOE5324", { action });
    const place = this.place(text);
    if (place.busy) throw moecError("MOE5325", {});
    place.busy = true;
    return place;
  }

  private async alone<T>(text: number, action: () => Promise<T>): Promise<T> {
    const place = this.take("run", text);
    try {
      return await action();
    } finally {
      place.busy = false;
    }
  }

  /** For what all texts share: refused while a call runs for any of them. */
  private async undisturbed<T>(action: () => Promise<T>): Promise<T> {
    if (this.disposed) throw moecError("MOE5324", { action: "run" });
    if (this.texts.some(({ busy }) => busy)) throw moecError("MOE5325", {});
    for (const place of this.texts) place.busy = true;
    try {
      return await action();
    } finally {
      for (const place of this.texts) place.busy = false;
    }
  }

  /** One use of the device; others wait. */
  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    return this.turns.take(() => {
      // It may have waited behind others while the model was given back.
      if (this.disposed) throw moecError("MOE5324", { action: "run" });
      return action();
    });
  }

  /** One use of the device for a text. */
  private turn<T>(text: number, action: () => Promise<T>): Promise<T> {
    return this.inTurn(() => {
      this.parts.device.selectText?.(text);
      return action();
    });
  }

  private async clear(text: number): Promise<void> {
    const place = this.place(text);
    place.ids = [];
    place.past = 0;
    await this.turn(text, () => this.states.reset());
  }

  /** Keeps the longest beginning of `ids` that the caches hold and gives its length; the last id is always new. */
  private async rewindTo(text: number, ids: readonly number[]): Promise<number> {
    const place = this.place(text);
    const known = place.ids;
    const same = Math.min(commonLength(known, ids), ids.length - 1);
    // What was read as other numbers than ids can't be compared with a prompt.
    if (known.length === place.past && (same === known.length || this.states.canRewind)) {
      known.length = place.past = same;
    } else await this.clear(text);
    return place.past;
  }

  /** Reads token ids and gives the logits of the last one. */
  private async advance(
    text: number,
    ids: readonly number[],
    trace: boolean,
    signal?: AbortSignal,
  ): Promise<PieceResult> {
    const language = this.languageEntry();
    const goesOn = ids.length === 1 && this.place(text).past > 0;
    // A spec may say how a single token differs (`decode { … }`); that entry is for tokens behind a text.
    const decode = goesOn ? this.runner.derived(language, "decode") : undefined;
    if (goesOn && !decode && this.batches && this.isShared) {
      return this.batched(this.batches, text, ids[0]!, trace, signal);
    }
    const entry = decode ?? language;
    return this.pieces(entry, { [entry.inputs[0]!.name]: ids }, { text, trace, ...(signal ? { signal } : {}) }, true);
  }

  private languageEntry(): PlanEntry {
    const { language, name } = this.manifest;
    if (language === undefined) throw moecError("MOE5330", { name });
    return this.language ?? this.runner.entry(language);
  }

  /** Calls for several texts run. */
  private get isShared(): boolean {
    return this.texts.filter(({ busy }) => busy).length > 1;
  }

  /** One token of a text, together with the tokens of others. */
  private async batched(
    batches: Batches,
    text: number,
    token: number,
    trace: boolean,
    signal?: AbortSignal,
  ): Promise<PieceResult> {
    const place = this.place(text);
    const language = this.languageEntry();
    this.checkIds(language, [{ port: language.inputs[0]!, data: Int32Array.of(token) }]);
    const past = place.past;
    const limit = this.mostPositions(language);
    if (past >= limit) throw moecError("MOE5320", { limit, past, asked: 1 });
    const result = await batches.step({ text, token, past, trace, ...(signal ? { signal } : {}) });
    place.ids.push(token);
    place.past++;
    return result;
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
    const text = options.text ?? 0;
    const place = this.place(text);
    const past = place.past;
    const limit = this.mostPositions(entry);
    if (past + total > limit) throw moecError("MOE5320", { limit, past, asked: total });
    const { limits } = this.parts.plan;
    const most = Math.max(1, limits[axis] ?? limits["T"] ?? total);
    if (total > most && !this.states.goesOn) throw moecError("MOE5320", { limit: most, past: 0, asked: total });
    this.checkIds(entry, checked.inputs);
    const results: PieceResult[] = [];
    for (let from = 0; from < total || from === 0; from += most) {
      options.signal?.throwIfAborted();
      const count = Math.min(most, total - from);
      const inputs = checked.inputs.map(({ port, data }) =>
        port.axes[0]?.size === axis ? { port, data: slicePlaces(data, total, from, count) } : { port, data },
      );
      const sizes = { ...checked.sizes, [axis]: count, past: past + from };
      const read = { trace: options.trace ?? false, lastOnly };
      results.push(await this.turn(text, () => this.runner.run(entry, inputs, sizes, read)));
      if (this.states.goesOn) {
        place.past += count;
        for (const id of idsOf(this.runner.source(entry), axis, inputs)) place.ids.push(id);
      }
      if (total > most) await this.parts.host.breathe();
    }
    return lastOnly
      ? { outputs: results.at(-1)!.outputs, routes: joinPieces(results, axis).routes }
      : joinPieces(results, axis);
  }

  /**
   * States of fixed size hold texts of any length; caches and calls that keep nothing do not. Where positions choose rows of
   * a table, those behind the last row would read zeros in silence.
   */
  private mostPositions(entry: PlanEntry): number {
    const room = this.states.hasCache || !this.states.goesOn ? this.context : Infinity;
    return Math.min(room, this.runner.source(entry).positions ?? Infinity);
  }

  /** Ids without a row would read zeros in silence. */
  private checkIds({ name: entry }: PlanEntry, inputs: readonly CheckedInput[]): void {
    inputs.forEach(({ port, data }, index) => {
      if (port.dtype !== "i32") return;
      // The first numbers of an entry are tokens; a table may have more rows than the tokenizer has tokens.
      const tokens = index === 0 ? (this.parts.tokenizer?.vocabSize ?? Infinity) : Infinity;
      const rows = port.rows ?? Infinity;
      const end = Math.min(tokens, rows);
      const id = end === Infinity ? undefined : data.find((value) => value < 0 || value >= end);
      if (id === undefined) return;
      const reason =
        tokens < rows
          ? `token id ${id} is not in the vocabulary of ${tokens} tokens`
          : `id ${id} is not in the table of ${rows} rows that it chooses from`;
      throw moecError("MOE5321", { name: port.name, entry, reason });
    });
  }
}

/** Token ids among the inputs: the first whole numbers that are one for each token; none when all is other numbers. */
function idsOf(source: PlanEntry, axis: string, inputs: readonly CheckedInput[]): ArrayLike<number> & Iterable<number> {
  const index = source.inputs.findIndex(
    ({ dtype, axes }) => dtype === "i32" && axes.length === 1 && axes[0]!.size === axis,
  );
  return inputs[index]?.data ?? [];
}

function slicePlaces(data: Float32Array | Int32Array, places: number, from: number, count: number): typeof data {
  const place = data.length / Math.max(1, places);
  return data.subarray(from * place, (from + count) * place);
}
