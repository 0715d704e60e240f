/** What `dkv init` writes: a study or a serving folder as files of text, and the commands to go on with. Asks nobody and touches no disk. */
import path from 'node:path';
import { stringify } from 'yaml';
import { shellWord } from '../base/shell-word.js';
import type { Columns, TextForm } from '../datasets/options.js';
import { isAddress } from '../datasets/table.js';
import { parseExperiment } from '../experiments/declaration/define.js';

/** What a folder is made of; paths are as seen from the working folder. */
interface Chosen {
  readonly folder: string;
  readonly data: string;
  readonly form: TextForm;
  readonly columns: Columns;
  /** A folder, a name on the hub, or undefined for the built-in model. */
  readonly model: string | undefined;
}

interface ChosenStudy extends Chosen {
  /** Specifications of the surrogates that are compared. */
  readonly compare: readonly string[];
}

interface ChosenServing extends Chosen {
  readonly store: string;
  /** Queries to begin with, each with the ids of the documents that it is known to fit. */
  readonly queries: readonly KnownQuery[];
  /** True where the queries come from the data, and not from the documents' first words. */
  readonly hasQueries: boolean;
}

export interface KnownQuery {
  readonly text: string;
  readonly documents: readonly string[];
}

export interface InitialFolder {
  /** The files' texts by their names in the folder. */
  readonly files: Readonly<Record<string, string>>;
  /** The commands to go on with, in their order. */
  readonly commands: readonly string[];
}

/** The samples that a new study asks for. With less data all are taken. */
const SAMPLES = 200;

/** @throws DkvError INPUT_INVALID for surrogates that an experiment cannot have */
export function studyFolder({ folder, data, form, columns, model, compare }: ChosenStudy): InitialFolder {
  const treatments = [...new Set(compare)].filter((specification) => specification !== 'oracle');
  const study = {
    id: 'own-data',
    title: 'Own data',
    question: `Does ${[...treatments, 'the real query'].join(' or ')} in front of a document help to answer?`,
    data: { dataset: isAddress(data) ? data : path.relative(folder, data), columns, ...form },
    ...(model !== undefined && { model: isPlace(model) ? path.relative(folder, model) : model }),
    protocol: { samples: SAMPLES },
    prompt: 'query',
    conditions: ['bare', 'oracle', ...treatments].map((name) => ({
      name,
      ...(name !== 'bare' && { surrogate: name }),
      visibility: 'exact',
    })),
    comparisons: ['oracle', ...treatments].map((treatment) => ({ treatment, baseline: 'bare', oracle: 'oracle' })),
    primary: { treatment: treatments[0] ?? 'oracle', baseline: 'bare' },
  };
  parseExperiment(study);
  const file = shellWord(path.join(folder, 'study.yaml'));
  const results = shellWord(path.join(folder, 'results'));
  const commands = [
    `npx dkv run ${file} --n 8 --out ${shellWord(path.join(folder, 'try'))}`,
    `npx dkv run ${file} --out ${results}`,
    `npx dkv report ${results} --format ipynb`,
  ];
  const head = `# What is asked, of which data and model: docs/experiment-plan.md describes all fields, docs/surrogates.md what can stand in front of a document.\n# Run it with: ${commands[1]}\n`;
  return { files: { 'study.yaml': `${head}${stringify(study, { lineWidth: 0 })}` }, commands };
}

/** A folder in which a document's own queries are the first judgements. */
export function servingFolder(chosen: ChosenServing): InitialFolder {
  const { folder, data, form, columns, model, store, queries, hasQueries } = chosen;
  const named = model === undefined ? '' : ` --model ${shellWord(model)}`;
  const inFolder = (name: string) => shellWord(path.join(folder, name));
  const { id, document, title } = columns;
  const roles = Object.entries({ id, document, title }).filter(([, column]) => column !== undefined);
  const { separator, quoting, header } = form;
  const options = Object.entries({ separator, quoting, header: header?.join(',') }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${shellWord(value)}`],
  );
  const mapping = roles.map(([role, column]) => shellWord(`${role}=${column}`)).join(' ');
  const asked = `--store ${shellWord(store)} --queries ${inFolder('queries.jsonl')}`;
  const commands = [
    `npx dkv prime ${[`--input ${shellWord(data)}`, `--columns ${mapping}`, ...options].join(' ')} --store ${shellWord(store)}${named}`,
    `npx dkv rank ${asked} --candidates bm25:100 --output ${inFolder('run.txt')}${named}`,
    `npx dkv evaluate ${asked} --qrels ${inFolder('qrels.tsv')}${named}`,
  ];
  const lines = queries.map(({ text }, at) => JSON.stringify({ _id: `q${at + 1}`, text }));
  const judged = queries.flatMap(({ documents }, at) => documents.map((own) => `q${at + 1}\t${own}\t1`));
  const origin = hasQueries
    ? 'The queries are those of the data. Each is judged to be relevant for the documents in whose rows it stands.'
    : 'The data have no queries, so each query here is the first words of a document, for which it is judged to be relevant. Such queries show that everything runs, and nothing about how well the model ranks. Replace them by real queries, and qrels.tsv by real judgements.';
  const readme = `# Serving from a store

Run these three commands in the folder where \`dkv init\` was run. They prime the documents, rank them for the queries, and tell whether ranking by the model is worth it.

\`\`\`sh
${commands.join('\n')}
\`\`\`

- \`queries.jsonl\` has one query a line, with \`_id\` and \`text\`.
- \`qrels.tsv\` says which documents are relevant for which query: query, document, grade.

${origin}
`;
  return {
    files: {
      'README.md': readme,
      'queries.jsonl': `${lines.join('\n')}\n`,
      'qrels.tsv': `${['query-id\tcorpus-id\tscore', ...judged].join('\n')}\n`,
    },
    commands,
  };
}

/** Tells a folder from a name on the hub: what is chosen is absolute where it is a place. */
function isPlace(model: string): boolean {
  return path.isAbsolute(model);
}
