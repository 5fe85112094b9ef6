/** Pictures as PNG. Nothing here depends on the machine: the same picture gives the same bytes everywhere. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { encode } from 'fast-png';

const require = createRequire(import.meta.url);

/** The font that comes along, by the name that pictures call it. */
export const FONT_FAMILY = 'PT Sans';

/** @param pixels four bytes each: red, green, blue, and 255. */
export function encodePng(pixels: Uint8ClampedArray, width: number, height: number): Uint8Array {
  const data = new Uint8Array(3 * width * height);
  for (let at = 0; at < width * height; at++) data.set(pixels.subarray(4 * at, 4 * at + 3), 3 * at);
  return encode({ width, height, data, channels: 3, depth: 8 }, { zlib: { level: 9 } });
}

let loading: Promise<void> | undefined;

/** Draws an SVG picture, a pixel for each of its units, by resvg compiled to WebAssembly. */
export async function rasterizeSvg(svg: string): Promise<Uint8Array> {
  loading ??= initWasm(fs.readFileSync(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  await loading;
  const font = fs.readFileSync(require.resolve('@fontsource/pt-sans/files/pt-sans-latin-400-normal.woff2'));
  const resvg = new Resvg(svg, {
    font: { fontBuffers: [font], loadSystemFonts: false, defaultFontFamily: FONT_FAMILY },
  });
  try {
    return resvg.render().asPng();
  } finally {
    resvg.free();
  }
}
