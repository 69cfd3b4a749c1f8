/** The graph of a file's model as a drawing; a click on a box leads to its source. */
import { buildProgram } from "../../../compiler/2-graph/index.js";
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";
import { layout } from "../graph/layout.js";
import { pictureOf, type Home } from "../graph/picture.js";
import { toSvg } from "../graph/svg.js";
import { refusal, type Shown } from "../kernels/refusal.js";
import type { Workspace } from "../workspace.js";

/** As SVG. */
export function graphView(workspace: Workspace, file: string, model?: string): Shown {
  let program;
  try {
    program = buildProgram(workspace.project(file), model === undefined ? {} : { model });
  } catch (error) {
    return { ok: false, text: refusal(error) };
  }
  const drawings = program.entries.map(({ name, inputs, outputs, body }) => {
    const picture = pictureOf(body, (span) => homeOf(workspace, span), inputs, new Set(), outputs);
    const placeOf = ({ span }: { readonly span?: SourceSpan }): Readonly<Record<string, string>> => {
      if (!span) return {};
      const { line, character } = workspace.text(span.file).position(span.start);
      return {
        "data-uri": workspace.host.toUri(span.file),
        "data-line": String(line),
        "data-character": String(character),
      };
    };
    return toSvg(layout(picture), placeOf, `${program.name}.${name}`);
  });
  return { ok: true, text: drawings.join("\n") };
}

/** The declaration that a place is in. */
function homeOf(workspace: Workspace, span: SourceSpan): Home | undefined {
  const found = workspace
    .load(span.file)
    ?.tree.declarations.find(
      (declaration) => declaration.span.start <= span.start && span.start < declaration.span.end,
    );
  if (!found || found.kind === "test") return undefined;
  return { key: `${span.file} ${found.name.text}`, name: found.name.text, contract: found.contract };
}
