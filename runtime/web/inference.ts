/** The worker's side: holds the model and answers the page's questions. */
import type { GenerationStep } from "../generate/generate.js";
import type { BundleFiles, Host } from "../host.js";
import { loadAs } from "../load.js";
import { Model } from "../model/model.js";
import type { OpenOptions, LoadProgress } from "../model/open.js";
import { commonLength } from "../model/texts.js";
import { storedFiles } from "./stored-files.js";
import { fetchedFiles } from "./fetched-files.js";
import { carryError, movable, TAKE_OPTIONS, type Line, type Loaded, type Piece, type Question } from "./protocol.js";
import type { RemoteBundle, RemoteMethod, TokenChange, ToPage, ToWorker } from "./protocol.js";

/** Bundles by their place; tests give their own. */
export type OpenFiles = (bundle: RemoteBundle) => BundleFiles & { readonly storage?: () => string };

const webFiles: OpenFiles = (bundle) => {
  const files = fetchedFiles(new URL(bundle.base), bundle.moved);
  return bundle.keep ? storedFiles(files, bundle.base) : files;
};

/** Answers what comes over the line until the page disposes of the model. */
export function serveModel(line: Line, host: Host, openFiles: OpenFiles = webFiles): void {
  const server = new Server(line, host, openFiles);
  line.addEventListener("message", ({ data }) => server.receive(data as ToWorker));
}

/** Progress is told so often, and at the end. */
const PROGRESS_MILLISECONDS = 40;

class Server {
  private model: Model | undefined;
  private readonly tasks = new Map<number, AbortController>();
  private readonly texts = new Map<number, AsyncGenerator<string, void>>();
  /** Ids of each text as the page knows them. */
  private told: readonly (readonly number[])[] = [];

  constructor(
    private readonly line: Line,
    private readonly host: Host,
    private readonly openFiles: OpenFiles,
  ) {}

  receive(message: ToWorker): void {
    switch (message.kind) {
      case "abort":
        this.tasks.get(message.task)?.abort();
        return;
      case "dispose":
        this.model?.dispose();
        return;
      default:
        void this.answer(message);
    }
  }

  private async answer(question: Question): Promise<void> {
    const { id } = question;
    try {
      const value = await this.work(question);
      this.post({ kind: "answer", id, value, texts: this.changes() });
    } catch (error) {
      this.post({ kind: "failed", id, error: carryError(error), texts: this.changes() });
    }
  }

  private post(message: ToPage): void {
    this.line.postMessage(message, [...movable(message)]);
  }

  private work(question: Question): Promise<unknown> {
    const { task } = question;
    switch (question.kind) {
      case "load":
        return this.within(task, (signal) => this.load(question.bundle, { ...question.options, signal }));
      case "method":
        return this.within(task, (signal) => this.callMethod(question.method, question.args, signal));
      case "generate": {
        const signal = this.begin(task);
        const onStep = (step: GenerationStep): void => this.post({ kind: "step", task, step });
        const { prompt, options, steps } = question;
        const text = this.loaded.generate(prompt, { ...options, signal, ...(steps ? { onStep } : {}) });
        this.texts.set(task, text);
        return Promise.resolve();
      }
      case "next":
        return this.nextPiece(task);
      case "return":
        return this.endText(task);
      default:
        return question satisfies never;
    }
  }

  private async load(bundle: RemoteBundle, options: OpenOptions): Promise<Loaded> {
    const files = this.openFiles(bundle);
    let last = -Infinity;
    const onProgress = (progress: LoadProgress): void => {
      const now = performance.now();
      if (now - last < PROGRESS_MILLISECONDS && progress.loaded < progress.total) return;
      last = now;
      this.post({ kind: "progress", progress });
    };
    this.model = await loadAs(Model, files, this.host, { ...options, onProgress });
    const { manifest, report, textCount, textsTogether, longest } = this.model;
    // The page builds its tokenizer when somebody asks for it; the text was checked a moment ago.
    const bytes = manifest.tokenizer === undefined ? undefined : await files.read(manifest.tokenizer);
    const storage = files.storage?.();
    return {
      manifest,
      textCount,
      textsTogether,
      longest,
      report: storage === undefined ? report : { ...report, storage },
      tokenizer: bytes && new TextDecoder().decode(bytes),
    };
  }

  private callMethod(method: RemoteMethod, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const model = this.loaded as unknown as Record<RemoteMethod, (...args: readonly unknown[]) => Promise<unknown>>;
    if (!TAKE_OPTIONS.has(method)) return model[method](...args);
    return model[method](...args.slice(0, -1), { ...(args.at(-1) as object), signal });
  }

  private async nextPiece(task: number): Promise<Piece> {
    try {
      const { done, value } = await this.texts.get(task)!.next();
      if (done === true) await this.endText(task);
      return { done: done === true, text: done === true ? "" : value };
    } catch (error) {
      await this.endText(task);
      throw error;
    }
  }

  private async endText(task: number): Promise<void> {
    await this.texts.get(task)?.return();
    this.texts.delete(task);
    this.tasks.delete(task);
  }

  private begin(task: number): AbortSignal {
    const controller = new AbortController();
    this.tasks.set(task, controller);
    return controller.signal;
  }

  private async within<T>(task: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await work(this.begin(task));
    } finally {
      this.tasks.delete(task);
    }
  }

  private get loaded(): Model {
    if (this.model) return this.model;
    throw new TypeError("the page asks before the model is loaded");
  }

  private changes(): readonly TokenChange[] {
    const { model, told } = this;
    if (!model) return [];
    const now = Array.from({ length: model.textCount }, (_, text) => [...model.tokensOf(text)]);
    this.told = now;
    return now.map((ids, text) => changeOf(told[text] ?? [], ids));
  }
}

function changeOf(before: readonly number[], now: readonly number[]): TokenChange {
  const kept = commonLength(now, before);
  return { kept, added: now.slice(kept) };
}
