/** Where the parts of the picture are, in pixels. */
import type { Rgb } from '../view/palettes.js';
import type { Measured } from './measure.js';
import { STRIPS } from './strips.js';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Strip {
  /** Of a column's marks. */
  bit: number;
  label: string;
  color: Rgb;
  box: Box;
}

export interface Layout {
  width: number;
  height: number;
  left: number;
  right: number;
  heat: Box;
  /** One a mark that some row has. */
  strips: Strip[];
  spread: Box;
}

const LEFT = 86;
const RIGHT = 18;
/** Room for the heading and the legend. */
const TOP = 72;
/** Room for times. */
const BOTTOM = 30;
const GAP = 8;
const STRIP_HEIGHT = 7;
const STRIP_GAP = 4;
const SPREAD_PART = 0.2;

/** Columns of pixels that a picture has for time. */
export function plotWidth(width: number): number {
  return width - LEFT - RIGHT;
}

export function layOut(width: number, height: number, measured: Measured): Layout {
  const inner = plotWidth(width);
  const present = STRIPS.filter(({ count }) => measured[count] > 0);
  const spreadHeight = Math.round((height - TOP - BOTTOM) * SPREAD_PART);
  const stripsHeight = present.length * (STRIP_HEIGHT + STRIP_GAP);
  const heatHeight = height - TOP - BOTTOM - spreadHeight - stripsHeight - GAP;
  const heat = { x: LEFT, y: TOP, width: inner, height: heatHeight };
  const strips = present.map(({ bit, label, color }, index) => ({
    bit,
    label,
    color,
    box: {
      x: LEFT,
      y: TOP + heatHeight + STRIP_GAP + index * (STRIP_HEIGHT + STRIP_GAP),
      width: inner,
      height: STRIP_HEIGHT,
    },
  }));
  const spread = { x: LEFT, y: height - BOTTOM - spreadHeight, width: inner, height: spreadHeight };
  return { width, height, left: LEFT, right: RIGHT, heat, strips, spread };
}
