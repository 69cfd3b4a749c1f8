/**
 * The one token table: the lexer, the TextMate grammar, the editor's completion and the reference all read it.
 *
 * A keyword is *contextual* unless it says `reserved`: `mask`, `state`, `axis` or `train` open their construct only where
 * what follows makes it one (`state bias: …`, `train {`), and stay free as names of axes, values and arguments elsewhere
 * (`mask: Causal`). Reserved words are those whose misuse as a name would make a typo hard to report.
 */

/** What a token is to a reader: decides colour, completion and the lexer group. */
export type TokenCategory = "keyword" | "operator" | "punctuation" | "literal" | "name" | "comment" | "space";

export interface TokenEntry {
  readonly name: string;
  /** A string is matched as written. */
  readonly pattern: string | RegExp;
  readonly category: TokenCategory;
  /** TextMate scope without the trailing `.moe`; white space has none. */
  readonly scope?: string;
  /** Only keywords: true when the word can never be a name. */
  readonly reserved?: boolean;
  /** A repairable misspelling of another token (`&&`, an open string), reported when it is met. */
  readonly repairs?: string;
  /** One sentence for hover and the reference. */
  readonly doc: string;
}

const comments = [
  {
    name: "DocComment",
    pattern: /\/\/\/[^\n\r]*/,
    category: "comment",
    scope: "comment.line.documentation",
    doc: "Documents the declaration or member below it.",
  },
  {
    name: "LineComment",
    pattern: /\/\/[^\n\r]*/,
    category: "comment",
    scope: "comment.line.double-slash",
    doc: "A comment to the end of the line.",
  },
  {
    name: "BlockComment",
    pattern: /\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//,
    category: "comment",
    scope: "comment.block",
    doc: "A comment that may span lines; it does not nest.",
  },
  {
    name: "OpenComment",
    pattern: /\/\*[^\n\r]*(?:\r?\n[ \t]*\*[^\n\r]*)*/,
    category: "comment",
    repairs: "BlockComment",
    doc: "A block comment that is never closed: taken to end with its line.",
  },
] as const satisfies readonly TokenEntry[];

const literals = [
  {
    name: "String",
    pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*"/,
    category: "literal",
    scope: "string.quoted.double",
    doc: 'Text in double quotes, with `\\n`, `\\t`, `\\r`, `\\\\`, `\\"` and `\\u{hex}` as escapes.',
  },
  {
    name: "OpenString",
    pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*\\?/,
    category: "literal",
    repairs: "String",
    doc: "A string whose line ends before its closing quote.",
  },
  {
    name: "SingleQuoted",
    pattern: /'[^'\n\r]*'|[“”„][^“”"\n\r]*[“”]/,
    category: "literal",
    repairs: "String",
    doc: "Strings take double quotes.",
  },
  {
    name: "Number",
    pattern: /\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:[eE][+-]?\d+)?/,
    category: "literal",
    scope: "constant.numeric",
    doc: "`8`, `10_000`, `0.5`, `1e-3`; `10_000 steps` carries a unit.",
  },
] as const satisfies readonly TokenEntry[];

const word = <const N extends string>(name: N, text: string, scope: string, doc: string) =>
  ({ name, pattern: text, category: "keyword", scope, doc }) as const;
const reserved = <const N extends string>(name: N, text: string, scope: string, doc: string) =>
  ({ ...word(name, text, scope, doc), reserved: true }) as const;

const DECLARES = "storage.type";
const MEMBER = "keyword.other.member";
const CONTROL = "keyword.control";

const keywords = [
  word("Expert", "expert", DECLARES, "Declares a per-token map `[D] -> [D2]`."),
  word("Router", "router", DECLARES, "Declares a module that returns `routes[E]`."),
  word("Mask", "mask", DECLARES, "Declares which query may see which key."),
  word("Matrix", "matrix", DECLARES, "Declares a linear map given by its structure."),
  word("Block", "block", DECLARES, "Declares a module `[T, D] -> [T, D]`."),
  word("Model", "model", DECLARES, "Declares entry points, weight names and generation defaults."),
  word("Fn", "fn", DECLARES, "Declares a pure function."),
  word("Schedule", "schedule", DECLARES, "Declares a value that depends on the training step."),
  word("Loss", "loss", DECLARES, "Declares a scalar objective."),
  word("Probe", "probe", DECLARES, "Declares a named observation."),
  word("Recipe", "recipe", DECLARES, "Declares a checked transformation from one model to another."),
  word("Test", "test", DECLARES, "Declares an executable statement about this file."),
  reserved("Import", "import", "keyword.control.import", 'Brings names in from another file or from `"std"`.'),
  word("From", "from", "keyword.control.import", "Names the file of an import."),
  word("As", "as", "keyword.control.import", "Gives an imported name another name here."),
  reserved("Param", "param", MEMBER, "A trained tensor of the module."),
  word("State", "state", MEMBER, "A value that lives between calls, such as a KV cache."),
  word("Knob", "knob", MEMBER, "A value that may change at run time without a new compile."),
  reserved("Use", "use", MEMBER, "A module of one's own; a module passed as an argument is shared."),
  word("Stack", "stack", MEMBER, "Layers of one shape with parameters of their own."),
  word("Axis", "axis", MEMBER, "A derived axis."),
  word("Grad", "grad", MEMBER, "A gradient other than the chain rule."),
  word("Weights", "weights", MEMBER, "What a checkpoint format calls the tensors."),
  word("Carry", "carry", MEMBER, "Values handed from layer to layer of a stack."),
  word("Batch", "batch", "storage.modifier", "Opens `batch dependent`."),
  word(
    "Dependent",
    "dependent",
    "storage.modifier",
    "Closes `batch dependent`: one token's result depends on the others.",
  ),
  reserved("Let", "let", MEMBER, "Names a value."),
  reserved("Assert", "assert", CONTROL, "States what must hold in a test."),
  reserved("If", "if", CONTROL, "`if c then a else b`."),
  reserved("Then", "then", CONTROL, "The value when the condition holds."),
  reserved("Else", "else", CONTROL, "The value otherwise."),
  reserved("Of", "of", "keyword.operator.word", "`E of SwiGLU[D, F]`: that many modules with stacked parameters."),
  reserved("In", "in", "keyword.operator.word", "Binds an index to a range, or bounds a knob."),
  word("Fold", "fold", CONTROL, "Repeats a body with carried values."),
  word("Scan", "scan", CONTROL, "Repeats a body with carried values and keeps a row of each turn."),
  word("Train", "train", CONTROL, "What happens while training."),
  word("Infer", "infer", CONTROL, "What happens at inference."),
  word("Prefill", "prefill", CONTROL, "What happens while the prompt is read."),
  word("Decode", "decode", CONTROL, "What happens token by token."),
  reserved("True", "true", "constant.language", "The boolean true."),
  reserved("False", "false", "constant.language", "The boolean false."),
] as const satisfies readonly TokenEntry[];

const mark = <const N extends string>(name: N, text: string, doc: string) =>
  ({ name, pattern: text, category: "punctuation", scope: "punctuation", doc }) as const;
const operator = <const N extends string>(name: N, text: string, doc: string) =>
  ({ name, pattern: text, category: "operator", scope: "keyword.operator", doc }) as const;

// Longer marks stand before their prefixes: the lexer takes the first that matches.
const marks = [
  operator("FatArrow", "=>", "Separates parameters from a body."),
  operator("Arrow", "->", "Renames or refactors an axis, gives a result type, or a start and an end."),
  operator("Range", "..", "`0..W`: from inclusive, to exclusive."),
  operator("Power", "**", "Power; groups to the right."),
  { ...operator("DoubleAmp", "&&", "Written `&`."), repairs: "Amp" },
  { ...operator("DoubleBar", "||", "Written `|`."), repairs: "Bar" },
  operator("EqualEqual", "==", "Equal."),
  operator("BangEqual", "!=", "Not equal."),
  operator("LessEqual", "<=", "At most."),
  operator("GreaterEqual", ">=", "At least."),
  operator("Less", "<", "Less than."),
  operator("Greater", ">", "Greater than."),
  operator("Equal", "=", "Gives a name its value."),
  operator("Plus", "+", "Sum, axes aligned by name."),
  operator("Minus", "-", "Difference, or the negative."),
  operator("Star", "*", "Product, axes aligned by name."),
  operator("Slash", "/", "Quotient, axes aligned by name."),
  operator("Percent", "%", "Remainder."),
  operator("At", "@", "Contracts the last axis of the left side."),
  operator("Amp", "&", "And."),
  operator("Bar", "|", "Or."),
  operator("Bang", "!", "Not."),
  mark("LParen", "(", "Opens arguments, parameters, a tuple or a group."),
  mark("RParen", ")", "Closes what `(` opened."),
  mark("LBracket", "[", "Opens axes, an index or a list."),
  mark("RBracket", "]", "Closes what `[` opened."),
  mark("LBrace", "{", "Opens members or statements."),
  mark("RBrace", "}", "Closes what `{` opened."),
  mark("Comma", ",", "Separates items."),
  mark("Semicolon", ";", "Separates statements on one line."),
  mark("Colon", ":", "Stands before a type, an argument's value or the index of an axis."),
  mark("Dot", ".", "Takes a member."),
] as const satisfies readonly TokenEntry[];

const rest = [
  {
    name: "Identifier",
    pattern: /[A-Za-z_][A-Za-z0-9_]*/,
    category: "name",
    scope: "variable.other",
    doc: "Letters, digits and `_`, not starting with a digit.",
  },
  {
    name: "Space",
    pattern: /[ \t\r\n\f\u00a0\ufeff]+/,
    category: "space",
    doc: "Separates tokens; a line end may also end a statement.",
  },
] as const satisfies readonly TokenEntry[];

/** Every token of the language, in the order in which the lexer tries them (keywords: longest first). */
export const TOKENS = [
  ...comments,
  ...literals,
  ...keywords,
  ...marks,
  ...rest,
] as const satisfies readonly TokenEntry[];

/** The name of a token in the table. */
export type TokenName = (typeof TOKENS)[number]["name"];

/** Words that may stand behind a number: `10_000 steps`. */
export const UNITS: readonly string[] = [
  "steps",
  "epochs",
  "batches",
  "tokens",
  "samples",
  "seconds",
  "bytes",
  "KiB",
  "MiB",
  "GiB",
];

/** Words that open a declaration, `test` among them. */
export const DECLARATION_WORDS: readonly string[] = keywords.flatMap((entry: TokenEntry) =>
  entry.scope === DECLARES ? [entry.pattern as string] : [],
);

/** Words that can never be a name. */
export const RESERVED_WORDS: readonly string[] = keywords.flatMap((entry: TokenEntry) =>
  entry.reserved === true ? [entry.pattern as string] : [],
);
