/** One text written for a request: takes a place, streams pieces, counts, and says why it ended. */
import { moecError } from "../compiler/errors/raise.js";
import { commonLength } from "../runtime/model/texts.js";
import type { GenerationStep, Model } from "../runtime/node/index.js";
import type { Metrics } from "./metrics.js";
import type { Places } from "./places.js";

export interface WriteRequest {
  readonly ids: readonly number[];
  readonly maxTokens: number;
  /** Sampling and stop strings as `Model.generate` takes them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly trace?: boolean;
  readonly onStep?: (step: GenerationStep) => void;
  /** Each piece of text; the next step waits for it. */
  readonly onPiece: (text: string) => Promise<void> | void;
}

export interface Written {
  readonly reason: "stop" | "length";
  readonly promptTokens: number;
  readonly tokens: number;
}

export class Writer {
  constructor(
    /** The model of now: it may run on another device later. */
    private readonly current: () => Model,
    private readonly places: Places,
    private readonly metrics: Metrics,
  ) {}

  private get model(): Model {
    return this.current();
  }

  /** Token ids of a prompt. @throws MoecError MOE5320 when it does not leave room for a token, MOE5321 for an empty one */
  encode(prompt: string | readonly number[], addSpecial = true): readonly number[] {
    const ids = typeof prompt === "string" ? this.model.tokenizer.encode(prompt, { addSpecial }) : [...prompt];
    if (ids.length === 0) throw moecError("MOE5515", { name: "prompt", reason: "it has no tokens" });
    const limit = this.context;
    if (ids.length > limit) throw moecError("MOE5320", { limit, past: 0, asked: ids.length });
    return ids;
  }

  /** Most tokens of a prompt and what is written behind it; also where the model itself could go on without end. */
  get context(): number {
    return Math.min(this.model.manifest.limits["context"] ?? Infinity, this.model.longest);
  }

  async write(request: WriteRequest): Promise<Written> {
    const { ids, maxTokens, signal, options, onPiece } = request;
    const asked = performance.now();
    const shared = (text: number): number => commonLength(this.model.tokensOf(text), ids);
    return this.places.take(shared, signal, async (text) => {
      let tokens = 0;
      let last = -1;
      const onStep = (step: GenerationStep): void => {
        if (tokens === 0) {
          this.metrics.firstToken.observe((performance.now() - asked) / 1000);
          this.metrics.promptTokens.add(ids.length);
          this.metrics.readTokens.add(step.read.length);
        }
        tokens++;
        last = step.chosen;
        this.metrics.writtenTokens.add();
        this.metrics.together.observe(step.texts);
        request.onStep?.(step);
      };
      const pieces = this.model.generate(ids, {
        ...options,
        maxTokens,
        signal,
        text,
        onStep,
        trace: request.trace ?? false,
      });
      for await (const piece of pieces) await onPiece(piece);
      const ended = this.model.tokenizer.eos.includes(last);
      const isFull = tokens >= maxTokens || ids.length + tokens > this.context;
      return { reason: !ended && isFull ? "length" : "stop", promptTokens: ids.length, tokens };
    });
  }
}
