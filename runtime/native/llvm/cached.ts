/** Compiled kernels, kept by the hash of everything that decides them. */
import { Cache, hashOf } from "../cache.js";
import { llvmCompiler, type LlvmModule } from "./compiler.js";

/**
 * The object of a module: from the cache, or compiled and put there.
 *
 * @param warn Told when the cache can't be written.
 * @throws MoecError MOE4201 without LLVM, MOE4202, MOE4203 without koffi.
 */
export function compileCached(module: LlvmModule, warn?: (message: string) => void): Uint8Array {
  const compiler = llvmCompiler();
  const text = module.text(compiler.pointers);
  const key = hashOf(text, module.cpu, module.features, compiler.key).toString("hex");
  const cache = new Cache("objects", warn);
  const kept = cache.read(key);
  if (kept) return kept;
  const object = compiler.compile({ ...module, text: () => text });
  cache.write(key, object);
  return object;
}
