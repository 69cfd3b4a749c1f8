/** The page's side of the line: numbers questions, hands answers back, passes aborts on. */
import { moecError } from "../../compiler/errors/raise.js";
import type { GenerationStep } from "../generate/generate.js";
import type { LoadProgress } from "../model/open.js";
import { raiseCarried, type Line, type Question, type ToPage, type ToWorker } from "./protocol.js";

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A question without its number. */
type Unnumbered<Q> = Q extends unknown ? Omit<Q, "id"> : never;

/** Work on the other side that may be aborted. */
export interface OpenTask {
  readonly number: number;
  /** Forgets signal and watcher. */
  end(): void;
}

export class Connection {
  /** Of each text the token ids that the model has in its caches, as of the last answer. */
  texts: readonly (readonly number[])[] = [];
  onProgress: ((progress: LoadProgress) => void) | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly watchers = new Map<number, (step: GenerationStep) => void>();
  private questions = 0;
  private tasks = 0;
  private broken: Error | undefined;

  /** @param hangUp Ends the other side. */
  constructor(
    private readonly line: Line,
    private readonly hangUp: () => void,
  ) {
    line.addEventListener("message", ({ data }) => this.receive(data as ToPage));
  }

  /** A task that `signal` aborts; its steps go to `watcher`. */
  begin(signal: AbortSignal | undefined, watcher?: (step: GenerationStep) => void): OpenTask {
    const number = this.tasks++;
    const abort = (): void => this.send({ kind: "abort", task: number });
    signal?.addEventListener("abort", abort, { once: true });
    if (watcher) this.watchers.set(number, watcher);
    const end = (): void => {
      signal?.removeEventListener("abort", abort);
      this.watchers.delete(number);
    };
    return { number, end };
  }

  /** One question in a task of its own. The promise is settled when the other side has stopped working. */
  async askInTask<T>(signal: AbortSignal | undefined, question: (task: number) => Unnumbered<Question>): Promise<T> {
    signal?.throwIfAborted();
    const task = this.begin(signal);
    try {
      return await this.ask<T>(question(task.number));
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      task.end();
    }
  }

  ask<T>(question: Unnumbered<Question>): Promise<T> {
    if (this.broken) return Promise.reject(this.broken);
    const id = this.questions++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ ...question, id });
    });
  }

  /** Nothing more will come: questions that are open and all later ones fail with `error`. */
  fail(error: Error): void {
    this.broken ??= error;
    for (const { reject } of this.waiting.values()) reject(this.broken);
    this.waiting.clear();
  }

  close(): void {
    this.send({ kind: "dispose" });
    this.hangUp();
    this.fail(moecError("MOE5324", { action: "run" }));
  }

  private send(message: ToWorker): void {
    this.line.postMessage(message, []);
  }

  private receive(message: ToPage): void {
    switch (message.kind) {
      case "progress":
        return this.onProgress?.(message.progress);
      case "step":
        return this.watchers.get(message.task)?.(message.step);
      case "answer":
      case "failed": {
        this.texts = message.texts.map(({ kept, added }, text) => [
          ...(this.texts[text] ?? []).slice(0, kept),
          ...added,
        ]);
        const waiting = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        if (message.kind === "answer") waiting?.resolve(message.value as never);
        else waiting?.reject(raiseCarried(message.error));
        return;
      }
      default:
        message satisfies never;
    }
  }
}
