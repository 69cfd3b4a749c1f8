/** What a declaration says about its values before any of them is used: storage formats, ranges of knobs, defaults. */
import type {
  Argument,
  Expression,
  Identifier,
  NamedType,
  RangeExpression,
  SettingsMember,
  StorageFormat,
  TypeExpression,
} from "../../grammar/tree.js";
import { ENCODABLE_TYPES } from "../checkpoints/encodable.js";
import { closest } from "../errors/closest.js";
import type { Fix, SourceSpan } from "../errors/diagnostic.js";
import type { Reporter } from "./reporter.js";
import type { ModuleInfo } from "./values.js";

interface Spanned {
  readonly span: { readonly start: number; readonly end: number };
}

class Declared {
  constructor(
    private readonly reporter: Reporter,
    private readonly file: string,
  ) {}

  at(node: Spanned): SourceSpan {
    return { file: this.file, start: node.span.start, end: node.span.end };
  }

  format(name: Identifier, words: readonly string[]): void {
    const span = this.at(name);
    const fixes = spellings(span, name.text, words);
    this.reporter.report("MOE2020", { name: name.text }, span, { help: `there are ${listed(words)}`, fixes });
  }

  fault(format: string, fault: string, node: Spanned, fixes: readonly Fix[] = []): void {
    this.reporter.report("MOE2021", { format, fault }, this.at(node), { fixes });
  }

  setting(name: Identifier, words: readonly string[]): void {
    const span = this.at(name);
    const fixes = spellings(span, name.text, words);
    this.reporter.report("MOE2025", { name: name.text }, span, { help: `there are ${listed(words)}`, fixes });
  }

  knob(name: string, fault: string, node: Spanned): void {
    this.reporter.report("MOE2022", { name, fault }, this.at(node));
  }

  default(name: string, wanted: string, node: Spanned, type: Spanned): void {
    const labels = [{ span: this.at(type), text: "declared here" }];
    this.reporter.report("MOE2023", { name, wanted }, this.at(node), { labels });
  }
}

function listed(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} and ${quoted.at(-1)!}`;
}

function spellings(span: SourceSpan, word: string, words: readonly string[]): readonly Fix[] {
  return closest(word, words, 2).map((text) => ({ title: `write \`${text}\``, edits: [{ span, text }] }));
}

/** Checks what can be read off the declaration of a module, in source order. */
export function checkDeclaredValues(reporter: Reporter, info: ModuleInfo): void {
  const declared = new Declared(reporter, info.file);
  for (const param of info.decl.params) {
    if (param.default && param.type) checkDefault(declared, param.name.text, param.type, param.default);
    if (param.knob) checkKnob(declared, param.name, param.default, param.range);
  }
  for (const member of info.decl.members ?? []) {
    if (member.kind === "knob") checkKnob(declared, member.name, member.init, member.range);
    if ((member.kind === "param" || member.kind === "state") && member.type.kind === "named-type") {
      checkType(declared, member.type);
    }
    if (member.kind === "settings") checkSettings(declared, member);
  }
}

/* ---- settings of a model ---- */

const SETTINGS = ["tokenizer", "generate"];
const GENERATION = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "max_tokens", "stop"];

function checkSettings(declared: Declared, member: SettingsMember): void {
  if (!SETTINGS.includes(member.name.text)) return declared.setting(member.name, SETTINGS);
  if (member.name.text !== "generate") return;
  for (const { name } of member.entries)
    if (name && !GENERATION.includes(name.text)) declared.setting(name, GENERATION);
}

/** A number that is written down, with its sign; undefined for anything that has to be worked out. */
function written(node: Expression | undefined): number | undefined {
  if (node?.kind === "number") return node.value;
  if (node?.kind === "unary" && node.operator === "-") {
    const value = written(node.operand);
    return value === undefined ? undefined : -value;
  }
  return undefined;
}

function checkDefault(declared: Declared, name: string, type: TypeExpression, value: Expression): void {
  if (type.kind !== "named-type" || type.axes) return;
  const word = type.name?.text;
  const number = written(value);
  if (
    (word === "int" || word === "uint") &&
    (value.kind === "boolean" || value.kind === "string" || notWhole(number))
  ) {
    declared.default(name, "a whole number", value, type);
  } else if (word === "float" && (value.kind === "boolean" || value.kind === "string")) {
    declared.default(name, "a number", value, type);
  } else if (word === "bool" && (number !== undefined || value.kind === "string")) {
    declared.default(name, "true or false", value, type);
  } else if (word === "string" && (number !== undefined || value.kind === "boolean")) {
    declared.default(name, "a text", value, type);
  }
}

const notWhole = (value: number | undefined): boolean => value !== undefined && !Number.isInteger(value);

function checkKnob(
  declared: Declared,
  name: Identifier,
  init: Expression | undefined,
  range: RangeExpression | undefined,
): void {
  if (!init) return declared.knob(name.text, "needs a default: it is what holds until someone turns it", name);
  const value = written(init);
  const from = written(range?.from);
  const to = written(range?.to);
  if (range && from !== undefined && to !== undefined && from > to) {
    return declared.knob(name.text, `has an empty range: ${String(from)} is above ${String(to)}`, range);
  }
  if (value === undefined) return;
  if (from !== undefined && value < from) declared.knob(name.text, `starts at ${String(value)}, below its range`, init);
  if (to !== undefined && value > to) declared.knob(name.text, `starts at ${String(value)}, above its range`, init);
}

/* ---- storage formats ---- */

const WITH_BITS = ["uint", "int"];
const QUANTIZED: readonly string[] = [...ENCODABLE_TYPES, "int2", "int3", "int4", "int8"];
const FORMATS: Readonly<Record<string, (declared: Declared, format: StorageFormat) => void>> = {
  quant: checkQuant,
  sparse: checkSparse,
};

function checkType(declared: Declared, type: NamedType): void {
  if (type.bits && !WITH_BITS.includes(type.name?.text ?? "")) {
    declared.fault(type.name?.text ?? "f32", `has a fixed number of bits; ${listed(["uint"])} takes one`, type.bits);
  }
  const words = Object.keys(FORMATS);
  for (const format of type.formats) {
    if (!Object.hasOwn(FORMATS, format.name.text)) declared.format(format.name, words);
    else FORMATS[format.name.text]!(declared, format);
  }
}

/** `quant(q4_0)`, `quant(int4, group: 64)`. */
function checkQuant(declared: Declared, format: StorageFormat): void {
  const [kind, ...rest] = format.args;
  if (kind?.value.kind !== "name" || kind.name) {
    return declared.fault("quant", `starts with one of ${listed(QUANTIZED)}`, kind ?? format);
  }
  const word = kind.value.name;
  if (!QUANTIZED.includes(word.text)) return declared.format(word, QUANTIZED);
  for (const argument of rest) {
    if (argument.name?.text !== "group") unknownOption(declared, format, argument, ["group"]);
    else if (!(Number.isInteger(written(argument.value)) && written(argument.value)! > 0)) {
      declared.fault("quant", "has groups of a whole number of entries", argument.value);
    }
  }
}

/** `sparse(2:4)`, `sparse(block: [16, 16], keep: 0.1)`, `sparse(fan_in: 32)`. */
function checkSparse(declared: Declared, format: StorageFormat): void {
  if (format.args.length === 0) return declared.fault("sparse", "says nothing of what is kept", format);
  for (const argument of format.args) {
    const { value } = argument;
    switch (argument.name?.text) {
      case undefined:
        if (value.kind !== "ratio") declared.fault("sparse", "is written `sparse(2:4)`", value);
        else if (value.left.value > value.right.value || value.left.value < 1) {
          const { left, right } = value;
          declared.fault(
            "sparse",
            `keeps ${left.text} of every ${right.text}: between 1 and ${right.text} can be kept`,
            left,
          );
        }
        break;
      case "block":
        if (value.kind !== "list" || value.items.length !== 2) {
          declared.fault("sparse", "has blocks of two sizes: `block: [16, 16]`", value);
        }
        break;
      case "keep": {
        const share = written(value);
        if (share !== undefined && !(share > 0 && share <= 1)) {
          declared.fault("sparse", "keeps a share above 0 and at most 1", value);
        }
        break;
      }
      case "fan_in":
        break;
      default:
        unknownOption(declared, format, argument, ["block", "keep", "fan_in"]);
    }
  }
}

function unknownOption(declared: Declared, format: StorageFormat, argument: Argument, words: readonly string[]): void {
  const name = argument.name;
  if (!name) return declared.fault(format.name.text, "has names for what follows", argument);
  declared.fault(
    format.name.text,
    `has no \`${name.text}\`, only ${listed(words)}`,
    name,
    spellings(declared.at(name), name.text, words),
  );
}
