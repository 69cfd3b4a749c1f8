/** Texts that go on together have the logits that they have alone, whoever joins and leaves. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesWideTiles } from "../../compiler/4-schedule/layout/wide.js";
import { compareRows } from "../../cli/verify/compare.js";
import { expectedError } from "../../cli/verify/expected-error.js";
import { Batches } from "../../runtime/model/batches.js";
import type { ModelParts } from "../../runtime/model/model.js";
import { Model } from "../../runtime/model/model.js";
import { Runner, type PieceResult } from "../../runtime/model/runner.js";
import { nodeHost } from "../../runtime/node/host.js";
import { levels } from "../support/native.js";
import { tinyParts, type TinyOptions } from "../real/tiny-moe.js";

/** Texts of which each has a twin that goes on alone. */
const TEXTS = 5;
const VOCABULARY = 2048;

const cases: readonly { readonly name: string; readonly options: TinyOptions }[] = [
  { name: "wasm, f16", options: { storage: "f16" } },
  { name: "wasm, q8_0", options: { storage: "q8_0" } },
  ...levels.map((target): (typeof cases)[number] => {
    return { name: `${target.name}, q8_0`, options: { storage: "q8_0", native: { target, threads: 2 } } };
  }),
];

/** Rounds of a session: in each, for each text whether it goes on, begins anew with so many tokens, or waits. */
const rounds = fc.array(
  fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.constant("step") }, fc.constant("wait"), fc.integer({ min: 1, max: 9 })),
    {
      minLength: TEXTS,
      maxLength: TEXTS,
    },
  ),
  { minLength: 3, maxLength: 8 },
);

class Session {
  private readonly past = new Array<number>(TEXTS).fill(0);
  private readonly runner: Runner;
  private readonly batches: Batches;
  private seed = 1;
  shared = 0;

  /** @param reorders The kernels add the terms of a product in another order for several rows. */
  constructor(
    private readonly parts: ModelParts,
    private readonly reorders: boolean,
  ) {
    this.runner = new Runner(parts.plan, parts.device);
    const entry = this.runner.entry("forward.batch");
    this.batches = new Batches(entry, 2 * TEXTS, this.runner, (call) => call(), parts.host);
  }

  private token(): number {
    this.seed = (this.seed * 48271) % 2147483647;
    return this.seed % VOCABULARY;
  }

  /** One call for a text alone. */
  private alone(place: number, ids: readonly number[], past: number, trace = false): Promise<PieceResult> {
    this.parts.device.selectText!(place);
    const entry = this.runner.entry("forward_last");
    const input = { port: entry.inputs[0]!, data: Int32Array.from(ids) };
    return this.runner.run(entry, [input], { T: ids.length, past }, { trace, lastOnly: true });
  }

  private compare(found: PieceResult, expected: PieceResult): void {
    if (!this.reorders) {
      expect(found.outputs).toEqual(expected.outputs);
      expect(found.routes).toEqual(expected.routes);
      return;
    }
    // Each of the two is off by no more than the plan's rounding explains.
    const numbers = ({ outputs }: PieceResult): Float32Array => Object.values(outputs)[0]!.data as Float32Array;
    const { relativeError } = compareRows(numbers(found), numbers(expected), VOCABULARY);
    expect(relativeError).toBeLessThanOrEqual(2 * expectedError(this.parts.plan));
    expect(found.routes.map(({ index }) => index)).toEqual(expected.routes.map(({ index }) => index));
  }

  async round(actions: readonly (string | number)[]): Promise<void> {
    for (const [text, action] of actions.entries()) {
      if (typeof action !== "number" && this.past[text] !== 0) continue;
      const ids = Array.from({ length: Number(action) || 2 }, () => this.token());
      for (const place of [text, TEXTS + text]) await this.alone(place, ids, 0);
      this.past[text] = ids.length;
    }
    const going = actions.flatMap((action, text) => (action === "step" ? [{ text, token: this.token() }] : []));
    const together = await Promise.all(
      going.map(({ text, token }) => this.batches.step({ text, token, past: this.past[text]!, trace: true })),
    );
    for (const [row, { text, token }] of going.entries()) {
      const expected = await this.alone(TEXTS + text, [token], this.past[text]!, true);
      expect(together[row]!.texts).toBe(going.length);
      this.compare(together[row]!, expected);
      this.past[text]!++;
      if (going.length > 1) this.shared++;
    }
  }
}

describe.each(cases)("batches on $name", ({ options }) => {
  let parts: ModelParts;
  beforeAll(async () => {
    parts = await tinyParts({ texts: 2 * TEXTS, ...options });
  });
  afterAll(() => parts.device.dispose());

  it("give every text the logits and routes that it has alone", async () => {
    let shared = 0;
    await fc.assert(
      fc.asyncProperty(rounds, async (list) => {
        const session = new Session(parts, options.native !== undefined && usesWideTiles(options.native.target));
        for (const actions of list) await session.round(actions);
        shared += session.shared;
      }),
      { numRuns: 6 },
    );
    expect(shared).toBeGreaterThan(10);
  });
});

describe("a model with several texts", () => {
  let model: Model;
  beforeAll(async () => {
    model = new Model(await tinyParts({ storage: "f16", texts: 4 }));
  });
  afterAll(() => model.dispose());

  async function write(text: number, maxTokens: number, of: Model = model, signal?: AbortSignal): Promise<number[]> {
    const shared: number[] = [];
    const onStep = ({ texts }: { readonly texts: number }): void => void shared.push(texts);
    const options = { text, temperature: 0, maxTokens, onStep, ...(signal ? { signal } : {}) };
    for await (const _ of of.generate(`${text} In the beginning`, options));
    return shared;
  }

  it("goes on with all of them by one call, and with the rest when one leaves", async () => {
    const steps = await Promise.all([write(0, 6), write(1, 12), write(2, 18)]);
    expect(steps[0].slice(2)).toEqual([3, 3, 3, 3]);
    expect(steps[1].at(-1)).toBe(2);
    expect(steps[2].at(-1)).toBe(1);
  });

  it("goes on with all of them by one call where the device answers later", async () => {
    const parts = await tinyParts({ storage: "f16", texts: 3 });
    const { device } = parts;
    const late = new Proxy(device, {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== "function") return value;
        const own = (value as (...given: unknown[]) => unknown).bind(target);
        if (key !== "read") return own;
        return async (...given: unknown[]) => {
          for (let breath = 0; breath < 3; breath++) await parts.host.breathe();
          return own(...given);
        };
      },
    });
    using slow = new Model({ ...parts, device: late });
    const steps = await Promise.all([write(0, 12, slow), write(1, 12, slow), write(2, 12, slow)]);
    // Prompts take turns, and whoever has read its prompt first may be a step ahead.
    for (const shared of steps) expect(shared.filter((texts) => texts === 3).length).toBeGreaterThanOrEqual(8);
  });

  it("answers an abort within a step, whoever else goes on", async () => {
    const controller = new AbortController();
    const reason = new Error("gone");
    const going = write(1, 40);
    const left = write(0, 1000, model, controller.signal).catch((error: unknown) => error);
    for (let breath = 0; breath < 20; breath++) await nodeHost().breathe();
    controller.abort(reason);
    expect(await left).toBe(reason);
    expect((await going).length).toBe(40);
    expect(await write(0, 3)).toEqual([1, 1, 1]);
  });

  it("says how many texts go on together, and that one text alone takes turns", async () => {
    expect(model.textsTogether).toBe(4);
    using alone = new Model(await tinyParts({ storage: "f16", texts: 1 }));
    expect(alone.textsTogether).toBe(1);
  });

  it("refuses the entry of many texts as one of its own", async () => {
    await expect(model.call("forward.batch", { tokens: [1] })).rejects.toMatchObject({ code: "MOE5322" });
  });
});
