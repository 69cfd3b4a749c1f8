/** How a body is wired, as an SVG: inputs, parts and values in layers, each below everything that it reads. */

const BOX = { height: 30, gapX: 22, gapY: 34, pad: 14, letter: 7.4 };

const text = (value) =>
  value.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** Names that an expression reads. */
function reads(node, found = new Set()) {
  if (typeof node !== "object" || node === null) return found;
  if (node.kind === "name") found.add(node.name.text);
  for (const [key, value] of Object.entries(node)) if (key !== "span") reads(value, found);
  return found;
}

/** The functions that an expression calls, outermost first, for the label of its box. */
function calls(node, found = []) {
  if (typeof node !== "object" || node === null) return found;
  if (node.kind === "call" && node.callee.kind === "name") found.push(node.callee.name.text);
  for (const [key, value] of Object.entries(node)) if (key !== "span") calls(value, found);
  return found;
}

/** @returns {string} an SVG, or nothing for bodies of one step. */
export function diagramOf(decl) {
  const method = decl.members?.find(
    (member) => member.kind === "method" && (!member.name || decl.contract === "model"),
  );
  const value = method?.body ?? decl.value;
  if (!value) return "";
  const body = value.kind === "lambda" ? value.body : value;
  const params = method ? method.params : value.kind === "lambda" ? value.params : decl.params;
  const boxes = new Map();
  const add = (id, kind, label, from) =>
    boxes.set(id, { id, kind, label, from: [...from].filter((one) => boxes.has(one) && one !== id) });
  for (const param of params ?? []) add(param.name.text, "input", param.name.text, []);
  for (const member of decl.members ?? []) {
    if (member.kind === "param" || member.kind === "state" || member.kind === "knob")
      add(member.name.text, member.kind, member.name.text, []);
    if (member.kind === "use" || member.kind === "stack") {
      const head = calls(member.value ?? member.body)[0] ?? indexHead(member.value ?? member.body);
      add(
        member.name.text,
        "part",
        head && head !== member.name.text ? `${member.name.text}: ${head}` : member.name.text,
        [],
      );
    }
  }
  const local = new Map();
  const label = (name, node) => {
    const first = calls(node).find((one) => !boxes.has(one));
    return first && first !== name ? `${name} = ${first}(…)` : name;
  };
  for (const statement of body.kind === "block" ? body.statements : []) {
    if (statement.kind !== "let") continue;
    const id = `let ${statement.names[0].text}`;
    const from = new Set([...reads(statement.value)].map((one) => local.get(one) ?? one));
    add(id, "value", label(statement.names.map((one) => one.text).join(", "), statement.value), from);
    for (const one of statement.names) local.set(one.text, id);
  }
  const result = body.kind === "block" ? body.result : body;
  if (result)
    add("the result", "result", label("y", result), new Set([...reads(result)].map((one) => local.get(one) ?? one)));
  const used = new Set([...boxes.values()].flatMap(({ from }) => from));
  const all = [...boxes.values()].filter(({ id, kind }) => used.has(id) || kind === "result" || kind === "input");
  if (all.length < 3) return "";
  return drawn(all);
}

function indexHead(node) {
  if (!node) return undefined;
  if (node.kind === "of") return indexHead(node.body);
  if (node.kind === "index" || node.kind === "call") return indexHead(node.object ?? node.callee);
  return node.kind === "name" ? node.name.text : undefined;
}

function drawn(all) {
  const level = new Map();
  for (const box of all)
    level.set(box.id, box.from.length === 0 ? 0 : 1 + Math.max(...box.from.map((one) => level.get(one) ?? 0)));
  // What feeds only one late box stands right above it instead of in the first row.
  for (const box of all) {
    const readers = all.filter(({ from }) => from.includes(box.id));
    if (box.from.length === 0 && box.kind !== "input" && readers.length > 0)
      level.set(box.id, Math.max(0, Math.min(...readers.map(({ id }) => level.get(id))) - 1));
  }
  const rows = [];
  for (const box of all) (rows[level.get(box.id)] ??= []).push(box);
  const width = (box) => Math.max(44, box.label.length * BOX.letter + 2 * BOX.pad);
  const rowWidth = (row) => row.reduce((sum, box) => sum + width(box) + BOX.gapX, -BOX.gapX);
  const filled = rows.filter(Boolean);
  const total = Math.max(...filled.map(rowWidth)) + 24;
  const place = new Map();
  filled.forEach((row, y) => {
    const middle = (box) =>
      box.from.length === 0
        ? total / 2
        : box.from.reduce((sum, one) => sum + (place.get(one)?.x ?? total / 2), 0) / box.from.length;
    row.sort((a, b) => middle(a) - middle(b));
    let x = (total - rowWidth(row)) / 2;
    for (const box of row) {
      place.set(box.id, { x: x + width(box) / 2, y: 12 + y * (BOX.height + BOX.gapY), width: width(box) });
      x += width(box) + BOX.gapX;
    }
  });
  const height = 24 + filled.length * (BOX.height + BOX.gapY) - BOX.gapY;
  const lines = all.flatMap((box) =>
    box.from.map((one) => {
      const [a, b] = [place.get(one), place.get(box.id)];
      const [from, to] = [a.y + BOX.height, b.y - 3];
      const bend = Math.max(12, (to - from) / 2);
      return `<path d="M${a.x.toFixed(1)} ${from}C${a.x.toFixed(1)} ${from + bend} ${b.x.toFixed(1)} ${to - bend} ${b.x.toFixed(1)} ${to}"/>`;
    }),
  );
  const shapes = all.map((box) => {
    const { x, y, width: w } = place.get(box.id);
    const round = box.kind === "value" || box.kind === "result" ? 6 : 15;
    return `<g class="${box.kind}"><rect x="${(x - w / 2).toFixed(1)}" y="${y}" width="${w.toFixed(1)}" height="${BOX.height}" rx="${round}"/><text x="${x.toFixed(1)}" y="${y + 20}">${text(box.label)}</text></g>`;
  });
  return `<svg class="wiring" viewBox="0 0 ${total.toFixed(0)} ${height}" style="max-width:${total.toFixed(0)}px" role="img" aria-label="wiring"><defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs><g class="wires">${lines.join("")}</g>${shapes.join("")}</svg>`;
}
