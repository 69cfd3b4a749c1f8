/** Kernels for 64-bit ARM, run by qemu's emulation of a process: a program of their own for each call. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitLlvm, scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import type { Target } from "../../compiler/targets/index.js";
import { haveTools, newPath, scalarBits, type Launch } from "./compiled.js";

/** Whether the programs are here; says which one is not. */
export const hasArm = (): boolean => haveTools("llc-14", "aarch64-linux-gnu-gcc", "qemu-aarch64");

/**
 * Reads counts, sizes of the regions of memory, a region and a byte in it for each buffer, scalars, and the regions;
 * writes the regions back. Behind each of them lies a page that nobody may touch.
 */
const driver = (kernels: readonly Kernel[]): string => `
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
typedef void kernel(void **, const int32_t *, void *, int32_t, int32_t);
${kernels.map(({ name }) => `extern kernel ${name};`).join("\n")}
static kernel *const kernels[] = {${kernels.map(({ name }) => name).join(", ")}};
static int32_t words[256];
static _Alignas(64) char scratch[${scratchBytes(kernels) + 64}];
enum { page = 4096 };
int main(void) {
  void *buffers[32];
  char *regions[32];
  if (fread(words, 4, 6, stdin) != 6) return 2;
  int32_t region_count = words[3], buffer_count = words[4], scalar_count = words[5];
  int32_t *sizes = words + 6, *places = sizes + region_count, *scalars = places + 2 * buffer_count;
  size_t count = region_count + 2 * buffer_count + scalar_count;
  if (fread(sizes, 4, count, stdin) != count) return 3;
  for (int i = 0; i < region_count; i++) {
    size_t inside = ((size_t)sizes[i] + page - 1) / page * page;
    char *start = mmap(0, inside + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + inside, page, PROT_NONE) != 0) return 4;
    regions[i] = start + inside - sizes[i];
    if (fread(regions[i], 1, sizes[i], stdin) != (size_t)sizes[i]) return 5;
  }
  for (int i = 0; i < buffer_count; i++) buffers[i] = regions[places[2 * i]] + places[2 * i + 1];
  kernels[words[0]](buffers, scalars, scratch, words[1], words[2]);
  for (int i = 0; i < region_count; i++) fwrite(regions[i], 1, sizes[i], stdout);
  return 0;
}
`;

/** A buffer as a region of memory and a byte in it. */
type Place = readonly [region: number, byte: number];

export interface ArmKernels {
  /** Buffers in memory of their own. */
  readonly launch: Launch;
  /** Buffers from some bytes of one memory on. */
  readonly launchIn: (memory: ArrayBuffer) => (...call: LaunchAt) => void;
  readonly assembly: () => string;
}

type LaunchAt = [kernel: string, addresses: readonly number[], scalars: readonly number[], from: number, to: number];

/** The kernels in one program, and its assembly. */
export function compileArm(kernels: readonly Kernel[], target: Target): ArmKernels {
  const [text, object, source, program] = [newPath("ll"), newPath("o"), newPath("c"), newPath("arm")];
  writeFileSync(text, emitLlvm(kernels, target));
  const llc = (...more: readonly string[]): string =>
    execFileSync("llc-14", ["-O3", "-relocation-model=pic", ...more, text], { encoding: "utf8", maxBuffer: 1 << 28 });
  llc("-filetype=obj", "-o", object);
  writeFileSync(source, driver(kernels));
  execFileSync("aarch64-linux-gnu-gcc", ["-static", "-O1", "-o", program, source, object]);
  const run = (
    name: string,
    regions: readonly Uint8Array[],
    places: readonly Place[],
    scalars: Parameters<Launch>[2],
    from: number,
    to: number,
  ): void => {
    const number = kernels.findIndex((kernel) => kernel.name === name);
    const counts = [number, from, to, regions.length, places.length, scalars.length];
    const values = scalarBits(scalars).subarray(0, scalars.length);
    const head = Int32Array.from([...counts, ...regions.map(({ length }) => length), ...places.flat(), ...values]);
    const input = Buffer.concat([Buffer.from(head.buffer), ...regions]);
    const output = execFileSync("qemu-aarch64", ["-cpu", target.codegen!.cpu, program], { input, maxBuffer: 1 << 28 });
    let at = 0;
    for (const region of regions) {
      region.set(output.subarray(at, at + region.length));
      at += region.length;
    }
  };
  return {
    launch: (name, buffers, scalars, from, to) => {
      const bytes = buffers.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
      run(
        name,
        bytes,
        bytes.map((_, i) => [i, 0]),
        scalars,
        from,
        to,
      );
    },
    launchIn: (memory) => {
      const all = [new Uint8Array(memory)];
      const types = new Map(kernels.map(({ name, scalars }) => [name, scalars.map(({ type }) => type)]));
      return (name, addresses, scalars, from, to) => {
        const values = scalars.map((value, i) => (types.get(name)![i] === "f32" ? { f32: value } : value));
        run(
          name,
          all,
          addresses.map((address) => [0, address]),
          values,
          from,
          to,
        );
      };
    },
    assembly: () => llc("-o", "-"),
  };
}
