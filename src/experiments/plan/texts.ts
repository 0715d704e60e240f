/** Does a dataset have the texts that an experiment needs? Known before a model is loaded. */
import { DkvError } from '../../base/errors.js';
import { surrogate } from '../../priming/surrogate.js';
import { columnsOf, type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';

/** @throws DkvError INPUT_INVALID when no sample has what is scored, or what the surrogates are made of */
export function expectTexts(experiment: Experiment, data: Dataset | PoolSet): void {
  const { id, target, unit } = experiment;
  const readsQuery = experiment.conditions.some(({ prompt = experiment.prompt }) => prompt === 'query');
  const texts: readonly { readonly query: string; readonly answer?: string | undefined }[] =
    'samples' in data ? data.samples : data.pools;
  if (texts.length === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `${data.name} gives nothing to score. Taken were ${data.selection}. Name the columns with --columns ROLE=COLUMN, or take other data.`,
    );
  }
  const empty = columnsOf(experiment).find((column) => !hasColumn(data, column));
  if (empty !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${data.name} has nothing in the column ${JSON.stringify(empty)} of what was taken, and ${id} has a surrogate made of it, column:${empty}. Name another column, or take other data.`,
    );
  }
  const fromQuery = specificationsOf(experiment).find((specification) => surrogate(specification).needsQuery);
  const needed = [
    ...(target === 'answer' && unit !== 'probe' ? [['answer', 'scores answers'] as const] : []),
    ...(target === 'query' ? [['query', 'scores queries'] as const] : []),
    ...(readsQuery ? [['query', 'puts queries before the answers'] as const] : []),
    ...(fromQuery === undefined
      ? []
      : [['query', `has the surrogate ${fromQuery}, which is made of the query`] as const]),
  ];
  for (const [role, why] of needed) {
    if (texts.some((each) => (each[role] ?? '').trim() !== '')) continue;
    throw new DkvError(
      'INPUT_INVALID',
      `${data.name} has no ${role === 'query' ? 'queries' : 'answers'}, and ${id} ${why}. Name the column with --columns ${role}=COLUMN, or take other data.`,
    );
  }
}

function hasColumn(data: Dataset | PoolSet, column: string): boolean {
  const owners = 'samples' in data ? data.samples : data.pools.flatMap(({ candidates }) => candidates);
  return owners.some(({ columns }) => columns?.[column] !== undefined);
}
