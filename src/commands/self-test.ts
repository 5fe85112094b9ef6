import type { ConvertOptions } from '../options.js';
import type { Surroundings } from './convert.js';
export async function selfTest(_o: ConvertOptions, _s: Surroundings): Promise<boolean> {
  return false;
}
