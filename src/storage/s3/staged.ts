import os from 'node:os';
import path from 'node:path';
import { LocalStagedFile } from '../staged-file.js';
import type { FileVersion, StagedFile, StagingOptions, StoredIdentity } from '../storage.js';
import type { S3Place } from './path.js';
import { localName, upload } from './uploads.js';

/** An object on its way: written to a file of this machine, uploaded when it is whole. */
export class S3StagedFile implements StagedFile {
  readonly #place: S3Place;
  readonly #runId: string;
  readonly #file: LocalStagedFile;
  #identity: StoredIdentity | undefined;

  constructor(place: S3Place, { runId, tempDir = os.tmpdir() }: StagingOptions) {
    this.#place = place;
    this.#runId = runId;
    this.#file = new LocalStagedFile(path.join(tempDir, localName(place)), { runId });
  }

  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
  }

  flush(): StoredIdentity {
    const { sizeBytes, sha256 } = this.#file.flush();
    this.#identity = { sizeBytes, sha256 };
    return this.#identity;
  }

  async publish(note?: string): Promise<FileVersion> {
    if (!this.#identity) throw new Error(`${this.#place.key} is to be flushed before it is published`);
    const { sizeBytes, sha256 } = this.#identity;
    const content = { file: this.#file.stagedPath, sizeBytes, sha256, runId: this.#runId, note };
    const etag = await upload(this.#place, content);
    this.#file.discard();
    return { sizeBytes, ...(etag !== undefined && { etag }) };
  }

  discard(): void {
    this.#file.discard();
  }
}
