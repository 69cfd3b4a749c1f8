/**
 * Steps of several texts as one call of the device: each goes on by one token, and the weights are read once for all of
 * them. Whoever wants a step while a call runs, or in the same breath, takes part in the next one.
 */
import type { PlanEntry } from "../../compiler/4-schedule/plan.js";
import type { Host } from "../host.js";
import { pastOf, textOf, textRows } from "../plan/texts.js";
import { tokenAxis, type PieceResult, type Runner } from "./runner.js";
import { rowOfRoutes, rowOfTensor } from "./tensor.js";

/** One text that goes on by one token. */
export interface TextStep {
  readonly text: number;
  readonly token: number;
  /** Positions of the text before. */
  readonly past: number;
  readonly trace: boolean;
  readonly signal?: AbortSignal;
}

interface WaitingStep extends TextStep {
  readonly resolve: (result: PieceResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Runs an action when everything that asked for the device before is done. */
export type TakeTurn = (action: () => Promise<void>) => Promise<void>;

export class Batches {
  private readonly waiting: WaitingStep[] = [];
  private gathering = false;
  /** Most texts of one call. */
  readonly rows: number;

  /**
   * @param entry The plan's entry for several texts.
   * @param texts How many texts the device holds.
   */
  constructor(
    private readonly entry: PlanEntry,
    texts: number,
    private readonly runner: Runner,
    private readonly takeTurn: TakeTurn,
    private readonly host: Host,
  ) {
    this.rows = Math.min(textRows(entry), texts);
  }

  /** The logits behind the token. Rejects with the signal's reason when it was aborted before its call began. */
  step(step: TextStep): Promise<PieceResult> {
    const result = new Promise<PieceResult>((resolve, reject) => this.waiting.push({ ...step, resolve, reject }));
    if (!this.gathering) void this.gather();
    return result;
  }

  private async gather(): Promise<void> {
    this.gathering = true;
    // Those that had a step in the last call have chosen their tokens by then.
    await this.host.breathe();
    while (this.waiting.length > 0) {
      // A turn that is refused, as when the model was given back, is refused for all who wait.
      await this.takeTurn(() => this.call()).catch((error: unknown) => this.refuse(error));
      if (this.waiting.length === 0) break;
      // Somebody came while a device that answers later was busy. The texts of the call that ended come back behind a
      // breath of their own, drawn in the same moment as the first of these or after it; without the second, both sides
      // would take turns for ever.
      await this.host.breathe();
      await this.host.breathe();
    }
    this.gathering = false;
  }

  private refuse(error: unknown): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  private async call(): Promise<void> {
    const all = this.waiting.splice(0, this.rows);
    const steps = all.filter(({ signal }) => signal?.aborted !== true);
    for (const { signal, reject } of all) if (signal?.aborted) reject(signal.reason);
    if (steps.length === 0) return;
    try {
      const { outputs, routes } = await this.run(steps);
      steps.forEach(({ resolve, trace }, row) => {
        const own = Object.entries(outputs).map(([name, tensor]) => [name, rowOfTensor(tensor, row)] as const);
        resolve({
          outputs: Object.fromEntries(own),
          texts: steps.length,
          routes: trace ? routes.map((one) => rowOfRoutes(one, row)) : [],
        });
      });
    } catch (error) {
      for (const { reject } of steps) reject(error);
    }
  }

  private run(steps: readonly TextStep[]): Promise<PieceResult> {
    const port = this.entry.inputs[0]!;
    const data = Int32Array.from(steps, ({ token }) => token);
    const sizes: Record<string, number> = { past: 0, [tokenAxis(this.entry)]: steps.length };
    for (let row = 0; row < this.rows; row++) {
      sizes[pastOf(row)] = steps[row]?.past ?? 0;
      sizes[textOf(row)] = steps[row]?.text ?? 0;
    }
    const trace = steps.some((step) => step.trace);
    return this.runner.run(this.entry, [{ port, data }], sizes, { trace, lastOnly: false });
  }
}
