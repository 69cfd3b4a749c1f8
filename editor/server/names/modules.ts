/** Which module an expression stands for, as far as the text alone tells: `layers.moe.route` is a `TopK`. */
import type { Expression, MethodMember, ModuleDecl, Parameter, TypeExpression } from "../../../grammar/tree.js";
import type { FileNames, NameSymbol } from "./symbols.js";

/** A declaration by name, or a module made of it. */
export interface ModuleRef {
  readonly decl: ModuleDecl;
  readonly file: string;
  readonly instance: boolean;
}

export interface NameSource {
  /** The names of a file as far as they are known by now. */
  readonly names: (file: string) => Pick<FileNames, "members" | "exports"> | undefined;
  /** What the identifier at this offset of the file means there. */
  readonly symbolAt: (file: string, name: string, offset: number) => NameSymbol | undefined;
}

/** Against cycles such as `use a = a`. */
const DEPTH = 24;

export function moduleOfSymbol(source: NameSource, symbol: NameSymbol, depth = 0): ModuleRef | undefined {
  if (depth > DEPTH) return undefined;
  const { file } = symbol.span;
  if (symbol.target) return moduleOfSymbol(source, symbol.target, depth + 1);
  if (symbol.decl) {
    const { value } = symbol.decl;
    // `block Big = Small[4096]` is another name for Small.
    if (value && value.kind !== "lambda") {
      const target = moduleOf(source, value, file, depth + 1);
      if (target) return { ...target, instance: false };
    }
    return { decl: symbol.decl, file, instance: false };
  }
  if (symbol.value) {
    const found = moduleOf(source, symbol.value, file, depth + 1);
    return found && { ...found, instance: true };
  }
  return symbol.type && moduleOfType(source, symbol.type, file, depth);
}

function moduleOfType(source: NameSource, type: TypeExpression, file: string, depth: number): ModuleRef | undefined {
  if (type.kind !== "named-type" || !type.name) return undefined;
  const symbol = source.symbolAt(file, type.name.text, type.name.span.start);
  if (symbol?.kind !== "declaration" && symbol?.kind !== "alias") return undefined;
  const found = moduleOfSymbol(source, symbol, depth + 1);
  return found && { ...found, instance: true };
}

export function moduleOf(source: NameSource, expression: Expression, file: string, depth = 0): ModuleRef | undefined {
  if (depth > DEPTH) return undefined;
  switch (expression.kind) {
    case "name": {
      const symbol = source.symbolAt(file, expression.name.text, expression.name.span.start);
      return symbol && moduleOfSymbol(source, symbol, depth + 1);
    }
    case "index":
      return moduleOf(source, expression.object, file, depth + 1);
    case "call": {
      const callee = moduleOf(source, expression.callee, file, depth + 1);
      return callee && !callee.instance && !isFunction(callee.decl) ? { ...callee, instance: true } : undefined;
    }
    case "of": {
      const body = moduleOf(source, expression.body, file, depth + 1);
      return body && { ...body, instance: true };
    }
    case "list": {
      const [first] = expression.items;
      return first && expression.items.length === 1 ? moduleOf(source, first.value, file, depth + 1) : undefined;
    }
    case "member": {
      const member = memberSymbol(source, expression.object, expression.member.text, file, depth + 1);
      return member && moduleOfSymbol(source, member, depth + 1);
    }
    default:
      return undefined;
  }
}

/** The member of the module that `object` stands for. */
export function memberSymbol(
  source: NameSource,
  object: Expression,
  name: string,
  file: string,
  depth = 0,
): NameSymbol | undefined {
  const module = moduleOf(source, object, file, depth);
  return module && source.names(module.file)?.members.get(module.decl)?.get(name);
}

/** `fn f(x: [D]) => …`: calling it runs it. */
export function isFunction(decl: ModuleDecl): boolean {
  return decl.value?.kind === "lambda" && decl.value.params === decl.params;
}

/** What a call of the module takes: parameters of the declaration, or inputs of the body of an instance. */
export function parametersOf(module: ModuleRef): readonly Parameter[] {
  if (!module.instance || isFunction(module.decl)) return module.decl.params;
  const body = module.decl.members?.find((member): member is MethodMember => member.kind === "method" && !member.name);
  if (body) return body.params;
  return module.decl.value?.kind === "lambda" ? module.decl.value.params : [];
}
