/**
 * LLVM through its C interface, in this process: text of a module in, an ELF object out. The module is verified before
 * code is generated, since LLVM trusts what it is given.
 */
import { moecError } from "../../../compiler/errors/raise.js";
import { reasonOf } from "../../../compiler/errors/reason.js";
import { ownArchitecture, type Architecture } from "../elf.js";
import { viewOf, type Address, type NativeFunction, type NativeLibrary } from "../koffi.js";
import { libc } from "../libc.js";
import { findLlvm, noLlvm } from "./find.js";

export interface LlvmModule {
  /** For messages: the level that it is for. */
  readonly name: string;
  /** The module's text for either form of pointers; it says for which system it is. */
  text(pointers: "typed" | "opaque"): string;
  readonly architecture: Architecture;
  readonly cpu: string;
  readonly features: string;
}

export interface LlvmCompiler {
  /** Such as `14.0.6`; `unknown` where the library does not say. */
  readonly version: string;
  readonly path: string;
  /** Everything of this compiler that decides the code. */
  readonly key: string;
  readonly pointers: "typed" | "opaque";
  /** @throws MoecError MOE4202 */
  compile(module: LlvmModule): Uint8Array;
}

/** The parts of LLVM that generate code. */
const GENERATORS: Readonly<Record<Architecture, string>> = { "x86-64": "X86", aarch64: "AArch64" };

/**
 * Passes before code generation. Kernels are written as they should run, so this only cleans up; the optimizer's whole
 * pipeline takes several times as long and gives the same speed.
 */
const PASSES = "function(early-cse,instcombine,simplifycfg)";

/** Numbers of the C interface. */
const OBJECT_FILE = 1;
const AGGRESSIVE = 3;
const POSITION_INDEPENDENT = 2;
const DEFAULT_MODEL = 0;
const RETURN_STATUS = 2;

let compiler: LlvmCompiler | undefined;

/** @throws MoecError MOE4201 without LLVM or its part for this machine, MOE4203 without koffi. */
export function llvmCompiler(): LlvmCompiler {
  return (compiler ??= open());
}

function open(): LlvmCompiler {
  const { library, path, mark } = findLlvm();
  const c = usable(library, path);
  const version = c.version() ?? /LLVM\D*(\d+(?:\.\d+)*)/.exec(path)?.[1] ?? "unknown";
  // Versions before 15 do not know the type `ptr`. A library that hides its version is asked, which prints a warning.
  const major = Number.parseInt(version, 10);
  const isNew = Number.isNaN(major) ? c.parses("define void @probe(ptr %p) {\n  ret void\n}\n") : major >= 15;
  const pointers = isNew ? "opaque" : "typed";
  return {
    version,
    path,
    pointers,
    key: [mark, version, PASSES].join("\n"),
    compile: (module) => c.compile(module.text(pointers), module),
  };
}

/** A library that generates code for this machine, whatever else it does. */
function usable(library: NativeLibrary, path: string): Bound {
  try {
    const bound = bind(library);
    bound.initialize(ownArchitecture);
    return bound;
  } catch (error) {
    throw noLlvm(`${path} generates no code for ${ownArchitecture}: ${reasonOf(error)}`);
  }
}

type Slot = [Address | bigint | null];

interface Bound {
  version(): string | undefined;
  parses(text: string): boolean;
  /** Makes the part of the library ready that generates such code; throws where it has none. */
  initialize(architecture: Architecture): void;
  compile(text: string, module: LlvmModule): Uint8Array;
}

function bind(library: NativeLibrary): Bound {
  const f = (prototype: string): NativeFunction => library.func(prototype);
  const contextCreate = f("uintptr_t LLVMContextCreate()");
  const contextDispose = f("void LLVMContextDispose(uintptr_t context)");
  const bufferOf = f(
    "uintptr_t LLVMCreateMemoryBufferWithMemoryRangeCopy(const uint8_t* data, size_t n, const char* name)",
  );
  const parse = f(
    "int LLVMParseIRInContext(uintptr_t context, uintptr_t buffer, _Out_ uintptr_t* module, _Out_ uintptr_t* message)",
  );
  const verify = f("int LLVMVerifyModule(uintptr_t module, int action, _Out_ uintptr_t* message)");
  const disposeModule = f("void LLVMDisposeModule(uintptr_t module)");
  const disposeMessage = f("void LLVMDisposeMessage(uintptr_t message)");
  const tripleOf = f("const char* LLVMGetTarget(uintptr_t module)") as (module: unknown) => string;
  const targetOf = f(
    "int LLVMGetTargetFromTriple(const char* triple, _Out_ uintptr_t* target, _Out_ uintptr_t* message)",
  );
  const machineOf = f(
    "uintptr_t LLVMCreateTargetMachine(uintptr_t target, const char* triple, const char* cpu, const char* features, int level, int reloc, int model)",
  );
  const disposeMachine = f("void LLVMDisposeTargetMachine(uintptr_t machine)");
  const optionsOf = f("uintptr_t LLVMCreatePassBuilderOptions()");
  const disposeOptions = f("void LLVMDisposePassBuilderOptions(uintptr_t options)");
  const runPasses = f(
    "uintptr_t LLVMRunPasses(uintptr_t module, const char* passes, uintptr_t machine, uintptr_t options)",
  );
  const errorMessage = f("uintptr_t LLVMGetErrorMessage(uintptr_t error)");
  const disposeError = f("void LLVMDisposeErrorMessage(uintptr_t message)");
  const emit = f(
    "int LLVMTargetMachineEmitToMemoryBuffer(uintptr_t machine, uintptr_t module, int kind, _Out_ uintptr_t* message, _Out_ uintptr_t* buffer)",
  );
  const bufferStart = f("uintptr_t LLVMGetBufferStart(uintptr_t buffer)");
  const bufferSize = f("size_t LLVMGetBufferSize(uintptr_t buffer)");
  const disposeBuffer = f("void LLVMDisposeMemoryBuffer(uintptr_t buffer)");

  const say = (message: Slot, dispose: NativeFunction): string => {
    const address = Number(message[0] ?? 0);
    if (address === 0) return "it gives no reason";
    const text = readText(address);
    dispose(address);
    return text;
  };
  /** Parses into a new context; `use` gets the module, which is gone afterwards, or the reason why there is none. */
  const withModule = <T>(text: string, use: (module: Address | undefined, reason: string) => T): T => {
    const context = contextCreate();
    try {
      const bytes = new TextEncoder().encode(text);
      const module: Slot = [null];
      const message: Slot = [null];
      // The parser takes the buffer.
      if (parse(context, bufferOf(bytes, bytes.length, "kernels"), module, message) !== 0) {
        return use(undefined, say(message, disposeMessage));
      }
      const parsed = Number(module[0]);
      try {
        return use(parsed, "");
      } finally {
        disposeModule(parsed);
      }
    } finally {
      contextDispose(context);
    }
  };
  const initialized = new Set<string>();
  const initialize = (architecture: Architecture): void => {
    const generator = GENERATORS[architecture];
    if (initialized.has(generator)) return;
    for (const part of ["TargetInfo", "Target", "TargetMC", "AsmPrinter"]) {
      f(`void LLVMInitialize${generator}${part}()`)();
    }
    initialized.add(generator);
  };
  return {
    version: () => {
      try {
        const numbers = [[0], [0], [0]];
        f("void LLVMGetVersion(_Out_ unsigned* major, _Out_ unsigned* minor, _Out_ unsigned* patch)")(...numbers);
        return numbers.map(([number]) => number).join(".");
      } catch {
        return undefined; // before version 16
      }
    },
    initialize,
    parses: (text) => withModule(text, (module) => module !== undefined),
    compile: (text, { name, architecture, cpu, features }) =>
      withModule(text, (module, reason) => {
        const refuse = (why: string): Error => moecError("MOE4202", { target: name, reason: why });
        if (module === undefined) throw refuse(reason);
        const message: Slot = [null];
        if (verify(module, RETURN_STATUS, message) !== 0) throw refuse(say(message, disposeMessage));
        disposeMessage(message[0]);
        const triple = tripleOf(module);
        try {
          initialize(architecture);
        } catch (error) {
          throw refuse(`this library of LLVM generates no code for ${architecture}: ${reasonOf(error)}`);
        }
        const target: Slot = [null];
        if (targetOf(triple, target, message) !== 0) throw refuse(say(message, disposeMessage));
        const machine = machineOf(target[0], triple, cpu, features, AGGRESSIVE, POSITION_INDEPENDENT, DEFAULT_MODEL);
        if (machine === 0) throw refuse(`it knows no processor ${cpu}`);
        const options = optionsOf();
        try {
          const failed = runPasses(module, PASSES, machine, options) as number;
          if (failed !== 0) throw refuse(say([errorMessage(failed) as number], disposeError));
          const buffer: Slot = [null];
          if (emit(machine, module, OBJECT_FILE, message, buffer) !== 0) throw refuse(say(message, disposeMessage));
          const size = Number(bufferSize(buffer[0]));
          const object = new Uint8Array(viewOf(bufferStart(buffer[0]) as number, size)).slice();
          disposeBuffer(buffer[0]);
          return object;
        } finally {
          disposeOptions(options);
          disposeMachine(machine);
        }
      }),
  };
}

/** Text that ends with a zero. */
function readText(address: Address): string {
  return new TextDecoder().decode(new Uint8Array(viewOf(address, libc().strlen(address)))).trim();
}
