// Writes docs/licences.md: what an installed bookgrid consists of, and under which licences, from the lock file. With
// --check it only says whether the page, the lock file and what is promised of both agree.
import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const PAGE = fileURLToPath(new URL('docs/licences.md', root));
const lock = JSON.parse(fs.readFileSync(new URL('package-lock.json', root), 'utf8'));

/** Installed by nobody, since it is compiled into the page of `view`. */
const BUNDLED = ['node_modules/uplot'];
/** All that may be passed on together with a program under the MIT licence, whatever that is used for. */
const ACCEPTED = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'MPL-2.0',
  'OFL-1.1',
];
/** What runs when it is installed, each with its reason in SECURITY.md. */
const RUNS_AT_INSTALLATION = ['node_modules/msgpackr-extract'];

/** What comes with bookgrid, optional parts included, by their paths in node_modules. */
export const parts = Object.entries(lock.packages).filter(
  ([path, { dev }]) => path !== '' && (!dev || BUNDLED.includes(path)),
);

/** What is not as it is promised. */
export function problems() {
  const wrong = [];
  for (const [path, { integrity, license, hasInstallScript }] of Object.entries(lock.packages)) {
    if (path === '') continue;
    if (!integrity) wrong.push(`${path} is locked without a hash of its content`);
    if (!parts.some(([part]) => part === path)) continue;
    if (!ACCEPTED.includes(license))
      wrong.push(`${path} has the licence ${license}, which is not among those accepted`);
    if (hasInstallScript && !RUNS_AT_INSTALLATION.includes(path))
      wrong.push(`${path} runs a script when it is installed`);
  }
  if (fs.readFileSync(PAGE, 'utf8') !== page())
    wrong.push('docs/licences.md is not of the lock file: npm run licences');
  return wrong;
}

function page() {
  const rows = parts.map(([path, { version, license, optional }]) => {
    const name = path.split('node_modules/').at(-1);
    const note = BUNDLED.includes(path) ? 'in the page of `view`' : optional ? 'optional' : '';
    return `| ${name} | ${version} | ${license} | ${note} |`;
  });
  return `# Licences

bookgrid is under the [MIT licence](../LICENSE). With it come these packages, as the lock file has them. \`@aws-sdk/client-s3\`, which
only \`s3://\` paths need, is installed by whoever uses it, and is under Apache-2.0.

| package | version | licence | |
|---|---|---|---|
${[...new Set(rows)].join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] !== '--check') fs.writeFileSync(PAGE, page());
  const wrong = problems();
  for (const line of wrong) process.stderr.write(`${line}\n`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
