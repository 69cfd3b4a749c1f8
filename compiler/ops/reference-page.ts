/** The page `docs/reference/ops.md`, made from the table. */
import { opNames, ops } from "./index.js";
import type { OpDef } from "./types.js";

const families: readonly (readonly [OpDef["family"], string])[] = [
  ["elementwise", "Elementwise"],
  ["axes", "Axes"],
  ["reduce", "Reductions and normalizers"],
  ["contract", "Contraction"],
  ["select", "Selection and routes"],
  ["random", "Random numbers"],
  ["source", "Sources"],
  ["state", "State"],
  ["region", "Regions"],
];

function loweringText(op: OpDef): string {
  switch (op.lowering.kind) {
    case "elementwise":
      return "joins the loops of its neighbours";
    case "view":
      return "no kernel: consumers read through it";
    case "template":
      return `kernel template \`${op.lowering.template}\``;
    case "reference-only":
      return "reference only";
  }
}

function opText(op: OpDef): string {
  const facts = [
    ...(op.attrs.length > 0 ? [`attributes ${op.attrs.map((attr) => `\`${attr}\``).join(", ")}`] : []),
    ...(op.commutative ? ["commutative"] : []),
    ...(op.effect ? ["has an effect"] : []),
    op.gradient === "chain" ? "differentiable" : "no gradient",
    loweringText(op),
  ];
  const line = `${facts.join("; ")}.`;
  const sentence = line.charAt(0).toUpperCase() + line.slice(1);
  return `### ${op.name}\n\n${op.doc}\n\n${sentence}\n\n\`\`\`moe\n${op.example}\n\`\`\`\n`;
}

/** Markdown of the whole table, families in the order of their use. */
export function opsReferencePage(): string {
  const sections = families.map(([family, title]) => {
    const members = opNames.map((name) => ops[name]).filter((op) => op.family === family);
    return `## ${title}\n\n${members.map(opText).join("\n")}`;
  });
  const head = [
    "# Ops",
    "",
    "Generated from `compiler/ops/`: `UPDATE_DOCS=1 npx vitest run test/ops/docs.test.ts` writes it anew.",
    "",
    "Values have named axes, which align by name; a type lists them outermost first. Elementwise ops give the axes of",
    "the first operand, then the new ones of the next. Every choice takes the larger value first, equal ones in the order",
    "of their indices, and never NaN.",
    "",
  ];
  return `${head.join("\n")}\n${sections.join("\n")}`;
}
