/**
 * Measures every fixture against the reference and writes docs/parity.md.
 *
 *   npx tsx tools/reference/parity.ts [FOLDER_OF_A_FULL_SIZE_FIXTURE]...
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { defaultCacheDirectory } from '../../src/model/compiled.js';
import { FAMILY_FIXTURES } from '../../test/support/fixtures.js';
import { compareWithReference, type Quantity, TOLERANCES } from '../../test/support/reference.js';

const fullSizes = process.argv.slice(2);
const root = path.resolve(import.meta.dirname, '../..');
const quantities = Object.keys(TOLERANCES) as Quantity[];
/** What holds at every precision, as it does not depend on the reference, nor on the last bits of sums. */
const ALWAYS: Quantity = 'batched = single';

async function row(
  directory: string,
  cacheDirectory: string,
  precision: 'float32' | 'int8' = 'float32',
): Promise<string> {
  const name = `${path.basename(directory)}${precision === 'int8' ? ', int8' : ''}`;
  const { about, reference_padded_difference, cases } = JSON.parse(
    await readFile(path.join(directory, 'cases.json'), 'utf8'),
  );
  const started = performance.now();
  const differences = await compareWithReference(directory, cacheDirectory, { precision });
  const cells = quantities.map((quantity) => {
    const found = differences.filter((difference) => difference.quantity === quantity);
    if (found.length === 0) return '–';
    const largest = Math.max(...found.map(({ difference }) => difference));
    const text = largest === 0 ? '0' : largest.toExponential(1);
    const isHeld = precision === 'float32' || quantity === ALWAYS;
    return largest <= TOLERANCES[quantity] || !isHeld ? text : `**${text}**`;
  });
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return `| ${name} | ${about} | ${cases.length} | ${cells.join(' | ')} | ${reference_padded_difference.toExponential(1)} |`;
}

const cache = await mkdtemp(path.join(os.tmpdir(), 'dkv-parity-'));
const header = `| fixture | what it has | cases | ${quantities.join(' | ')} | the reference's own padding |
| --- | --- | ---: |${quantities.map(() => ' ---: |').join('')} ---: |`;
const tables: string[] = [];
for (const [model, folder] of Object.entries(FAMILY_FIXTURES)) {
  const rows: string[] = [];
  for (const name of readdirSync(folder)) rows.push(await row(path.join(folder, name), cache));
  tables.push(`Class \`${model}\`:\n\n${header}\n${rows.join('\n')}`);
}
await rm(cache, { recursive: true });
const large: string[] = [];
for (const folder of fullSizes) {
  for (const precision of ['float32', 'int8'] as const)
    large.push(await row(folder, defaultCacheDirectory(), precision));
}

const file = path.join(root, 'docs/parity.md');
const marker = '<!-- full size -->';
const byHand = '<!-- written by hand from here on -->';
const [measured = '', written = ''] = readFileSync(file, { encoding: 'utf8', flag: 'a+' }).split(byHand);
/** Rows of fixtures that were not measured now. */
const kept = (measured.split(marker)[1] ?? '')
  .trim()
  .split('\n')
  .filter(
    (line) =>
      line.startsWith('| full-size') &&
      !fullSizes.some((folder) => new RegExp(`^\\| ${path.basename(folder)}(, int8)? \\|`).test(line)),
  );
const pins = readFileSync(path.join(import.meta.dirname, 'requirements.txt'), 'utf8');
const version = (name: string) => new RegExp(`^${name}==(.*)$`, 'm').exec(pins)?.[1];
const runtime = JSON.parse(readFileSync(path.join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8')).version;

await writeFile(
  file,
  `# Parity with the reference

Largest difference per fixture between this implementation (float32, ONNX Runtime ${runtime}, CPU) and transformers
${version('transformers')} with torch ${version('torch')}: eager attention, float32, a table for each family of models. Written by
\`tools/reference/parity.ts\`; the tests assert the same numbers against the tolerances.

| quantity | tolerance | how it is measured |
| --- | ---: | --- |
| states, attention | 1e-4 | largest absolute difference of encoder output and of every attention probability |
| hidden | 1e-4 | of every encoder layer's output before the final norm, relative to the root mean square of the token's row |
| nll | 1e-4 | of every target token, in nats |
| log-probabilities | 1e-4 | of up to 300 words spread over the vocabulary, after the prompt; of a fifth of them at ten inverse temperatures, too |
| greedy tokens | 0 | number of different tokens |
| batched = single | 1e-5 | all cases in one request against each alone, relative to max(1, x) |
| dropped = masked | 1e-5 | NLLs with hidden rows left out against the same rows masked, relative to max(1, x) |

The last column is how far the reference's own padded batch is from its single inputs: the noise of the comparison.

${tables.join('\n\n')}

## Full size

A random bfloat16 checkpoint of google/t5gemma-2-270m-270m's shape (vocabulary 262,144) and a float32 one of google/flan-t5-base's, made and measured by hand.
With int8 a model is held only to *batched = single*. How far it is from the reference depends on its weights. The random weights here are strong, so that errors grow; they say nothing about a
trained model, whose drift is measured while it is compiled. With int8, too, the content of masked rows makes no difference: when it is exchanged, all NLLs stay as they are, bit for bit. The presence of masked rows
changes the last bits of sums, and through them some numbers that are rounded to 8 bits.

\`\`\`sh
pip install -r tools/reference/requirements.txt
python tools/reference/make_fixtures.py /tmp/fixtures full-size
python tools/reference/make_t5_fixtures.py /tmp/fixtures full-size-t5
npx tsx tools/reference/parity.ts /tmp/fixtures/full-size /tmp/fixtures/full-size-t5
\`\`\`

${marker}

${header}
${[...kept, ...large].join('\n')}

${byHand}${written}`,
);
console.error(`wrote ${path.relative(process.cwd(), file)}`);
