/** Bodies that can be called. */
import type { LambdaExpression, MethodMember, ModuleDecl } from "../../../grammar/tree.js";
import type { Place, Walk } from "../context.js";
import type { ClosureValue, InstanceValue, ModuleInfo } from "../values.js";
import type { Scope } from "../scope.js";

const identifierCache = new WeakMap<object, ReadonlySet<string>>();

/** Every identifier written in a piece of tree. */
export function identifiersIn(node: object): ReadonlySet<string> {
  const known = identifierCache.get(node);
  if (known) return known;
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    const tree = value as Readonly<Record<string, unknown>>;
    if (tree["kind"] === "identifier") names.add(tree["text"] as string);
    else for (const key in tree) if (key !== "span") visit(tree[key]);
  };
  visit(node);
  identifierCache.set(node, names);
  return names;
}

export function closureOf(_walk: Walk, lambda: LambdaExpression, place: Place): ClosureValue {
  return {
    kind: "closure",
    params: lambda.params,
    ...(lambda.result ? { result: lambda.result } : {}),
    body: lambda.body,
    scope: place.scope,
    file: place.file,
    span: lambda.span,
    names: () => identifiersIn(lambda),
    axes: new Map(),
    lambda,
    ...(place.instance ? { instance: place.instance } : {}),
    label: "this function",
  };
}

/** True for `fn f(x: [D]) => …`, where the declaration itself is the lambda. */
export function isFunctionForm(decl: ModuleDecl): boolean {
  return decl.value?.kind === "lambda" && decl.value.params === decl.params;
}

/** The head of a declaration as something to call: what its parameters are given is bound, and there is no body. */
export function headClosure(
  { decl, file, names }: ModuleInfo,
  params: ClosureValue["params"],
  scope: Scope,
  axes: ClosureValue["axes"] = new Map(),
): ClosureValue {
  const body = { kind: "error", span: decl.span } as const;
  const label = `\`${decl.name.text}\``;
  return { kind: "closure", params, body, scope, file, span: decl.span, names, axes, label };
}

/** A declaration of the form `fn f[D](x: [D]) => …` as something to call; its axes are decided by the arguments. */
export function functionClosure(info: ModuleInfo, scope: Scope, axes: ClosureValue["axes"]): ClosureValue {
  const lambda = info.decl.value as LambdaExpression;
  return {
    kind: "closure",
    params: lambda.params,
    ...(lambda.result ? { result: lambda.result } : {}),
    body: lambda.body,
    scope,
    file: info.file,
    span: info.decl.span,
    names: info.names,
    axes,
    openAxes: info.decl.axes.map((axis) => axis.name.text).filter((name) => !axes.has(name)),
    declaration: info,
    label: `\`${info.decl.name.text}\``,
  };
}

export function methodClosure(instance: InstanceValue, method: MethodMember): ClosureValue {
  return {
    kind: "closure",
    params: method.params,
    ...(method.result ? { result: method.result } : {}),
    body: method.body,
    scope: instance.scope,
    file: instance.info.file,
    span: method.span,
    names: instance.info.names,
    axes: instance.axes,
    instance,
    label: `\`${instance.info.decl.name.text}\``,
  };
}

export function findMethod(decl: ModuleDecl, name: string | undefined): MethodMember | undefined {
  return decl.members?.find((member): member is MethodMember => member.kind === "method" && member.name?.text === name);
}

/** The body of an instance: its nameless method, or the lambda of the short form. */
export function bodyOf(instance: InstanceValue): ClosureValue | undefined {
  const { decl } = instance.info;
  const method = findMethod(decl, undefined);
  if (method) return methodClosure(instance, method);
  if (decl.value?.kind !== "lambda") return undefined;
  const lambda = decl.value;
  return {
    kind: "closure",
    params: lambda.params,
    ...(lambda.result ? { result: lambda.result } : {}),
    body: lambda.body,
    scope: instance.scope,
    file: instance.info.file,
    span: lambda.span,
    names: instance.info.names,
    axes: instance.axes,
    instance,
    label: `\`${decl.name.text}\``,
  };
}
