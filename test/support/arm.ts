/** Kernels for 64-bit ARM, run by qemu's emulation of a process: a program of their own for each call. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitLlvm, scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import type { Target } from "../../compiler/targets/index.js";
import { haveTools, newPath, scalarBits, type Launch } from "./compiled.js";

/** Whether the programs are here; says which one is not. */
export const hasArm = (): boolean => haveTools("llc-14", "aarch64-linux-gnu-gcc", "qemu-aarch64");

/** Reads words (kernel, blocks from and to, counts, bytes of buffers, scalars) and buffers; writes the buffers back. */
const driver = (kernels: readonly Kernel[]): string => `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
typedef void kernel(void **, const int32_t *, void *, int32_t, int32_t);
${kernels.map(({ name }) => `extern kernel ${name};`).join("\n")}
static kernel *const kernels[] = {${kernels.map(({ name }) => name).join(", ")}};
static int32_t words[64];
static _Alignas(64) char scratch[${scratchBytes(kernels) + 64}];
int main(void) {
  void *buffers[16];
  if (fread(words, 4, 5, stdin) != 5) return 2;
  int32_t buffer_count = words[3], scalar_count = words[4];
  int32_t *sizes = words + 5, *scalars = sizes + buffer_count;
  if (fread(sizes, 4, buffer_count + scalar_count, stdin) != (size_t)(buffer_count + scalar_count)) return 3;
  for (int i = 0; i < buffer_count; i++) {
    buffers[i] = malloc(sizes[i] + 1);
    if (fread(buffers[i], 1, sizes[i], stdin) != (size_t)sizes[i]) return 4;
  }
  kernels[words[0]](buffers, scalars, scratch, words[1], words[2]);
  for (int i = 0; i < buffer_count; i++) fwrite(buffers[i], 1, sizes[i], stdout);
  return 0;
}
`;

/** The kernels in one program, and its assembly. */
export function compileArm(
  kernels: readonly Kernel[],
  target: Target,
): { readonly launch: Launch; readonly assembly: string } {
  const [text, object, source, program] = [newPath("ll"), newPath("o"), newPath("c"), newPath("arm")];
  writeFileSync(text, emitLlvm(kernels, target));
  const llc = (...more: readonly string[]): string =>
    execFileSync("llc-14", ["-O3", "-relocation-model=pic", ...more, text], { encoding: "utf8", maxBuffer: 1 << 28 });
  llc("-filetype=obj", "-o", object);
  writeFileSync(source, driver(kernels));
  execFileSync("aarch64-linux-gnu-gcc", ["-static", "-O1", "-o", program, source, object]);
  const launch: Launch = (name, buffers, scalars, from, to) => {
    const bytes = buffers.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    const number = kernels.findIndex((kernel) => kernel.name === name);
    const head = [number, from, to, bytes.length, scalars.length, ...bytes.map(({ length }) => length)];
    const values = scalarBits(scalars).subarray(0, scalars.length);
    const input = Buffer.concat([Buffer.from(Int32Array.of(...head, ...values).buffer), ...bytes]);
    const output = execFileSync("qemu-aarch64", ["-cpu", target.codegen!.cpu, program], { input, maxBuffer: 1 << 28 });
    let at = 0;
    for (const view of bytes) {
      view.set(output.subarray(at, at + view.length));
      at += view.length;
    }
  };
  return { launch, assembly: llc("-o", "-") };
}
