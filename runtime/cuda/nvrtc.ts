/** NVRTC: CUDA C++ to PTX in this process, for bundles without compiled code for the GPU that is here. */
import { cudaArchitecture, nvccFlags } from "../../compiler/5-emit/cuda/flags.js";
import { koffi } from "../native/koffi.js";
import { shortReasonOf } from "../../compiler/errors/reason.js";

/** Names by which toolkits install it, the newest first; the plain name where a toolkit has one. */
const LIBRARIES = ["libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"];

/**
 * PTX for a GPU, with a zero at its end.
 *
 * @param capability As `major * 10 + minor`.
 * @throws Error with a reason in words: no NVRTC here, or what it says about the source.
 */
export function compileSource(source: string, capability: number): Uint8Array {
  const own = process.env["MOEC_NVRTC"];
  const nvrtc = firstOf(own ? [own] : LIBRARIES);
  const bind = (name: string, parameters: string) => {
    const call = nvrtc.func(`int ${name}(${parameters})`);
    return (...args: readonly unknown[]): number => call(...args) as number;
  };
  const create = bind(
    "nvrtcCreateProgram",
    "uint64_t* program, const char* source, const char* name, int count, const char** headers, const char** names",
  );
  const compile = bind("nvrtcCompileProgram", "uintptr_t program, int count, const char** options");
  const sizeOf = { log: "nvrtcGetProgramLogSize", ptx: "nvrtcGetPTXSize" } as const;
  const getter = { log: "nvrtcGetProgramLog", ptx: "nvrtcGetPTX" } as const;
  const handle = new BigUint64Array(1);
  if (create(handle, source, "kernels.cu", 0, null, null) !== 0) throw new Error("NVRTC takes no program");
  const program = Number(handle[0]);
  const result = (what: keyof typeof getter): Uint8Array => {
    const size = new BigUint64Array(1);
    bind(sizeOf[what], "uintptr_t program, uint64_t* size")(program, size);
    const bytes = new Uint8Array(Number(size[0]));
    bind(getter[what], "uintptr_t program, uint8_t* text")(program, bytes);
    return bytes;
  };
  try {
    const options = [...nvccFlags, `--gpu-architecture=${cudaArchitecture({ kind: "ptx", capability })}`];
    if (compile(program, options.length, options) === 0) return result("ptx");
    const log = new TextDecoder().decode(result("log")).replace(/\0.*$/s, "").trim();
    throw new Error(log.split("\n").find((line) => line.includes("error")) ?? log);
  } finally {
    bind("nvrtcDestroyProgram", "uint64_t* program")(handle);
  }
}

function firstOf(paths: readonly string[]): ReturnType<ReturnType<typeof koffi>["load"]> {
  const reasons: string[] = [];
  for (const path of paths) {
    try {
      return koffi().load(path);
    } catch (error) {
      reasons.push(shortReasonOf(error));
    }
  }
  throw new Error(`NVRTC can't be loaded (${reasons.at(-1)})`);
}
