/** Where the spaces of a plan lie in one WebAssembly memory. */
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { describeBytes } from "../bytes.js";
import type { SpaceBases } from "../plan/launches.js";
import { textStride } from "../plan/texts.js";

const PAGE_BYTES = 65536;
/** What 32-bit addresses reach. */
export const MEMORY_LIMIT_BYTES = 65536 * PAGE_BYTES;

export interface MemoryMap {
  readonly bases: SpaceBases;
  /** Bytes from the states of one text to those of the next. */
  readonly textStride: number;
  /** Base of each thread's block memory. */
  readonly scratch: readonly number[];
  readonly bytes: number;
  readonly pages: number;
}

/**
 * Lays out the spaces one after the other, each on a page of its own; page 0 stays empty so that a zero address is
 * never a buffer.
 *
 * @param texts How many texts have states of their own.
 * @throws MoecError MOE5310 when the memory would end beyond 4 GiB.
 */
export function mapMemory(plan: Plan, scratchBytes: number, threads: number, texts = 1): MemoryMap {
  let end = PAGE_BYTES;
  const place = (bytes: number): number => {
    const base = end;
    end = Math.ceil((base + bytes) / PAGE_BYTES) * PAGE_BYTES;
    return base;
  };
  const { spaces } = plan;
  const stride = textStride(plan);
  const bases = {
    weights: place(spaces.weights),
    state: place(stride * texts),
    arena: place(spaces.arena),
    io: place(spaces.io),
  };
  const scratch = Array.from({ length: threads }, () => place(scratchBytes));
  if (end > MEMORY_LIMIT_BYTES) {
    throw moecError("MOE5310", {
      target: "wasm",
      limit: describeBytes(MEMORY_LIMIT_BYTES),
      needed: describeBytes(end),
      weights: describeBytes(spaces.weights),
      state: describeBytes(stride * texts),
      arena: describeBytes(spaces.arena + spaces.io),
    });
  }
  return { bases, textStride: stride, scratch, bytes: end, pages: end / PAGE_BYTES };
}
