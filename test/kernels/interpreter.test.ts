/** What only the interpreter does: checks, threads and barriers. */
import { describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { parseKernel } from "../../compiler/4-schedule/kernel-parse.js";

const coded = (code: string): Error => expect.objectContaining({ code }) as Error;
const head = "buffer x: i32 readwrite\n scalar n: i32\n";

function launch(
  body: string,
  n: number,
  options: { readonly checked: boolean; readonly bytes?: number; readonly threads?: number },
): Int32Array {
  const kernel = parseKernel(`kernel k threads ${options.threads ?? 1} "" {\n ${head} ${body}\n}`);
  const memory = new ArrayBuffer(1024);
  makeInterpreter([kernel], options).launch("k", memory, [64], [n], 0, 1, [options.bytes ?? 256]);
  return new Int32Array(memory, 64, 64);
}

describe("the checking interpreter", () => {
  it.each([
    ["x[n] = 1", 64],
    ["x[n] = 1", -1],
    ["x[0] = x[n]:i32", 64],
    ["x[n] = x[0]:i32x4", 61],
    // Both sides of a select are read on most targets.
    ["x[0] = select((n < 10), x[n]:i32, 0)", 64],
    ["atomic = add x[n], 1", 64],
  ])("refuses %s with n = %d", (body, n) => {
    expect(() => launch(body, n, { checked: true })).toThrow(coded("MOE5501"));
  });

  it("names kernel, buffer and index", () => {
    expect(() => launch("x[n] = 1", 64, { checked: true })).toThrow(/kernel k: element 64 of x is written/);
  });

  it("refuses bytes off the alignment", () => {
    const kernel = parseKernel(
      'kernel k threads 1 "" { buffer x: u8 readwrite\n scalar n: i32\n x[0] = x.i32[n]:i32 }',
    );
    const run = (n: number): void =>
      makeInterpreter([kernel], { checked: true }).launch("k", new ArrayBuffer(64), [0], [n], 0, 1);
    run(4);
    expect(() => run(5)).toThrow(coded("MOE5501"));
  });

  it("refuses a division by zero", () => {
    expect(() => launch("x[0] = (7 / n)", 0, { checked: true })).toThrow(coded("MOE5502"));
    expect(() => launch("x[0] = (-2147483648 % n)", -1, { checked: true })).toThrow(coded("MOE5502"));
    expect(launch("x[0] = (-7 / n)", 2, { checked: true })[0]).toBe(-3);
  });

  it("refuses launches that do not fit the kernel", () => {
    const kernel = parseKernel(`kernel k threads 1 "" {\n ${head} }`);
    const interpreter = makeInterpreter([kernel]);
    const memory = new ArrayBuffer(64);
    expect(() => interpreter.launch("l", memory, [0], [1], 0, 1)).toThrow(coded("MOE5504"));
    expect(() => interpreter.launch("k", memory, [], [1], 0, 1)).toThrow(coded("MOE5505"));
    expect(() => interpreter.launch("k", memory, [2], [1], 0, 1)).toThrow(coded("MOE5506"));
  });
});

describe("threads of a block", () => {
  const reversal = `shared tile: i32[64]
  tile[@thread] = x[@thread]:i32
  barrier
  x[@thread] = (tile[(63 - @thread)]:i32 + n)`;

  it.each([true, false])("meet at barriers, checked %s", (checked) => {
    const kernel = parseKernel(`kernel k threads 64 "" {\n ${head} ${reversal}\n}`);
    const memory = new ArrayBuffer(256);
    const x = new Int32Array(memory);
    x.forEach((_, i) => (x[i] = i));
    makeInterpreter([kernel], { checked }).launch("k", memory, [0], [100], 0, 1);
    expect([...x]).toEqual(Array.from({ length: 64 }, (_, i) => 163 - i));
  });

  it("that miss a barrier are found", () => {
    const body = "if (@thread < n) then { barrier }\n x[@thread] = 1";
    expect(() => launch(body, 2, { checked: false, threads: 4 })).toThrow(coded("MOE5503"));
    expect(launch(body, 4, { checked: false, threads: 4 })[3]).toBe(1);
  });

  it("count with atomics", () => {
    const body = "atomic old = add x[0], 2\n x[(1 + @thread)] = old";
    expect([...launch(body, 0, { checked: true, threads: 3 }).subarray(0, 4)]).toEqual([6, 0, 2, 4]);
  });
});

describe("long statements", () => {
  // Registers from outside that the loop writes: one that it also reads, one of truth values, one with several lanes.
  const turn = (i: number): string =>
    `set s = ((s * 3) + (i ^ ${i})) set odd = (odd ^ ((s & 1) == 1)) set v = (v + x[${i % 8}]:i32x4) let a${i} = (s + n) set s = (s + a${i})\n`;
  const body = (turns: number): string => `
    var s = n
    var odd = (n < 0)
    var v = splat.4(n)
    for i = 0 to n step 1 { ${Array.from({ length: turns }, (_, i) => turn(i)).join("")} }
    x[8] = s
    x[9] = select(odd, 1, 2)
    x[12] = v`;

  it.each([false, true])("are functions of their own with the same results, checked: %s", (checked) => {
    const kernel = parseKernel(`kernel k threads 1 "" {\n ${head} ${body(60)}\n}`);
    expect(makeInterpreter([kernel], { checked }).source("k")).toMatch(/function run_k_0\(/);
    const memory = new Int32Array(64).map((_, i) => i);
    makeInterpreter([kernel], { checked }).launch("k", memory.buffer, [0], [5], 0, 1);
    let [s, odd] = [5, false];
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 60; j++) {
        s = (Math.imul(s, 3) + (i ^ j)) | 0;
        odd = odd !== ((s & 1) === 1);
        s = (s + ((s + 5) | 0)) | 0;
      }
    }
    // Each lane is the sum of what 5 times 60 loads found there.
    const lane = (l: number): number =>
      5 + 5 * Array.from({ length: 60 }, (_, j) => (j % 8) + l).reduce((a, b) => a + b);
    expect([...memory.subarray(8, 16)]).toEqual([s, odd ? 1 : 2, 10, 11, lane(0), lane(1), lane(2), lane(3)]);
  });
});
