/** The body of a declaration as a formula: one line of LaTeX for each `let`, and one for the result. */
import katex from "katex";

const GREEK = /^(alpha|beta|gamma|delta|epsilon|theta|lambda|mu|nu|pi|rho|sigma|tau|phi|omega)$/;
const LEVELS = {
  "|": 1,
  "&": 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "%": 5,
  "@": 5,
  "**": 8,
};
const SIGNS = {
  "|": "\\lor",
  "&": "\\land",
  "==": "=",
  "!=": "\\ne",
  "<=": "\\le",
  ">=": "\\ge",
  "*": "\\cdot",
  "%": "\\bmod",
  "@": "\\,",
};

const escaped = (text) => text.replace(/[\\{}$&#^_%~]/g, (sign) => (sign === "_" ? "\\_" : `\\${sign}`));

/** @param {string} text */
function name(text) {
  if (GREEK.test(text)) return `\\${text}`;
  return text.length === 1 ? text : `\\mathrm{${escaped(text)}}`;
}

/** An expression; `level` is the tightest operator around it. */
function tex(node, source, level = 0) {
  const inner = (other, around = 0) => tex(other, source, around);
  switch (node.kind) {
    case "number":
      return node.text.replaceAll("_", "\\,");
    case "boolean":
      return `\\mathrm{${node.value}}`;
    case "name":
      return node.name.text === "inf" ? "\\infty" : name(node.name.text);
    case "member":
      return `${inner(node.object)}.${name(node.member.text)}`;
    case "unary":
      return `${node.operator === "!" ? "\\lnot " : "-"}${inner(node.operand, 7)}`;
    case "binary": {
      if (node.operator === "/") return `\\frac{${inner(node.left)}}{${inner(node.right)}}`;
      if (node.operator === "**") return `{${inner(node.left, 9)}}^{${inner(node.right)}}`;
      const own = LEVELS[node.operator];
      const text = `${inner(node.left, own)} ${SIGNS[node.operator] ?? node.operator} ${inner(node.right, own + 0.5)}`;
      return own < level ? `\\left(${text}\\right)` : text;
    }
    case "call": {
      const over = node.args.find((arg) => arg.name?.text === "over");
      const rest = node.args
        .filter((arg) => arg !== over)
        .map((arg) => (arg.name ? `\\text{${escaped(arg.name.text)}: }` : "") + inner(arg.value));
      const callee = node.callee.kind === "name" ? node.callee.name.text : "";
      const along = over ? `_{${inner(over.value)}}` : "";
      if (callee === "sqrt" && rest.length === 1) return `\\sqrt{${rest[0]}}`;
      if (callee === "exp" && rest.length === 1) return `e^{${rest[0]}}`;
      if (callee === "abs" && rest.length === 1) return `\\left|${rest[0]}\\right|`;
      if (callee === "sum" && rest.length === 1)
        return `\\sum${along} ${level > 4 ? `\\left(${rest[0]}\\right)` : rest[0]}`;
      if (callee === "sigmoid" && rest.length === 1) return `\\sigma(${rest[0]})`;
      const head = callee === "" ? inner(node.callee) : `\\operatorname{${escaped(callee)}}`;
      return `${head}${along}(${rest.join(",\\, ")})`;
    }
    case "index": {
      const picks = node.entries.map((entry) => {
        if (entry.kind === "plain") return inner(entry.value);
        if (entry.kind === "named") return `${name(entry.name.text)}=${inner(entry.value)}`;
        if (entry.kind === "rename") return `${name(entry.from.text)}\\to ${name(entry.to.text)}`;
        return `${name(entry.axis.text)}:${inner(entry.value)}`;
      });
      return `{${inner(node.object, 9)}}_{[${picks.join(", ")}]}`;
    }
    case "range":
      return `${inner(node.from)}..${inner(node.to)}`;
    case "arrow":
      return `${inner(node.from)}\\to ${inner(node.to)}`;
    case "if":
      return `\\begin{cases}${inner(node.then)} & ${inner(node.condition)}\\\\ ${inner(node.else)} & \\text{else}\\end{cases}`;
    case "tuple":
    case "list":
      return `(${node.items.map((item) => inner(item.value ?? item)).join(",\\, ")})`;
    case "lambda":
      return inner(node.body);
    case "of":
      return `${inner(node.count)} \\times ${inner(node.body)}`;
    default:
      // Loops, modes and blocks inside of expressions stay as they are written.
      return `\\texttt{${escaped(source.slice(node.span.start, node.span.end).replace(/\s+/g, " "))}}`;
  }
}

/** @returns {string} HTML of the formula, or nothing where a body has none that reads better than its text. */
export function formulaOf(decl, source) {
  const method = decl.members?.find((member) => member.kind === "method" && !member.name);
  const value = method?.body ?? decl.value;
  if (!value) return "";
  const body = value.kind === "lambda" ? value.body : value;
  const lines = [];
  const statements = body.kind === "block" ? body.statements : [];
  const result = body.kind === "block" ? body.result : body;
  for (const statement of statements) {
    if (statement.kind === "let")
      lines.push(`${statement.names.map(({ text }) => name(text)).join(", ")} &= ${tex(statement.value, source)}`);
    else if (statement.kind === "assign")
      lines.push(`${name(statement.target.text)} &\\leftarrow ${tex(statement.value, source)}`);
  }
  if (result) lines.push(`y &= ${tex(result, source)}`);
  if (lines.length === 0 || lines.length > 14) return "";
  return katex.renderToString(`\\begin{aligned}${lines.join("\\\\[2pt]")}\\end{aligned}`, {
    displayMode: true,
    output: "mathml",
    throwOnError: false,
    strict: false,
  });
}
