/**
 * Colours of quantities. Each ramp is laid out in OKLCH (https://bottosson.github.io/posts/oklab/), whose lightness is
 * perceived lightness, and goes from that of the background evenly to the other end: twice as far up a ramp looks twice
 * as strong. So a picture also reads in grey, and by people who see few hues.
 */

export type Theme = 'dark' | 'light';

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Where a ramp begins and ends: hue in degrees, chroma in the middle. The hue turns as little as that. */
interface Ramp {
  fromHue: number;
  toHue: number;
  chroma: number;
}

interface PaletteEntry {
  /** Colours of bids and asks; of one ramp, only lines and places tell them apart. */
  label: string;
  bids: Ramp;
  asks: Ramp;
}

const EMBER: Ramp = { fromHue: 300, toHue: 450, chroma: 0.17 };
const OCEAN: Ramp = { fromHue: 285, toHue: 105, chroma: 0.13 };
const GREY: Ramp = { fromHue: 0, toHue: 0, chroma: 0 };

export const PALETTES = {
  'blue-orange': {
    label: 'Blue, orange',
    bids: { fromHue: 268, toHue: 205, chroma: 0.16 },
    asks: { fromHue: 35, toHue: 92, chroma: 0.16 },
  },
  'green-red': {
    label: 'Green, red',
    bids: { fromHue: 165, toHue: 130, chroma: 0.17 },
    asks: { fromHue: 12, toHue: 55, chroma: 0.18 },
  },
  'teal-magenta': {
    label: 'Teal, magenta',
    bids: { fromHue: 220, toHue: 175, chroma: 0.13 },
    asks: { fromHue: 330, toHue: 350, chroma: 0.2 },
  },
  ember: { label: 'One ramp: ember', bids: EMBER, asks: EMBER },
  ocean: { label: 'One ramp: ocean', bids: OCEAN, asks: OCEAN },
  grey: { label: 'One ramp: grey', bids: GREY, asks: GREY },
} satisfies Record<string, PaletteEntry>;

export type PaletteName = keyof typeof PALETTES;

export const PALETTE_NAMES = Object.keys(PALETTES) as PaletteName[];

/** What is behind the picture, and where there are no rows. */
export const BACKGROUND: Record<Theme, Rgb> = { dark: [13, 16, 23], light: [255, 255, 255] };
export const NO_ROWS: Record<Theme, Rgb> = { dark: [38, 42, 51], light: [226, 229, 234] };

/** Of the lines over the picture: readable on every ramp, with an edge in the background's colour. */
export const LINES: Record<Theme, { bid: Rgb; ask: Rgb; mid: Rgb }> = {
  dark: { bid: [120, 200, 255], ask: [255, 190, 110], mid: [255, 255, 255] },
  light: { bid: [0, 84, 166], ask: [178, 74, 0], mid: [20, 20, 24] },
};

/** Lightness of the smallest and the largest quantity. */
const LIGHTNESS: Record<Theme, readonly [number, number]> = { dark: [0.26, 0.96], light: [0.93, 0.28] };

/** Entries of a ramp: 0 is the background, 1 to 255 are quantities. */
export const RAMP_ENTRIES = 256;

/** The entry of a quantity's fraction of the scale: 1 to 255, so that the smallest is seen. */
export function rampEntry(fraction: number): number {
  return 1 + Math.min(RAMP_ENTRIES - 2, Math.floor(fraction * (RAMP_ENTRIES - 1)));
}

/** The bids' ramp and then the asks', {@link RAMP_ENTRIES} entries each, of four bytes: red, green, blue, 255. */
export function paletteTable(name: PaletteName, theme: Theme): Uint8Array {
  const { bids, asks } = PALETTES[name];
  const table = new Uint8Array(2 * RAMP_ENTRIES * 4);
  [bids, asks].forEach((ramp, side) => {
    for (let entry = 0; entry < RAMP_ENTRIES; entry++) {
      const color = entry === 0 ? BACKGROUND[theme] : rampColor(ramp, theme, (entry - 1) / (RAMP_ENTRIES - 2));
      table.set([...color, 255], (side * RAMP_ENTRIES + entry) * 4);
    }
  });
  return table;
}

function rampColor({ fromHue, toHue, chroma }: Ramp, theme: Theme, part: number): Rgb {
  const [least, most] = LIGHTNESS[theme];
  const lightness = least + (most - least) * part;
  const hue = fromHue + (toHue - fromHue) * part;
  // Both ends of every ramp are near black or white, which have no chroma.
  const bow = 0.35 + 0.65 * Math.sin(Math.PI * Math.min(1, 0.12 + 0.8 * part));
  return toRgb(lightness, chroma * bow, (hue * Math.PI) / 180);
}

/** OKLCH to sRGB, with as much of the chroma as a screen can show. */
function toRgb(lightness: number, chroma: number, hue: number): Rgb {
  let low = 0;
  let high = chroma;
  if (isShown(toLinear(lightness, chroma, hue))) low = chroma;
  else {
    for (let step = 0; step < 20; step++) {
      const middle = (low + high) / 2;
      if (isShown(toLinear(lightness, middle, hue))) low = middle;
      else high = middle;
    }
  }
  const [red, green, blue] = toLinear(lightness, low, hue);
  return [toByte(red), toByte(green), toByte(blue)];
}

/** Ottosson's matrices of OKLab to linear sRGB. */
function toLinear(lightness: number, chroma: number, hue: number): [number, number, number] {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

function isShown(linear: readonly number[]): boolean {
  return linear.every((value) => value >= -1e-4 && value <= 1 + 1e-4);
}

function toByte(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}

/** `rgb(1 2 3)`. */
export function cssColor([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}
