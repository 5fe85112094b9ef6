import os from 'node:os';
import path from 'node:path';
import { LocalStagedFile } from '../staged-file.js';
import { findWriters } from '../staging.js';
import type { FileVersion, StagedFile, StagingOptions, StoredIdentity, Writer } from '../storage.js';
import type { S3Place } from './path.js';
import { localName, upload } from './uploads.js';

/** An object on its way: written to a file of this machine, uploaded when it is whole. */
export class S3StagedFile implements StagedFile {
  readonly #place: S3Place;
  readonly #name: string;
  readonly #runId: string;
  readonly #file: LocalStagedFile;
  #identity: StoredIdentity | undefined;

  constructor(place: S3Place, options: StagingOptions) {
    this.#place = place;
    this.#name = localName(place, options);
    this.#runId = options.runId;
    this.#file = new LocalStagedFile(localPath(place, options), { runId: options.runId });
  }

  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
  }

  restart(): void {
    this.#file.restart();
  }

  flush(): StoredIdentity {
    const { sizeBytes, sha256 } = this.#file.end();
    this.#identity = { sizeBytes, sha256 };
    return this.#identity;
  }

  async publish(note?: string): Promise<FileVersion> {
    if (!this.#identity) throw new Error(`${this.#place.key} is to be flushed before it is published`);
    const { sizeBytes, sha256 } = this.#identity;
    const content = { file: this.#file.stagedPath, name: this.#name, sizeBytes, sha256, runId: this.#runId, note };
    const etag = await upload(this.#place, content);
    this.#file.discard();
    return { sizeBytes, ...(etag !== undefined && { etag }) };
  }

  discard(): void {
    this.#file.discard();
  }
}

/** The other runs of this machine that have the object on its way. Of other machines nothing is known. */
export function findWritersHere(place: S3Place, options: StagingOptions): Writer[] {
  return findWriters(localPath(place, options), { runId: options.runId });
}

function localPath(place: S3Place, options: StagingOptions): string {
  return path.join(options.tempDir ?? os.tmpdir(), localName(place, options));
}
