/** One number of a weight in a wide layout: how a tied embedding table reads the rows that the output product packs. */
import { Size } from "../../axes/size.js";
import { compare, constant, convert, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { denseBytes, type MatrixLayout } from "../layout/layouts.js";
import { isK } from "../micro/k-layouts.js";
import { blockElements } from "../micro/layouts.js";
import {
  halfBytes,
  panelRows,
  recordColumns,
  recordRows,
  recordScaleBytes,
  wideRecordBytes,
} from "../micro/wide-layouts.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { BufferPlace } from "./storage.js";
import { nibble } from "./weight.js";
import { recordElement } from "./weight-k.js";

const size = (value: number): Size => Size.of(value);

export interface MatrixElement {
  readonly layer: Coordinate;
  readonly batch: Coordinate;
  readonly row: Coordinate;
  readonly column: Coordinate;
}

export function wideElement(emitter: Emitter, place: BufferPlace, layout: MatrixLayout, at: MatrixElement): Expression {
  const { storage, layerBytes, tileBytes, tiles } = layout;
  /** Where the tile of `rows` rows begins, in units of some bytes. */
  const tileAt = (rows: number, unit: number): Coordinate =>
    at.layer.times(size(layerBytes / unit)).plus(
      at.batch
        .times(size(tiles))
        .plus(at.row.dividedBy(size(rows)))
        .times(size(tileBytes / unit)),
    );
  if (isK(storage)) return recordElement(emitter, place, layout, storage, at);
  if (storage !== "q8_0" && storage !== "q4_0") {
    const panel = tileAt(panelRows, denseBytes[storage]).plus(at.column.times(size(panelRows)));
    return emitter.load(emitter.buffer(place, storage, "read"), panel.plus(at.row.modulo(size(panelRows))));
  }
  const lane = at.row.modulo(size(recordRows));
  const record = at.column.dividedBy(size(recordColumns));
  const within = at.column.modulo(size(recordColumns));
  const half = within.dividedBy(size(blockElements));
  const column = within.modulo(size(blockElements));
  const bytes = wideRecordBytes(storage);
  const scaleAt = tileAt(recordRows, 2)
    .plus(record.times(size(bytes / 2)))
    .plus(half.times(size(recordRows)))
    .plus(lane);
  const scale = emitter.load(emitter.buffer(place, "f16", "read"), scaleAt);
  const group = size(storage === "q8_0" ? 4 : 8);
  const byteAt = tileAt(recordRows, 1)
    .plus(record.times(size(bytes)))
    .plus(Coordinate.number(recordScaleBytes))
    .plus(half.times(size(halfBytes[storage])))
    .plus(column.dividedBy(group).times(size(64)))
    .plus(lane.times(size(4)))
    .plus(column.modulo(size(4)));
  const byte = emitter.load(emitter.buffer(place, "u8", "read"), byteAt);
  if (storage === "q8_0") return mul(convert(sub(byte, constant(128)), "f32"), scale);
  const high = compare("ge", emitter.index(column.modulo(group)), 4);
  return mul(convert(nibble(byte, high), "f32"), scale);
}
