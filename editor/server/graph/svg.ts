/** A placed picture as SVG. Colours are those of the page around it; a box names its place in the source. */
import { MEASURES, type Placed, type PlacedBox, type PlacedWire } from "./layout.js";
import type { Box } from "./picture.js";

/** Attributes of a box: where it comes from, such as `data-uri` and `data-line`. */
export type PlaceOf = (box: Box) => Readonly<Record<string, string>>;

const MARGIN = 16;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]!);

export function toSvg(placed: Placed, placeOf: PlaceOf, title: string): string {
  const width = Math.ceil(placed.width + 2 * MARGIN);
  const height = Math.ceil(placed.height + 2 * MARGIN);
  const tip =
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>';
  const body = drawn(placed, MARGIN, MARGIN, placeOf);
  return `<svg class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="${escaped(title)}"><defs>${tip}</defs>${body}</svg>`;
}

function drawn(placed: Placed, left: number, top: number, placeOf: PlaceOf): string {
  const boxes = placed.boxes.map((box) => drawnBox(box, left, top, placeOf));
  return [...boxes, ...placed.wires.map((wire) => drawnWire(wire, left, top))].join("");
}

function drawnBox(placed: PlacedBox, left: number, top: number, placeOf: PlaceOf): string {
  const { box, width, height, inside } = placed;
  const [x, y] = [placed.x + left, placed.y + top];
  const places = placeOf(box);
  const attributes = Object.entries(places).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const link = attributes.length > 0 ? ' tabindex="0" role="link"' : "";
  const rect = `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="7"/>`;
  const label = `<text x="${round(x + width / 2)}" y="${round(y + 18)}">${escaped(box.label)}</text>`;
  const own = `<g class="${box.kind}" aria-label="${escaped(`${box.kind} ${box.label}`)}"${link}${attributes.join("")}>${rect}${label}</g>`;
  if (!inside) return own;
  return own + drawn(inside, x + (width - inside.width) / 2, y + MEASURES.head, placeOf);
}

function drawnWire({ wire, points }: PlacedWire, left: number, top: number): string {
  const at = points.map(([x, y]) => [x + left, y + top] as const);
  let path = `M${round(at[0]![0])} ${round(at[0]![1])}`;
  for (let i = 1; i < at.length; i++) {
    const [x0, y0] = at[i - 1]!;
    const [x1, y1] = at[i]!;
    const bend = (y1 - y0) / 2;
    path += `C${round(x0)} ${round(y0 + bend)} ${round(x1)} ${round(y1 - bend)} ${round(x1)} ${round(y1)}`;
  }
  // In the first lane of a long wire; of a short one nearer to its end, where wires from one box have parted.
  const [a, b] = at.length > 2 ? [at[1]!, at[2]!] : [at[0]!, at[1]!];
  const share = at.length > 2 ? 0.5 : 0.62;
  const [x, y] = [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
  const label = `<text class="shape" x="${round(x)}" y="${round(y + 3)}">${escaped(wire.label)}</text>`;
  return `<g class="wire"><path d="${path}" marker-end="url(#tip)"/>${label}</g>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
