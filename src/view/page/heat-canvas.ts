/**
 * Puts cells on the screen. Two ways, which give the same colours: the graphics unit looks each pixel's cell up in a texture
 * of quantities, and the colour of that in a texture of the palette, so that moving and recolouring move no data; or the
 * worker paints pixels, and these are moved until it has painted new ones.
 */
import type { Coloring, HeatGrid, HeatView } from '../heatmap.js';
import { NO_ROW } from '../heatmap.js';
import { BACKGROUND, cssColor, NO_ROWS, RAMP_ENTRIES, type Theme } from '../palettes.js';
import { LOG_BEND } from '../scales.js';

export interface HeatCanvas {
  readonly kind: 'WebGL2' | 'worker';
  resize(widthPx: number, heightPx: number): void;
  draw(view: HeatView, coloring: Coloring): void;
}

/** Cells that are looked at for a pixel along each axis, at most: while it is zoomed out and new ones are on the way. */
const MAX_FOOTPRINT = 8;

const VERTEX_SHADER = `#version 300 es
void main() {
  // One triangle that covers all.
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

const FRAGMENT_SHADER = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D detail;
uniform sampler2D overview;
uniform sampler2D palette;
uniform float heightPx;
/** From pixels to cells: columns a pixel, first column, bins a pixel, first bin. */
uniform vec4 detailCells;
uniform vec4 overviewCells;
uniform float clip;
uniform bool isLog;
uniform vec3 noRows;
out vec4 color;

/** The largest cell of a pixel: NO_ROW where there is no row, and minus that beyond all cells. */
float look(sampler2D cells, vec4 place, vec2 pixel) {
  vec2 middle = pixel * place.xz + place.yw;
  ivec2 size = textureSize(cells, 0).yx; // a column lies along x
  if (middle.x < 0.0 || middle.y < 0.0 || middle.x >= float(size.x) || middle.y >= float(size.y)) return -${NO_ROW.toExponential()};
  ivec2 first = ivec2(middle);
  ivec2 count = clamp(ivec2(ceil(place.xz - 0.001)), ivec2(1), ivec2(${MAX_FOOTPRINT}));
  if (count == ivec2(1)) return texelFetch(cells, first.yx, 0).r;
  ivec2 begin = max(ivec2(middle - 0.5 * place.xz), ivec2(0));
  ivec2 end = min(begin + count, size);
  float most = 0.0;
  bool hasRow = false;
  for (int x = begin.x; x < end.x; x++) {
    for (int y = begin.y; y < end.y; y++) {
      float cell = texelFetch(cells, ivec2(y, x), 0).r;
      if (cell > 1e38) continue;
      hasRow = true;
      if (abs(cell) > abs(most)) most = cell;
    }
  }
  return hasRow ? most : ${NO_ROW.toExponential()};
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, heightPx - gl_FragCoord.y);
  float cell = look(detail, detailCells, pixel);
  if (cell < -1e38) cell = look(overview, overviewCells, pixel);
  if (abs(cell) > 1e38) {
    color = vec4(noRows, 1.0);
    return;
  }
  float part = min(abs(cell) / clip, 1.0);
  float fraction = isLog ? log(1.0 + ${LOG_BEND}.0 * part) / ${Math.log1p(LOG_BEND)} : part;
  int entry = cell == 0.0 ? 0 : 1 + min(${RAMP_ENTRIES - 2}, int(floor(fraction * ${RAMP_ENTRIES - 1}.0)));
  color = texelFetch(palette, ivec2(entry, cell < 0.0 ? 1 : 0), 0);
}`;

type Layer = 'detail' | 'overview';
const LAYERS: readonly Layer[] = ['detail', 'overview'];
const PALETTE_UNIT = 2;

export class GlHeatCanvas implements HeatCanvas {
  readonly kind = 'WebGL2';
  /** Textures with more cells along an axis are not to be had. */
  readonly maxCells: number;
  readonly #gl: WebGL2RenderingContext;
  readonly #canvas: HTMLCanvasElement;
  readonly #uniforms: Record<string, WebGLUniformLocation | null>;
  readonly #textures: Record<Layer, WebGLTexture>;
  readonly #grids: Partial<Record<Layer, Omit<HeatGrid, 'cells'>>> = {};
  readonly #palette: WebGLTexture;
  #table: Uint8Array | undefined;

  /**
   * @param isTakenSlow also where the processor stands in for a graphics unit: the worker paints with less work.
   * @returns `undefined` where there is no WebGL2.
   */
  static create(canvas: HTMLCanvasElement, isTakenSlow: boolean): GlHeatCanvas | undefined {
    // Asked on a canvas of its own: one that has had WebGL can have nothing else.
    if (!isTakenSlow && isProcessorDrawing()) return undefined;
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false });
    return gl ? new GlHeatCanvas(canvas, gl) : undefined;
  }

  private constructor(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext) {
    this.#canvas = canvas;
    this.#gl = gl;
    this.maxCells = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    const program = link(gl);
    gl.useProgram(program);
    const names = [
      'detail',
      'overview',
      'palette',
      'heightPx',
      'detailCells',
      'overviewCells',
      'clip',
      'isLog',
      'noRows',
    ];
    this.#uniforms = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
    this.#textures = { detail: this.#newTexture(0), overview: this.#newTexture(1) };
    this.#palette = this.#newTexture(PALETTE_UNIT);
    LAYERS.forEach((layer, unit) => {
      gl.uniform1i(this.#uniforms[layer] ?? null, unit);
    });
    gl.uniform1i(this.#uniforms['palette'] ?? null, PALETTE_UNIT);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.bindVertexArray(gl.createVertexArray());
    this.clear();
  }

  #newTexture(unit: number): WebGLTexture {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, gl.NEAREST],
      [gl.TEXTURE_MAG_FILTER, gl.NEAREST],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
      [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ] as const) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    return texture;
  }

  /** Forgets all cells. */
  clear(): void {
    for (const layer of LAYERS) {
      this.setGrid(layer, {
        ...{ fromMs: 0, toMs: 1, lowPrice: 0, highPrice: 1 },
        ...{ columns: 1, bins: 1, cells: Float32Array.of(NO_ROW) },
      });
    }
  }

  setGrid(layer: Layer, { cells, ...grid }: HeatGrid): void {
    const gl = this.#gl;
    const known = this.#grids[layer];
    gl.activeTexture(gl.TEXTURE0 + LAYERS.indexOf(layer));
    gl.bindTexture(gl.TEXTURE_2D, this.#textures[layer]);
    if (known?.columns === grid.columns && known.bins === grid.bins) {
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, grid.bins, grid.columns, gl.RED, gl.FLOAT, cells);
    } else {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, grid.bins, grid.columns, 0, gl.RED, gl.FLOAT, cells);
    }
    this.#grids[layer] = grid;
  }

  resize(widthPx: number, heightPx: number): void {
    this.#canvas.width = widthPx;
    this.#canvas.height = heightPx;
  }

  draw(view: HeatView, { table, theme, scale }: Coloring): void {
    const gl = this.#gl;
    const { width, height } = this.#canvas;
    if (table !== this.#table) {
      gl.activeTexture(gl.TEXTURE0 + PALETTE_UNIT);
      gl.bindTexture(gl.TEXTURE_2D, this.#palette);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, RAMP_ENTRIES, 2, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
      this.#table = table;
    }
    gl.viewport(0, 0, width, height);
    gl.uniform1f(this.#uniforms['heightPx'] ?? null, height);
    gl.uniform1f(this.#uniforms['clip'] ?? null, scale.clip);
    gl.uniform1i(this.#uniforms['isLog'] ?? null, scale.kind === 'log' ? 1 : 0);
    const [red, green, blue] = NO_ROWS[theme];
    gl.uniform3f(this.#uniforms['noRows'] ?? null, red / 255, green / 255, blue / 255);
    for (const layer of LAYERS) {
      const grid = this.#grids[layer];
      if (!grid) continue;
      // In doubles: times since 1970 have more digits than the graphics unit's floats.
      const columnsOfMs = grid.columns / (grid.toMs - grid.fromMs);
      const binsOfPrice = grid.bins / (grid.highPrice - grid.lowPrice);
      gl.uniform4f(
        this.#uniforms[`${layer}Cells`] ?? null,
        ((view.toMs - view.fromMs) / width) * columnsOfMs,
        (view.fromMs - grid.fromMs) * columnsOfMs,
        ((view.highPrice - view.lowPrice) / height) * binsOfPrice,
        (grid.highPrice - view.highPrice) * binsOfPrice,
      );
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}

/** Whether a program stands in for the graphics unit. Browsers do not always tell by themselves. */
function isProcessorDrawing(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  const names = gl?.getExtension('WEBGL_debug_renderer_info');
  const renderer = gl && names ? String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) : '';
  gl?.getExtension('WEBGL_lose_context')?.loseContext();
  return !gl || /swiftshader|llvmpipe|softpipe|software/i.test(renderer);
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX_SHADER],
    [gl.FRAGMENT_SHADER, FRAGMENT_SHADER],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error('the graphics unit has no shaders');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? 'shader');
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? 'program');
  return program;
}

/** Shows what the worker has painted, moved to where it belongs now. */
export class PaintedHeatCanvas implements HeatCanvas {
  readonly kind = 'worker';
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #painted = document.createElement('canvas');
  #paintedView: HeatView | undefined;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('this browser draws no canvas');
    this.#canvas = canvas;
    this.#context = context;
  }

  clear(): void {
    this.#paintedView = undefined;
  }

  setPixels(pixels: Uint8ClampedArray<ArrayBuffer>, view: HeatView, widthPx: number, heightPx: number): void {
    this.#painted.width = widthPx;
    this.#painted.height = heightPx;
    this.#painted.getContext('2d')?.putImageData(new ImageData(pixels, widthPx, heightPx), 0, 0);
    this.#paintedView = view;
  }

  resize(widthPx: number, heightPx: number): void {
    this.#canvas.width = widthPx;
    this.#canvas.height = heightPx;
  }

  draw(view: HeatView, { theme }: { theme: Theme }): void {
    const { width, height } = this.#canvas;
    const context = this.#context;
    const painted = this.#paintedView;
    context.fillStyle = cssColor(painted ? NO_ROWS[theme] : BACKGROUND[theme]);
    context.fillRect(0, 0, width, height);
    if (!painted) return;
    const pxOfMs = width / (view.toMs - view.fromMs);
    const pxOfPrice = height / (view.highPrice - view.lowPrice);
    context.imageSmoothingEnabled = false;
    context.drawImage(
      this.#painted,
      (painted.fromMs - view.fromMs) * pxOfMs,
      (view.highPrice - painted.highPrice) * pxOfPrice,
      (painted.toMs - painted.fromMs) * pxOfMs,
      (painted.highPrice - painted.lowPrice) * pxOfPrice,
    );
  }
}
