/** One walk over the tree of a file: every name that is written, with what it stands for. */
import type {
  Argument,
  AxisUse,
  CarryBinding,
  Declaration,
  Expression,
  Identifier,
  IndexExpression,
  Member,
  MethodMember,
  ModuleDecl,
  Parameter,
  SourceFile,
  Span,
  Statement,
  StorageFormat,
  TypeExpression,
} from "../../../grammar/tree.js";
import { builtins } from "../../../compiler/1-check/index.js";
import type { MakeSymbol } from "./declare.js";
import { memberSymbol, moduleOf, parametersOf, type NameSource } from "./modules.js";
import { NameScope, type NameSymbol, type Occurrence } from "./symbols.js";

type Role = Occurrence["role"];

export class Resolver {
  readonly occurrences: Occurrence[] = [];
  private inside: Declaration | undefined;
  /** Where axes that are named for the first time belong: the body or the declaration around. */
  private home: NameScope;

  constructor(
    private readonly file: string,
    private readonly scope: NameScope,
    private readonly members: ReadonlyMap<ModuleDecl, ReadonlyMap<string, NameSymbol>>,
    private readonly source: NameSource,
    private readonly make: MakeSymbol,
  ) {
    this.home = scope;
  }

  walk(tree: SourceFile): void {
    for (const declaration of tree.declarations) {
      this.inside = declaration;
      if (declaration.kind === "module") this.module(declaration);
      else this.body(declaration, this.scope, (scope) => this.expression(declaration.body, scope));
    }
    this.inside = undefined;
    this.occurrences.sort((a, b) => a.span.start - b.span.start);
  }

  add(name: Identifier, symbol: NameSymbol | undefined, role: Role = "read", pun = false): void {
    if (!symbol || name.text === "") return;
    this.occurrences.push({
      span: { file: this.file, ...name.span },
      symbol,
      role,
      ...(this.inside ? { inside: this.inside } : {}),
      ...(pun ? { pun } : {}),
    });
  }

  private read(name: Identifier, scope: NameScope, role: Role = "read", pun = false): void {
    this.add(name, scope.lookup(name.text), role, pun);
  }

  private define(
    scope: NameScope,
    name: Identifier,
    kind: NameSymbol["kind"],
    whole: { readonly span: Span },
    more: Parameters<MakeSymbol>[3] = {},
  ): void {
    const container = this.inside?.kind === "module" ? { container: this.inside.name.text } : {};
    const symbol = this.make(name, kind, whole, { ...container, ...more });
    scope.define(symbol);
    this.add(name, symbol, "declaration");
  }

  /** An axis as such: what nobody declared is declared by its first use. */
  private axis(name: Identifier, scope: NameScope): void {
    if (name.text === "") return;
    if (scope.lookup(name.text)) this.read(name, scope);
    else this.define(this.home, name, "axis", name, { implicit: true });
  }

  /** Runs `inner` in a new scope that takes in the axes introduced there. */
  private body(node: { readonly span: Span }, outer: NameScope, inner: (scope: NameScope) => void): void {
    const scope = new NameScope(node.span.start, node.span.end, outer);
    const before = this.home;
    this.home = scope;
    inner(scope);
    this.home = before;
  }

  private module(decl: ModuleDecl): void {
    const own = this.members.get(decl);
    this.add(decl.name, this.scope.names.get(decl.name.text), "declaration");
    this.body(decl, this.scope, (scope) => {
      for (const symbol of own?.values() ?? []) scope.define(symbol);
      for (const axis of decl.axes) {
        this.declared(axis.name, own);
        if (axis.default) this.expression(axis.default, scope);
      }
      for (const param of decl.params) this.parameter(param, scope, own);
      const members = decl.members ?? [];
      // Axes named in the types of members are in force in all of them, wherever they stand.
      for (const member of members) if ("type" in member && member.type) this.type(member.type, scope);
      for (const member of members) this.member(member, scope, own);
      if (decl.value?.kind === "lambda" && decl.value.params === decl.params) {
        if (decl.value.result) this.type(decl.value.result, scope);
        this.expression(decl.value.body, scope);
      } else if (decl.value) this.expression(decl.value, scope);
      if (decl.making) {
        this.parameter(decl.making.target, scope);
        this.expression(decl.making.body, scope);
      }
    });
  }

  private declared(name: Identifier, own: ReadonlyMap<string, NameSymbol> | undefined): void {
    this.add(name, own?.get(name.text), "declaration");
  }

  private parameter(param: Parameter, scope: NameScope, own?: ReadonlyMap<string, NameSymbol>): void {
    if (own) this.declared(param.name, own);
    else this.define(scope, param.name, "parameter", param, param.type ? { type: param.type } : {});
    if (param.type) this.type(param.type, scope);
    if (param.default) this.expression(param.default, scope);
    if (param.range) this.expression(param.range, scope);
  }

  private member(member: Member, scope: NameScope, own: ReadonlyMap<string, NameSymbol> | undefined): void {
    switch (member.kind) {
      case "param":
      case "state":
        this.declared(member.name, own);
        if (member.init) this.expression(member.init, scope);
        return;
      case "knob":
        this.declared(member.name, own);
        this.expression(member.init, scope);
        if (member.range) this.expression(member.range, scope);
        return;
      case "use":
      case "schedule":
      case "let-member":
        this.declared(member.name, own);
        this.expression(member.value, scope);
        return;
      case "axis":
        this.declared(member.name, own);
        this.expression(member.size, scope);
        return;
      case "stack": {
        this.declared(member.name, own);
        this.expression(member.count, scope);
        const inner = new NameScope(member.span.start, member.span.end, scope);
        if (member.index) this.define(inner, member.index, "index", member.index);
        this.expression(member.body, inner);
        this.carry(member.carry, inner);
        return;
      }
      case "method":
        if (member.name) this.declared(member.name, own);
        this.method(member, scope);
        return;
      case "grad":
        this.body(member, scope, (inner) => {
          for (const param of member.params) this.parameter(param, inner);
          if (member.body) this.expression(member.body, inner);
        });
        return;
      case "weights":
        for (const entry of member.entries) {
          this.expression(entry.path, scope);
          this.expression(entry.source, scope);
        }
        return;
      case "settings":
        for (const entry of member.entries) this.expression(entry.value, scope);
        return;
      default:
        member satisfies never;
    }
  }

  private method(member: MethodMember, scope: NameScope): void {
    this.body(member, scope, (inner) => {
      for (const param of member.params) this.parameter(param, inner);
      if (member.result) this.type(member.result, inner);
      if (member.resultName) this.define(inner, member.resultName, "let", member.resultName);
      this.expression(member.body, inner);
    });
  }

  private carry(bindings: readonly CarryBinding[], scope: NameScope): void {
    for (const binding of bindings) {
      this.define(scope, binding.name, "carry", binding, binding.type ? { type: binding.type } : {});
      if (binding.type) this.type(binding.type, scope);
      this.expression(binding.init, scope);
    }
  }

  private type(type: TypeExpression, scope: NameScope): void {
    if (type.kind === "tuple-type") {
      for (const item of type.items) this.type(item, scope);
      return;
    }
    if (type.name) this.read(type.name, scope);
    if (type.bits) this.expression(type.bits, scope);
    for (const axis of type.axes ?? []) this.axisUse(axis, scope);
    for (const argument of type.args ?? []) this.expression(argument.value, scope);
    for (const format of type.formats) this.format(format, scope);
  }

  private axisUse(axis: AxisUse, scope: NameScope): void {
    if (axis.size) this.expression(axis.size, scope);
    if (axis.name) this.axis(axis.name, scope);
  }

  private format(format: StorageFormat, scope: NameScope): void {
    for (const argument of format.args) {
      // `quant(q4_0)`: the word names a format and no value.
      if (argument.value.kind !== "name") this.expression(argument.value, scope);
    }
  }

  private statement(statement: Statement, scope: NameScope): void {
    switch (statement.kind) {
      case "let": {
        this.expression(statement.value, scope);
        if (statement.type) this.type(statement.type, scope);
        const value = statement.tuple ? {} : { value: statement.value };
        for (const name of statement.names) this.define(scope, name, "let", statement, value);
        return;
      }
      case "axis":
        this.expression(statement.size, scope);
        this.define(scope, statement.name, "axis", statement);
        return;
      case "assign":
        this.read(statement.target, scope, "write");
        this.expression(statement.value, scope);
        return;
      case "set":
        this.expression(statement.path, scope);
        this.expression(statement.value, scope);
        return;
      case "assert":
      case "expression-statement":
        this.expression(statement.value, scope);
        return;
      default:
        statement satisfies never;
    }
  }

  private expression(node: Expression, scope: NameScope): void {
    switch (node.kind) {
      case "name":
        this.read(node.name, scope);
        return;
      case "member":
        this.expression(node.object, scope);
        this.add(node.member, memberSymbol(this.source, node.object, node.member.text, this.file));
        return;
      case "call":
        this.call(node, scope);
        return;
      case "index":
        this.index(node, scope);
        return;
      case "unary":
        this.expression(node.operand, scope);
        return;
      case "binary":
        this.expression(node.left, scope);
        this.expression(node.right, scope);
        return;
      case "range":
        this.expression(node.from, scope);
        this.expression(node.to, scope);
        return;
      case "arrow":
        this.axes(node.from, scope);
        this.axes(node.to, scope);
        return;
      case "if":
        this.expression(node.condition, scope);
        this.expression(node.then, scope);
        this.expression(node.else, scope);
        return;
      case "block": {
        const inner = new NameScope(node.span.start, node.span.end, scope);
        for (const statement of node.statements) this.statement(statement, inner);
        if (node.result) this.expression(node.result, inner);
        return;
      }
      case "lambda":
        this.body(node, scope, (inner) => {
          for (const param of node.params) this.parameter(param, inner);
          if (node.result) this.type(node.result, inner);
          this.expression(node.body, inner);
        });
        return;
      case "tuple":
        for (const item of node.items) this.expression(item, scope);
        return;
      case "list":
        for (const item of node.items) {
          this.expression(item.value, scope);
          // `[G = groups, M]` names axes.
          if (item.name) this.axis(item.name, scope);
        }
        return;
      case "of":
        this.expression(node.count, scope);
        this.expression(node.body, scope);
        return;
      case "fold": {
        this.expression(node.range, scope);
        const inner = new NameScope(node.span.start, node.span.end, scope);
        this.define(inner, node.index, "index", node.index);
        this.carry(node.carry, inner);
        if (node.until) this.expression(node.until, inner);
        this.expression(node.body, inner);
        return;
      }
      case "mode":
        for (const branch of node.branches) this.expression(branch.body, scope);
        if (node.otherwise) this.expression(node.otherwise, scope);
        return;
      case "number":
      case "string":
      case "boolean":
      case "ratio":
      case "error":
        return;
      default:
        node satisfies never;
    }
  }

  /** `D -> [H, K]`: names stand for axes, lists of names too. */
  private axes(node: Expression, scope: NameScope): void {
    if (node.kind === "name") this.axis(node.name, scope);
    else if (node.kind === "list") {
      for (const item of node.items) {
        if (item.name) {
          this.expression(item.value, scope);
          this.axis(item.name, scope);
        } else this.axes(item.value, scope);
      }
    } else this.expression(node, scope);
  }

  private call(node: Extract<Expression, { kind: "call" }>, scope: NameScope): void {
    this.expression(node.callee, scope);
    const builtin =
      node.callee.kind === "name" && !scope.lookup(node.callee.name.text)
        ? builtins.get(node.callee.name.text)
        : undefined;
    const module = builtin ? undefined : moduleOf(this.source, node.callee, this.file);
    const params = module ? parametersOf(module) : [];
    const known = new Set(builtin ? builtin.params.map(({ name }) => name) : params.map(({ name }) => name.text));
    let named = false;
    for (const argument of node.args) {
      named ||= argument.name !== undefined;
      if (argument.name && module) {
        const own = this.source.names(module.file)?.members.get(module.decl);
        if (!module.instance) this.add(argument.name, own?.get(argument.name.text));
      }
      this.argument(argument, scope, named && known);
    }
  }

  private argument(argument: Argument, scope: NameScope, puns: ReadonlySet<string> | false): void {
    const { name, value } = argument;
    if (name && (name.text === "over" || name.text === "as" || name.text === "axis")) this.axes(value, scope);
    else if (!name && value.kind === "name" && puns && puns.has(value.name.text))
      this.read(value.name, scope, "read", true);
    else this.expression(value, scope);
  }

  private index(node: IndexExpression, scope: NameScope): void {
    this.expression(node.object, scope);
    const module = moduleOf(this.source, node.object, this.file);
    const own = module && !module.instance ? this.source.names(module.file)?.members.get(module.decl) : undefined;
    for (const entry of node.entries) {
      switch (entry.kind) {
        case "plain":
          if (entry.value.kind === "name") this.read(entry.value.name, scope);
          else this.expression(entry.value, scope);
          break;
        case "named":
          // `TopK[D, E = 8]` names the axis of the module, `[X = 2]` of a type a new one.
          if (own) this.add(entry.name, own.get(entry.name.text));
          else this.axis(entry.name, scope);
          this.expression(entry.value, scope);
          break;
        case "rename":
          this.axis(entry.from, scope);
          this.axis(entry.to, scope);
          break;
        case "pick":
          this.axis(entry.axis, scope);
          this.expression(entry.value, scope);
          break;
        default:
          entry satisfies never;
      }
    }
  }
}
