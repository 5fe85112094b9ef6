import { pauses } from '../base/pauses.js';
import { UsageError } from '../base/usage-error.js';
import { lookUpOutputs } from '../catalog/inventory.js';
import type { MarketChoice } from '../catalog/market.js';
import { RECORDS_FILE } from '../catalog/records.js';
import { type Finding, verifyOutputs } from '../catalog/verify.js';
import { clean } from '../console/clean-text.js';
import { parseFolder } from '../console/option-values.js';
import { addS3Options, checkDays, newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { hasRoom, lineWriter, type Surroundings } from '../console/surroundings.js';
import { writeAlone } from '../storage/open-storage.js';
import { pathWithin } from '../storage/paths.js';

/** The command line of `bookgrid verify`, read and checked. */
export interface VerifyOptions {
  outputDir: string;
  market?: MarketChoice[];
  symbols?: string[];
  from?: string;
  to?: string;
  checksums?: string;
  json?: true;
}

const EXPLANATION = `
Reads every output and compares its size and SHA-256 with ${RECORDS_FILE}. Named are those that are
  DAMAGED  not what was written: remove them, and convert makes them again
  MISSING  recorded, and not there: convert makes them again
  FOREIGN  there, and not recorded: made by something else, or their records are lost
  UNREAD   not to be read now: disk, network or permission is at fault, so verify again when that is mended
Outputs of version 0.1 have no SHA-256 in their record: their size alone is compared, and they are counted.

Examples:
  bookgrid verify --output-dir snapshots
  bookgrid verify --output-dir snapshots --checksums snapshots/SHA256SUMS
      then, wherever the folder is copied to: cd snapshots && sha256sum -c SHA256SUMS

Exit status: 0 all is what was written, 1 something is not, 2 wrong usage or nothing to verify.`;

/** The command line of `bookgrid verify` as commander knows it. */
export function buildVerifyCommand() {
  const command = newCommand('bookgrid verify')
    .usage('[options]')
    .description('Checks that the outputs in a folder are what was written, and changes nothing.')
    .addOption(sharedOptions.outputDir('Folder that convert writes to.'))
    .addOption(sharedOptions.market())
    .addOption(sharedOptions.symbols())
    .addOption(sharedOptions.from())
    .addOption(sharedOptions.to())
    .option(
      '--checksums <file>',
      'Write the SHA-256 of all outputs that are whole, as sha256sum -c reads it.',
      parseFolder,
    )
    .addOption(sharedOptions.json())
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

/**
 * Reads the command line of `bookgrid verify`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseVerifyLine(argv: string[]): VerifyOptions {
  const options = parseOptions<VerifyOptions>(buildVerifyCommand(), argv);
  checkDays(options);
  return options;
}

type State = Finding['state'];

/**
 * Verifies outputs and tells what is not as it was written.
 *
 * @returns whether all is.
 * @throws {@link UsageError} when there is nothing to verify.
 */
export async function verify(options: VerifyOptions, { stdout, signal }: Surroundings): Promise<boolean> {
  const { outputDir, market: markets, symbols, from, to, checksums, json = false } = options;
  const write = lineWriter(stdout);
  const outputs = await lookUpOutputs(outputDir, { symbols });
  const folders = outputs.unseen.filter(({ output }) => output === undefined);
  if (folders.length > 0) throw new UsageError(folders.map(({ problem }) => problem).join('\n'));
  const counts: Record<State, number> = { ok: 0, unsure: 0, damaged: 0, unread: 0, foreign: 0, missing: 0 };
  const sums: string[] = [];
  for await (const finding of verifyOutputs(outputs, {
    outputDir,
    markets,
    symbols,
    from,
    to,
    pause: pauses(signal),
  })) {
    counts[finding.state]++;
    if ('sha256' in finding) {
      sums.push(`${finding.sha256}  ${pathWithin(outputDir, finding.path)}`);
    }
    if (json) write(JSON.stringify({ event: 'output', ...finding }));
    else if (finding.state !== 'ok' && finding.state !== 'unsure') write(clean(describe(finding)));
    await hasRoom(stdout);
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total === 0) {
    throw new UsageError(
      `No output found below ${outputDir}. Say where they are with --output-dir or BOOKGRID_OUTPUT_DIR.`,
    );
  }
  if (checksums !== undefined) await writeAlone(checksums, Buffer.from(sums.map((line) => `${line}\n`).join('')));
  const isWell = counts.damaged + counts.unread + counts.foreign + counts.missing === 0;
  if (json) write(JSON.stringify({ event: 'verified', isWell, total, ...counts }));
  else for (const line of summarize(counts, isWell)) write(line);
  return isWell;
}

function describe(finding: Finding): string {
  const problem = 'problem' in finding ? `: ${finding.problem}` : '';
  return `${finding.state.toUpperCase().padEnd(8)} ${finding.path}${problem}`;
}

function summarize(counts: Record<State, number>, isWell: boolean): string[] {
  const { ok, unsure, damaged, unread, foreign, missing } = counts;
  return [
    `Outputs as they were written: ${ok}`,
    ...(unsure > 0 ? [`Of the recorded size, without a recorded SHA-256 (version 0.1): ${unsure}`] : []),
    `Damaged: ${damaged}`,
    ...(unread > 0 ? [`Not to be read now, so nothing is known of them: ${unread}`] : []),
    `Missing: ${missing}`,
    `Foreign: ${foreign}`,
    isWell
      ? `All is as it was written${unsure > 0 ? ', as far as records tell' : ''}.`
      : 'Not all is as it was written: see above.',
  ];
}
