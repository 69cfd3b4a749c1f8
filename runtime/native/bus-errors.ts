/**
 * Reads of a mapped file behind its end arrive as signals, which would end the process without a word. A handler, part
 * of every object of kernels, replaces such pages by zeros and counts them; after the call the runtime says what
 * happened. Signals from elsewhere keep their own action, and where somebody else handles them nothing is changed.
 */
import { constants } from "node:os";
import { BUS, BUS_RANGES, POOL_SYMBOLS } from "../../compiler/5-emit/llvm/pool-layout.js";
import type { LoadedCode } from "./code.js";
import { viewOf, type Address } from "./koffi.js";
import { libc } from "./libc.js";

/** glibc's struct sigaction on x86-64 and 64-bit ARM: handler, mask, flags, restorer. */
const ACTION = { bytes: 152, handler: 0, flags: 136 } as const;
const SA_SIGINFO = 4;

const TABLE_BYTES = BUS.ranges + 16 * BUS_RANGES;

let table: BigUint64Array | undefined;

/** Installs the handler once for the process; the code that holds it is never given back. */
export function watchBusErrors(code: LoadedCode): void {
  if (table || !code.has(POOL_SYMBOLS.onBusError)) return;
  const old = new Uint8Array(ACTION.bytes);
  if (libc().sigaction(constants.signals.SIGBUS, null, old) !== 0) return;
  const isDefault = new DataView(old.buffer).getBigUint64(ACTION.handler, true) === 0n;
  if (!isDefault) return;
  const words = new BigUint64Array(viewOf(code.address(POOL_SYMBOLS.bus), TABLE_BYTES));
  words[BUS.syscall / 8] = BigInt(libc().address("syscall"));
  const action = new Uint8Array(ACTION.bytes);
  const fields = new DataView(action.buffer);
  fields.setBigUint64(ACTION.handler, BigInt(code.address(POOL_SYMBOLS.onBusError)), true);
  fields.setInt32(ACTION.flags, SA_SIGINFO, true);
  if (libc().sigaction(constants.signals.SIGBUS, action, null) !== 0) return;
  code.keep();
  table = words;
}

/** Pages that were replaced so far, in the whole process. */
export function busErrors(): number {
  return table ? Number(table[BUS.faults / 8]) : 0;
}

/** Watches a range of mapped files; call the result before the range is given back. */
export function watchRange(from: Address, bytes: number): () => void {
  const words = table;
  if (!words) return () => undefined;
  for (let slot = BUS.ranges / 8; slot < TABLE_BYTES / 8; slot += 2) {
    if (words[slot + 1] !== 0n) continue;
    words[slot] = BigInt(from);
    words[slot + 1] = BigInt(from + bytes);
    return () => void words.fill(0n, slot, slot + 2);
  }
  return () => undefined;
}
