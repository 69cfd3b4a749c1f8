/** A WebAssembly module under construction and its bytes: one imported memory, functions, exports. */
import { writeBody } from "./body.js";
import { ByteSink } from "./bytes.js";
import { types, type Ref, type WasmType } from "./instructions.js";

const SECTIONS = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const FUNCTION_TYPE = 0x60;
const FUNCTION = 0;
const MEMORY = 2;
const GLOBAL = 3;
const IMMUTABLE = 0;
/** Pages of a memory that takes any size up to 4 GiB. */
const MOST_PAGES = 65536;
const HEAD = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Parameters and the result, as a module lists them. */
interface Signature {
  readonly parameters: readonly WasmType[];
  readonly result: WasmType;
}

/** What a function does. */
export interface Code {
  /** Types of its locals behind the parameters. */
  readonly locals: readonly WasmType[];
  readonly body: Ref;
}

interface Function extends Signature {
  readonly name: string;
  readonly alone: Code;
  readonly shared: Code;
}

export class WasmModule {
  private readonly functions: Function[] = [];
  /** Numbers of functions and globals do not depend on the memory, so neither do bodies. */
  private readonly written = new Map<Code, Uint8Array>();
  private readonly exported: string[] = [];
  private readonly globals: string[] = [];

  /** Imports `env.<name>`, an i32 that does not change. */
  importGlobal(name: string): void {
    this.globals.push(name);
  }

  /** @param shared The code over memory that threads share, where that is other code. */
  addFunction(
    name: string,
    parameters: readonly WasmType[],
    result: WasmType,
    alone: Code,
    shared: Code = alone,
  ): void {
    this.functions.push({ name, parameters, result, alone, shared });
  }

  /** Exports a function under its name. */
  exportFunction(name: string): void {
    this.exported.push(name);
  }

  /** @param isShared Of the memory: threads share it, and so it says its largest size. */
  bytes(isShared: boolean): Uint8Array {
    const to = new ByteSink();
    const signatures = byUse(this.functions);
    const numbers = new Map(signatures.map((signature, index) => [keyOf(signature), index]));
    const functions = new Map(this.functions.map(({ name }, index) => [name, index]));
    const globals = new Map(this.globals.map((name, index) => [name, index]));
    const outside = { function: (name: string) => functions.get(name)!, global: (name: string) => globals.get(name)! };
    to.raw(HEAD);
    section(to, SECTIONS.type, signatures, (part, { parameters, result }) => {
      part.byte(FUNCTION_TYPE);
      part.unsigned(parameters.length);
      part.raw(parameters);
      const results = result === types.none ? [] : [result];
      part.unsigned(results.length);
      part.raw(results);
    });
    section(to, SECTIONS.import, [undefined, ...this.globals], (part, global) => {
      part.text("env");
      if (global === undefined) return importMemory(part, isShared);
      part.text(global);
      part.raw([GLOBAL, types.i32, IMMUTABLE]);
    });
    section(to, SECTIONS.function, this.functions, (part, signature) => part.unsigned(numbers.get(keyOf(signature))!));
    section(to, SECTIONS.export, this.exported, (part, name) => {
      part.text(name);
      part.byte(FUNCTION);
      part.unsigned(outside.function(name));
    });
    const one = new ByteSink();
    section(to, SECTIONS.code, this.functions, (part, { parameters, alone, shared }) => {
      const code = isShared ? shared : alone;
      let bytes = this.written.get(code);
      if (!bytes) {
        one.clear();
        writeBody(one, outside, parameters.length, code.locals, code.body);
        this.written.set(code, (bytes = one.taken().slice()));
      }
      part.unsigned(bytes.length);
      part.raw(bytes);
    });
    return to.taken().slice();
  }
}

function importMemory(to: ByteSink, isShared: boolean): void {
  to.text("memory");
  to.byte(MEMORY);
  // Bits of the limits: 1 says that there is a largest size, 2 that threads share it.
  to.byte(isShared ? 3 : 0);
  to.unsigned(isShared ? 1 : 0);
  if (isShared) to.unsigned(MOST_PAGES);
}

const keyOf = ({ parameters, result }: Signature): string => `${parameters.join(" ")} > ${result}`;

/** Each signature once, those of most functions first: they have the shortest numbers. */
function byUse(functions: readonly Signature[]): readonly Signature[] {
  const uses = new Map<string, { readonly signature: Signature; count: number }>();
  for (const signature of functions) {
    const key = keyOf(signature);
    const known = uses.get(key);
    if (known) known.count++;
    else uses.set(key, { signature, count: 1 });
  }
  return [...uses.values()].sort((a, b) => b.count - a.count).map(({ signature }) => signature);
}

/** Writes a section that is a list; one without elements is left out. */
function section<T>(
  to: ByteSink,
  number: number,
  elements: readonly T[],
  write: (part: ByteSink, one: T) => void,
): void {
  if (elements.length === 0) return;
  const part = new ByteSink();
  part.unsigned(elements.length);
  for (const element of elements) write(part, element);
  to.byte(number);
  to.unsigned(part.length);
  to.raw(part.taken());
}
