/** The programs to compare with. What they need from npm is installed for the benchmark only, in bench/peers/. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PYTHON } from './measure.js';

const FOLDER = fileURLToPath(new URL('../../bench/peers', import.meta.url));

export function script(name: string): string {
  return path.join(FOLDER, name);
}

/** Installs the locked packages unless they are there. Returns why that failed, if it did. */
export function installPeers(log: (line: string) => void): string | undefined {
  const modified = (file: string) => fs.statSync(script(file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return undefined;
  log('installing tardis-dev and echarts for the benchmark');
  const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const { status, stderr } = spawnSync('npm', args, { cwd: FOLDER, encoding: 'utf8', timeout: 300_000 });
  return status === 0 ? undefined : `npm ci in bench/peers failed: ${stderr.trim()}`;
}

/** What a reader needs to know to repeat the comparison. */
export function versions(): string {
  const python = execFileSync(PYTHON, ['--version'], { encoding: 'utf8' }).trim();
  const unzip = execFileSync('unzip', ['-v'], { encoding: 'utf8' }).split(' of ')[0];
  return `${python}, ${unzip}, tardis-dev ${packageVersion('tardis-dev') ?? 'not installed'}`;
}

function packageVersion(name: string): string | undefined {
  const file = script(`node_modules/${name}/package.json`);
  if (!fs.existsSync(file)) return undefined;
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version;
}
