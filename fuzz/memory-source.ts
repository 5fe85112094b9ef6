import type { ByteSource } from '../src/storage/storage.js';

/** A file that is only in memory. */
export function memorySource(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    version: { sizeBytes: bytes.length },
    read: async (buffer, position) => bytes.copy(buffer, 0, position),
    async close() {},
  };
}
