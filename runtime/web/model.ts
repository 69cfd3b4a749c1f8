/**
 * A model as a page sees it: the same names as in Node, with the work done in a worker. The page's own thread only sends
 * questions and gets answers, so it stays responsive however long a call takes.
 */
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { DeviceReport } from "../device.js";
import type { GenerateOptions } from "../generate/generate.js";
import type { CallOptions, CallResult, TextChoice } from "../model/model.js";
import type { Snapshot } from "../model/states.js";
import type { InputValue } from "../model/tensor.js";
import { textAt } from "../model/texts.js";
import { loadTokenizer, type TokenizerFiles } from "../tokenizer/index.js";
import type { Tokenizer } from "../tokenizer/types.js";
import type { Connection } from "./connection.js";
import { TAKE_OPTIONS, type Loaded, type Piece, type RemoteMethod } from "./protocol.js";

/** What a model in a page is made of; `loadModel` puts it together. */
export interface RemoteParts {
  readonly connection: Connection;
  readonly loaded: Loaded;
}

export class Model {
  readonly manifest: Manifest;
  /** What this host could offer: threads, relaxed SIMD, and why not. */
  readonly report: DeviceReport;
  private readonly parts: RemoteParts;
  private builtTokenizer: Tokenizer | undefined;
  private disposed = false;

  constructor(parts: RemoteParts) {
    this.parts = parts;
    this.manifest = parts.loaded.manifest;
    this.report = parts.loaded.report;
  }

  /** Token ids that the model has in its caches, of the first text. */
  get tokens(): readonly number[] {
    return this.tokensOf(0);
  }

  /** How many texts it holds side by side. */
  get textCount(): number {
    return this.parts.loaded.textCount;
  }

  /** Most texts that go on in one call; 1 where they take turns. */
  get textsTogether(): number {
    return this.parts.loaded.textsTogether;
  }

  /** Most positions of a text that `generate` reads and writes: the room of caches, and rows of tables of positions. */
  get longest(): number {
    return this.parts.loaded.longest;
  }

  /** Token ids of a text in the caches. */
  tokensOf(text: number): readonly number[] {
    return textAt(this.parts.connection.texts, text);
  }

  /**
   * Built on this thread when it is first asked for; `generate` does not need it here.
   *
   * @throws MoecError MOE5313 when the bundle has none.
   */
  get tokenizer(): Tokenizer {
    const { tokenizer } = this.parts.loaded;
    if (tokenizer === undefined) throw moecError("MOE5313", {});
    this.builtTokenizer ??= loadTokenizer(JSON.parse(tokenizer) as TokenizerFiles);
    return this.builtTokenizer;
  }

  /**
   * Runs an entry point on a new text.
   *
   * @throws MoecError MOE5321 for inputs that do not fit, MOE5322 for an unknown entry, MOE5320 when the text is longer
   * than the context.
   */
  call(entry: string, inputs: Readonly<Record<string, InputValue>>, options: CallOptions = {}): Promise<CallResult> {
    return this.run("call", entry, inputs, options);
  }

  /**
   * Reads token ids as a new text by the entry that `generate` reads prompts with, and gives the results and routes of all
   * of them, where `generate` computes what lies behind the layers for the last one alone.
   *
   * @throws MoecError MOE5330 for a model of no text, and what `call` throws.
   */
  read(ids: readonly number[], options: CallOptions = {}): Promise<CallResult> {
    return this.run("read", ids, options);
  }

  /** Like `call`, behind the text that the model holds. */
  extend(entry: string, inputs: Readonly<Record<string, InputValue>>, options: CallOptions = {}): Promise<CallResult> {
    return this.run("extend", entry, inputs, options);
  }

  /**
   * Writes on from a prompt, piece by piece. What the prompt shares with the text that the model holds is not read again.
   *
   * @example for await (const piece of model.generate("Once upon a time")) output.append(piece);
   * @throws MoecError MOE5323 for options out of range, MOE5320 when the prompt is longer than the context.
   */
  async *generate(
    prompt: string | readonly number[],
    options: GenerateOptions & TextChoice = {},
  ): AsyncGenerator<string, void> {
    this.take("generate");
    const { signal, onStep, ...plain } = options;
    signal?.throwIfAborted();
    const { connection } = this.parts;
    const task = connection.begin(signal, onStep);
    let done = false;
    try {
      await connection.ask({
        kind: "generate",
        task: task.number,
        prompt,
        options: plain,
        steps: onStep !== undefined,
      });
      while (!done) {
        const piece = await connection.ask<Piece>({ kind: "next", task: task.number });
        done = piece.done;
        if (piece.text !== "") yield piece.text;
      }
    } catch (error) {
      // The other side has ended the text already.
      done = true;
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      task.end();
      if (!done && !this.disposed) await connection.ask({ kind: "return", task: task.number });
    }
  }

  /** Forgets a text. */
  reset(choice: TextChoice = {}): Promise<void> {
    return this.run("reset", choice);
  }

  /** A text with everything the model remembers of it. */
  save(choice: TextChoice = {}): Promise<Snapshot> {
    return this.run("save", choice);
  }

  /** Goes on from a saved text, in any of the places. */
  restore(snapshot: Snapshot, choice: TextChoice = {}): Promise<void> {
    return this.run("restore", snapshot, choice);
  }

  /**
   * Sets a knob of the spec, by its path.
   *
   * @throws MoecError MOE5323 for an unknown knob or values outside its range.
   */
  setKnob(path: string, values: number | ArrayLike<number>): Promise<void> {
    return this.run("setKnob", path, typeof values === "number" ? values : Array.from(values));
  }

  /** Gives memory and threads back. The model can't be used afterwards; disposing twice does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.parts.connection.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private take(action: string): void {
    if (this.disposed) throw moecError("MOE5324", { action });
  }

  private async run<T>(method: RemoteMethod, ...given: readonly unknown[]): Promise<T> {
    this.take("run");
    const takesOptions = TAKE_OPTIONS.has(method);
    const { signal, ...options } = takesOptions ? { ...(given.at(-1) as CallOptions) } : ({} as CallOptions);
    const args = takesOptions ? [...given.slice(0, -1), options] : given;
    return this.parts.connection.askInTask<T>(signal, (task) => ({ kind: "method", task, method, args }));
  }
}
