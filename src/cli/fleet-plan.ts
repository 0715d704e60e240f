/** `dkv fleet plan`: cuts a corpus into chunks that any machine can prime. */
import { type Command, InvalidArgumentError } from 'commander';
import { DkvError } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import { fleetPlanSchema } from '../wire/fleet.js';
import { printJson } from './json.js';
import { addModelOptions, type ModelOptions, openModel, positiveInteger } from './model-options.js';
import { withFleet } from './open-fleet.js';
import { duration, manyOf, shownCount } from './quantities.js';
import { addTableOptions, type TableOptions, textForm } from './table-options.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';
import { addVariantOptions, type VariantOptions } from './variant-options.js';

interface PlanCommandOptions extends ModelOptions, TableOptions, VariantOptions {
  readonly input: readonly string[];
  readonly text: boolean;
  readonly prior?: string;
  readonly expires?: number;
  readonly chunkRows: number;
  readonly since?: true | string;
  readonly json: boolean;
}

export function addPlanOptions(command: Command): Command {
  addModelOptions(addTableOptions(command)).requiredOption(
    '--input <file...>',
    '.jsonl, .csv, .tsv (also with .gz behind it), .parquet, a BEIR corpus.jsonl; s3://bucket/key of JSON lines or Parquet; several are one corpus',
  );
  return addVariantOptions(command)
    .option('--no-text', "keep the documents' texts out of the records")
    .option('--prior <file>', "reference queries, one a line: keeps each document's mean NLL of them")
    .option('--expires <time>', 'when documents expire, such as 2027-03-01T00:00Z or, counted from now, 30d', expiry)
    .option('--chunk-rows <n>', 'rows of a chunk that are aimed at', positiveInteger, 1000)
    .option('--since [generation]', 'plan only what differs from this generation (without a name: live)')
    .action(planFleet);
}

function expiry(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(?:T.+)?$/.test(text) ? Date.parse(text) : Date.now() + duration(text);
  if (Number.isFinite(time)) return Math.floor(time);
  throw new InvalidArgumentError('Expected a time such as 2027-03-01T00:00Z, or one from now, such as 30d.');
}

async function planFleet(place: string, options: PlanCommandOptions): Promise<void> {
  const { parseColumns } = await import('../datasets/mapped.js');
  const { readReferenceTexts } = await import('../datasets/queries.js');
  const { makePlan } = await import('../fleet/make-plan.js');
  const { specificationsIn, variantsOf } = await import('../serving/variants.js');
  const surrogates = specificationsIn(options.surrogate ?? []);
  const variants = variantsOf(surrogates, options.bare).map(({ name }) => name);
  if (options.input.includes('-')) {
    throw new DkvError('INPUT_INVALID', '--input -: a plan reads files, which can be read again. Write it to one.');
  }
  const signal = interruptSignal();
  const priorQueries =
    options.prior === undefined ? undefined : await readReferenceTexts(options.prior, `--prior ${options.prior}`);
  await withFleet(
    place,
    async ({ files }) => {
      const parent = options.since === undefined ? undefined : await generationNamed(place, options.since);
      const model = await openModel(options, signal);
      const progress = new Progress('reading', 'rows');
      try {
        const { id, plan } = await makePlan(files, model, {
          inputs: options.input,
          open: { columns: parseColumns(options.columns), ...textForm(options), signal, onNotice: sayNotice },
          reference: options.model,
          precision: options.precision,
          how: {
            visibility: options.visibility,
            statesPrecision: options.states,
            maxTokens: options.maxLength,
          },
          surrogates,
          bare: options.bare,
          keepText: options.text,
          priorQueries,
          expiresAt: options.expires,
          chunkRows: options.chunkRows,
          parent,
          onRows: (rows) => progress.count(rows),
        }).finally(() => progress.end());
        const rows = plan.chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
        const removed = plan.chunks.reduce((sum, chunk) => sum + chunk.removed, 0);
        const { documents: unchanged } = plan.unchanged;
        if (options.json) {
          return printJson(fleetPlanSchema, {
            catalogue: files.location,
            plan: id,
            parent: plan.parent,
            rows,
            removed,
            unchanged,
            chunks: plan.chunks.length,
            model: plan.primed.model,
            fingerprint: plan.primed.fingerprint,
            variants,
            expires: plan.expiresAt === null ? null : new Date(plan.expiresAt).toISOString(),
          });
        }
        const delta =
          plan.parent === null
            ? ''
            : `; ${shownCount(unchanged)} as in ${plan.parent}, ${shownCount(removed)} to be taken out`;
        process.stdout.write(
          `Plan ${id}: ${manyOf(rows, 'row')} as ${variants.join(', ')} in ${manyOf(plan.chunks.length, 'chunk')}${delta}.\n`,
        );
        if (plan.chunks.length === 0) process.stdout.write('Nothing differs: there is nothing to do.\n');
        else {
          const shown = shellWord(place);
          process.stdout.write(
            `Go on with: dkv fleet status ${shown} --plan ${id} --missing | xargs -P 4 -n 8 dkv fleet work ${shown} --plan ${id} --chunk, then dkv fleet finish ${shown} --plan ${id} --activate\n`,
          );
        }
      } finally {
        await model.close();
      }
    },
    { create: true },
  );
}

async function generationNamed(place: string, since: true | string) {
  const { openCatalogue } = await import('../store/generations/catalogue-store.js');
  const catalogue = await openCatalogue(place);
  try {
    return await catalogue.find(since === true ? 'live' : since);
  } finally {
    await catalogue.close();
  }
}
