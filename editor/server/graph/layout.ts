/**
 * Places for the boxes of a picture: rows by the longest way from an input, wires that pass rows get a lane in each, and
 * a few sweeps order each row by the middle of its neighbours (Sugiyama, Tagawa and Toda 1981).
 */
import type { Box, Picture, Wire } from "./picture.js";

export interface PlacedBox {
  readonly box: Box;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly inside?: Placed;
}

export interface PlacedWire {
  readonly wire: Wire;
  /** From the lower edge of a box to the upper edge of another, a point for each row between. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly wires: readonly PlacedWire[];
}

/** Pixels; `letter` is the width of one in the drawing's monospaced 12 px, `small` in the shapes at the wires. */
export const MEASURES = { letter: 7.3, small: 6.5, box: 28, pad: 12, gapX: 26, gapY: 40, lane: 12, head: 26 } as const;
const SWEEPS = 4;

interface Cell {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  readonly box?: Box;
  readonly inside?: Placed;
  readonly above: string[];
  readonly below: string[];
}

/** Lays out a picture and what is inside of its boxes. */
export function layout({ boxes, wires }: Picture): Placed {
  const level = levels(boxes, wires);
  const rows: Cell[][] = Array.from({ length: Math.max(0, ...level.values()) + 1 }, () => []);
  const cells = new Map<string, Cell>();
  const add = (row: number, cell: Cell): void => {
    cells.set(cell.key, cell);
    rows[row]!.push(cell);
  };
  for (const box of boxes) {
    // Shapes stand above the box that they come into.
    const shapes = wires.filter(({ from, to }) => to === box.id && level.get(from)! + 1 === level.get(to)!);
    add(level.get(box.id)!, cellOf(box, Math.max(0, ...shapes.map(({ label }) => label.length * MEASURES.small))));
  }
  const ways = wires.map((wire) => {
    const way = [String(wire.from)];
    const [first, end] = [level.get(wire.from)! + 1, level.get(wire.to)!];
    for (let row = first; row < end; row++) {
      const key = `${wire.from}-${wire.to}@${row}`;
      // The shape of a long wire stands in its first lane.
      const width = row === first ? wire.label.length * MEASURES.small : MEASURES.lane;
      add(row, { key, width, height: 0, above: [], below: [] });
      way.push(key);
    }
    way.push(String(wire.to));
    way.slice(1).forEach((key, i) => {
      cells.get(key)!.above.push(way[i]!);
      cells.get(way[i]!)!.below.push(key);
    });
    return { wire, way };
  });
  order(rows);
  return placed(rows, ways);
}

function levels(boxes: readonly Box[], wires: readonly Wire[]): ReadonlyMap<number, number> {
  const level = new Map<number, number>();
  // Boxes are listed after all that they read.
  for (const { id } of boxes) {
    const before = wires.filter(({ to }) => to === id).map(({ from }) => level.get(from) ?? 0);
    level.set(id, before.length === 0 ? 0 : Math.max(...before) + 1);
  }
  return level;
}

function cellOf(box: Box, least: number): Cell {
  const label = Math.max(least, box.label.length * MEASURES.letter + 2 * MEASURES.pad);
  const common = { key: String(box.id), box, above: [], below: [] };
  if (!box.inside) return { ...common, width: Math.max(56, label), height: MEASURES.box };
  const inside = layout(box.inside);
  const width = Math.max(label, inside.width + 2 * MEASURES.pad);
  return { ...common, inside, width, height: inside.height + MEASURES.head + MEASURES.pad };
}

function order(rows: Cell[][]): void {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows.slice(1) : rows.slice(0, -1).reverse()) {
      const beside = rows[rows.indexOf(row) + (down ? -1 : 1)]!;
      const place = new Map(beside.map(({ key }, i) => [key, (i + 0.5) / beside.length]));
      const middle = new Map(
        row.map((cell, i) => {
          const near = (down ? cell.above : cell.below).flatMap((key) => place.get(key) ?? []);
          return [cell, near.length === 0 ? (i + 0.5) / row.length : near.reduce((a, b) => a + b, 0) / near.length];
        }),
      );
      row.sort((a, b) => middle.get(a)! - middle.get(b)!);
    }
  }
}

function placed(
  rows: readonly (readonly Cell[])[],
  ways: readonly { readonly wire: Wire; readonly way: readonly string[] }[],
): Placed {
  const widthOf = (row: readonly Cell[]): number =>
    row.reduce((sum, { width }) => sum + width + MEASURES.gapX, -MEASURES.gapX);
  const width = Math.max(0, ...rows.map(widthOf));
  const top = new Map<string, readonly [number, number]>();
  const bottom = new Map<string, readonly [number, number]>();
  const boxes: PlacedBox[] = [];
  let y = 0;
  for (const row of rows) {
    const height = Math.max(0, ...row.map((cell) => cell.height));
    let x = (width - widthOf(row)) / 2;
    for (const cell of row) {
      const middle = x + cell.width / 2;
      top.set(cell.key, [middle, y]);
      bottom.set(cell.key, [middle, y + (cell.box ? cell.height : height)]);
      if (cell.box) {
        const { box, inside } = cell;
        boxes.push({ box, x, y, width: cell.width, height: cell.height, ...(inside ? { inside } : {}) });
      }
      x += cell.width + MEASURES.gapX;
    }
    y += height + MEASURES.gapY;
  }
  const wires = ways.map(({ wire, way }) => {
    const points = way.flatMap((key, i) => [
      ...(i === 0 ? [] : [top.get(key)!]),
      ...(i === way.length - 1 ? [] : [bottom.get(key)!]),
    ]);
    return { wire, points };
  });
  return { width, height: Math.max(0, y - MEASURES.gapY), boxes, wires };
}
