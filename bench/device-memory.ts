/**
 * What each session of a model holds on a device, reckoned from the config by the code that decides what is loaded; nothing is run.
 *
 *     npx tsx bench/device-memory.ts [--write]
 *
 * With `--write` the table goes into docs/devices.md.
 */
import { parseArgs } from 'node:util';
import { deviceEstimate, heldBytes, planDevice, SESSIONS, type SessionName } from '../src/model/device-memory.js';
import { parseConfig } from '../src/model/families/families.js';
import { T5GEMMA2_SHAPES, t5gemma2Config } from '../src/scoring/published-config.js';
import { replaceSection, table } from './sections.js';

const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

/** Of the card that the research ran 4b-4b on, less what its driver keeps. */
const FREE = 23.5e9;
const TOKENS = 2048;

const sessions = Object.keys(SESSIONS) as SessionName[];
const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);

const rows = Object.entries(T5GEMMA2_SHAPES).flatMap(([size, shape]) =>
  (['float32', 'bfloat16'] as const).map((precision) => {
    const config = parseConfig(t5gemma2Config(shape), 'config.json');
    const held = (names: readonly SessionName[]) => gigabytes(heldBytes(config, precision, 'cuda', names));
    const use = { precision, device: 'cuda', tokens: TOKENS } as const;
    return [
      `${size}-${size} ${precision}`,
      ...sessions.map((name) => held([name])),
      held(['encoder', 'score']),
      ...planned(
        () => planDevice(config, use, FREE).batchTokens,
        (batchTokens) => gigabytes(deviceEstimate(config, { ...use, batchTokens })),
      ),
    ];
  }),
);

/** Rows of a batch and what all takes, where it fits. */
function planned(rowsOf: () => number, takes: (rows: number) => string): [string, string] {
  try {
    const batchTokens = rowsOf();
    return [batchTokens.toLocaleString('en'), takes(batchTokens)];
  } catch {
    return ['does not fit', ''];
  }
}

const head = ['GB', ...sessions, 'encoder and score', `rows of a batch in ${gigabytes(FREE)}`, 'all, with batches'];
const written = table(head, rows).join('\n');
console.log(written);
if (options.write) await replaceSection('devices.md', 'memory', written);
