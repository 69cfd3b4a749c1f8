/** Kernels for 64-bit ARM, run by a process for each call: elsewhere than on ARM by qemu's emulation of one. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitLlvm, scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import type { Target } from "../../compiler/targets/index.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import { linkObject, ownArchitecture } from "../../runtime/native/elf.js";
import { llvmCompiler } from "../../runtime/native/llvm/compiler.js";
import { haveTools, newPath, scalarBits, type Launch } from "./compiled.js";

/** What compiles a program, and what runs it. */
const tools = ownArchitecture === "aarch64" ? (["gcc"] as const) : (["aarch64-linux-gnu-gcc", "qemu-aarch64"] as const);

/** Whether the programs are here, and LLVM's library; says which one is not. */
export function hasArm(): boolean {
  try {
    llvmCompiler();
  } catch (error) {
    console.warn(`skipped: ${reasonOf(error)}`);
    return false;
  }
  return haveTools(...tools);
}

/**
 * Puts the image in its first argument into memory and calls a function of it: reads counts, sizes of the regions of
 * memory, a region and a byte in it for each buffer, scalars, and the regions; writes the regions back. Behind each of
 * them lies a page that nobody may touch.
 */
const driver = `
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
typedef void kernel(void **, const int32_t *, void *, int32_t, int32_t);
enum { page = 4096 };
static char *fresh(size_t bytes, int protection) {
  char *start = mmap(0, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return start == MAP_FAILED ? 0 : start;
}
int main(int count, char **arguments) {
  int32_t words[256];
  void *buffers[32];
  char *regions[32];
  if (count != 2 || fread(words, 4, 8, stdin) != 8) return 2;
  int32_t image_bytes = words[6], scratch_bytes = words[7];
  char *image = fresh(image_bytes, PROT_READ | PROT_WRITE | PROT_EXEC), *scratch = fresh(scratch_bytes, PROT_READ | PROT_WRITE);
  FILE *file = fopen(arguments[1], "rb");
  if (!image || !scratch || !file || fread(image, 1, image_bytes, file) != (size_t)image_bytes) return 3;
  __builtin___clear_cache(image, image + image_bytes);
  int32_t region_count = words[3], buffer_count = words[4], scalar_count = words[5];
  int32_t *sizes = words + 8, *places = sizes + region_count, *scalars = places + 2 * buffer_count;
  size_t numbers = region_count + 2 * buffer_count + scalar_count;
  if (fread(sizes, 4, numbers, stdin) != numbers) return 4;
  for (int i = 0; i < region_count; i++) {
    size_t inside = ((size_t)sizes[i] + page - 1) / page * page;
    char *start = fresh(inside + page, PROT_READ | PROT_WRITE);
    if (!start || mprotect(start + inside, page, PROT_NONE) != 0) return 5;
    regions[i] = start + inside - sizes[i];
    if (fread(regions[i], 1, sizes[i], stdin) != (size_t)sizes[i]) return 6;
  }
  for (int i = 0; i < buffer_count; i++) buffers[i] = regions[places[2 * i]] + places[2 * i + 1];
  ((kernel *)(image + words[0]))(buffers, scalars, scratch, words[1], words[2]);
  for (int i = 0; i < region_count; i++) fwrite(regions[i], 1, sizes[i], stdout);
  return 0;
}
`;

let program: string | undefined;
function driverProgram(): string {
  if (program !== undefined) return program;
  const [source, made] = [newPath("c"), newPath("arm")];
  writeFileSync(source, driver);
  execFileSync(tools[0], ["-static", "-O1", "-o", made, source]);
  return (program = made);
}

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

/** The kernels, compiled and linked as bundles' are, and their assembly. */
export function compileArm(kernels: readonly Kernel[], target: Target): ArmKernels {
  const module = {
    name: target.name,
    ...target.codegen!,
    text: (pointers: "typed" | "opaque") => emitLlvm(kernels, target, { pointers }),
  };
  const image = linkObject(llvmCompiler().compile(module), target.name, "aarch64");
  if (image.absolute.length > 0) throw new RangeError("the driver writes no addresses");
  const file = newPath("image");
  writeFileSync(file, image.bytes);
  const run = (
    name: string,
    regions: readonly Uint8Array[],
    places: readonly Place[],
    scalars: Parameters<Launch>[2],
    from: number,
    to: number,
  ): void => {
    const counts = [image.symbols.get(name)!, from, to, regions.length, places.length, scalars.length];
    const sizes = [image.bytes.length, scratchBytes(kernels) + 64, ...regions.map(({ length }) => length)];
    const values = scalarBits(scalars).subarray(0, scalars.length);
    const head = Int32Array.from([...counts, ...sizes, ...places.flat(), ...values]);
    const input = Buffer.concat([Buffer.from(head.buffer), ...regions]);
    const own = [driverProgram(), file] as const;
    const [command, ...args] = tools[1] ? [tools[1], "-cpu", target.codegen!.cpu, ...own] : own;
    const output = execFileSync(command, args, { input, maxBuffer: 1 << 28 });
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
    assembly: () => {
      const command = ["-O3", "-relocation-model=pic", "-o", "-"];
      return execFileSync("llc-14", command, { input: module.text("typed"), encoding: "utf8", maxBuffer: 1 << 28 });
    },
  };
}
