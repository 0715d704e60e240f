/** Where a run's numbers come from: model, data, versions, machine. */
import { describeRows } from '../../runs/left-out.js';
import type { Imported } from '../../runs/schema/configuration.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { RunRecord, StudyRecord } from '../../runs/schema/record.js';
import { describeDrift } from '../../scoring/drift.js';
import type { Table } from './table.js';

export function origin(record: RunRecord): Table {
  const { configuration, study, started_at, versions, git_revision, machine } = record;
  const { experiment, model, dataset, imported } = configuration;
  const rows = [
    ...(imported ? importRows(imported) : []),
    ...(study ? studyRows(study) : []),
    ['model', `${model.name}${model.built_in ? ' (built-in)' : ''}, ${model.precision}`],
    ...(model.drift ? [[`drift of ${model.precision}`, describeDrift(model.drift)]] : []),
    ['model fingerprint', model.fingerprint],
    ['dataset', `${dataset.name} ${dataset.revision}`],
    ...(dataset.left_out ? [['rows of the dataset', describeRows(dataset.left_out)]] : []),
    ['dataset licence', dataset.licence],
    ['dataset digest', dataset.digest],
    ...(configuration.writer ? [['surrogates written by', configuration.writer]] : []),
    ...(experiment.unit === 'probe' ? [] : [['decoder reads before the target', promptOf(experiment)]]),
    ['samples, seed', `${configuration.samples}, ${configuration.seed}`],
    ...(record.samples_crc32 === undefined ? [['samples as they are shown', UNBOUND_SAMPLES]] : []),
    ['device', configuration.device],
    ...(configuration.control_tokens ? [['control tokens in texts', configuration.control_tokens]] : []),
    ['maximum length', `${configuration.max_tokens} tokens`],
    ['batch', `${configuration.batch_tokens} tokens`],
    [imported ? 'imported' : 'started', started_at],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['git revision', git_revision ?? 'none'],
    [
      imported ? 'imported on' : 'machine',
      `${machine.platform}, ${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB`,
    ],
  ];
  return {
    columns: [
      { title: 'what', numeric: false },
      { title: 'value', numeric: false },
    ],
    rows,
  };
}

/** Said of the samples of a run whose record is older than their checksum. */
export const UNBOUND_SAMPLES =
  'The run is older than the checksum by which a run knows its samples: those in its folder cannot be held against anything but the ids of its trials.';

function studyRows({ file, digest, overruled }: StudyRecord): string[][] {
  return [
    ['experiment’s file', file],
    ['SHA-256 of that file', digest],
    ...(overruled.length > 0 ? [['taken from the command line instead', overruled.join(', ')]] : []),
  ];
}

function promptOf({ prompt, conditions }: Experiment): string {
  const read = prompt === 'query' ? 'the query' : 'nothing';
  return conditions.some((condition) => condition.prompt !== undefined)
    ? `${read}, where a condition does not say otherwise`
    : read;
}

function importRows({ file, form, digest, recorded_at, with: other }: Imported): string[][] {
  return [
    ['imported from', `${file}, ${form === 'checkpoint' ? 'a checkpoint of the research' : 'numbers without texts'}`],
    ['SHA-256 of that file', digest],
    ...(recorded_at === null ? [] : [['written there', recorded_at]]),
    ...(other ? [['bare document and oracle from', `${other.file}, SHA-256 ${other.digest}`]] : []),
  ];
}
