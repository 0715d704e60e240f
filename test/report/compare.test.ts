import { rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gainDecomposition } from '../../src/experiments/catalogue/gain-decomposition.js';
import { productRanking } from '../../src/experiments/catalogue/product-ranking.js';
import { surrogateSweep } from '../../src/experiments/catalogue/surrogate-sweep.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { compareRuns, comparisonMarkdown } from '../../src/report/compare.js';
import { collectRuns, logHtml, logMarkdown, runFolders } from '../../src/report/log.js';
import { logText } from '../../src/report/log-text.js';
import { readSummary } from '../../src/runs/run-folder.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import type { SampleRecord } from '../../src/runs/schema/sample.js';
import { temporaryFolder } from '../support/fixtures.js';
import { madeRun, writeRun } from './made-run.js';

const run = (directory: string, ...made: Parameters<typeof madeRun>) => ({
  directory,
  summary: madeRun(...made).summary,
});

describe('runs compared', () => {
  const a = run('a', truncation);
  const b = run('b', surrogateSweep, { samples: 12, model: { name: 'other/model' } });

  it('are aligned by what conditions do, whatever they are called', () => {
    const { comparisons } = compareRuns([a, b]);
    const both = comparisons.filter(({ effects }) => effects.every(Boolean)).map(({ treatment }) => treatment);
    expect(both).toContain('oracle_d');
    expect(both).toContain('surr_doc_d = doc_kw_d');
    expect(comparisons.find(({ treatment }) => treatment === 'lead_d')!.effects[0]).toBeNull();
    // The same name for something else is another row.
    const changed = truncation.conditions.map((condition) =>
      condition.name === 'oracle_d' ? { ...condition, surrogate: 'para' } : condition,
    );
    const renamed = compareRuns([a, run('c', { ...truncation, conditions: changed })]);
    expect(renamed.comparisons.filter(({ treatment }) => treatment.startsWith('oracle_d'))).toHaveLength(1);
    expect(renamed.differences.map(({ field }) => field)).toEqual(['condition oracle_d']);
  });

  it('show what differs, effects with intervals, and a warning for smoke runs', () => {
    const comparison = compareRuns([a, b]);
    expect(comparison.differences).toContainEqual({ field: 'model.name', values: ['some/model', 'other/model'] });
    const markdown = comparisonMarkdown(comparison);
    expect(markdown).toMatch(/\| oracle_d \| bare_d \| \+[\d.]+ \[\+[\d.]+, \+[\d.]+\] \| \+/);
    expect(markdown).toContain('**Robust d [95%]**');
    expect(markdown).toContain('no conclusions');
    expect(comparisonMarkdown(compareRuns([a, a]))).toContain('the same configuration');
  });

  it('name the outcomes, arms and contrasts that not all have', () => {
    const asking = (extra: Partial<Experiment>) => {
      const { configuration } = a.summary;
      const experiment = { ...configuration.experiment, ...extra };
      return { ...a, summary: { ...a.summary, configuration: { ...configuration, experiment } } };
    };
    const both = asking({ outcomes: ['recall'], arms: ['no_document'] });
    const { differences } = compareRuns([a, asking({ outcomes: ['recall'] }), both]);
    expect(differences).toEqual([
      { field: 'experiment.outcomes', values: ['–', 'recall', 'recall'] },
      { field: 'experiment.arms', values: ['–', '–', 'no_document'] },
    ]);
    const [group, ...others] = gainDecomposition.contrasts!;
    const contrasts = (first: typeof group) => asking({ contrasts: [first!, ...others] });
    const renamed = compareRuns([contrasts(group), contrasts({ ...group!, title: 'other words' })]);
    expect(renamed.differences).toEqual([
      { field: 'experiment.contrasts, what not all have', values: [group!.title, 'other words'] },
    ]);
    // Where the title is the same, what it is of is shown.
    const shorter = { ...group!, contrasts: group!.contrasts.slice(1) };
    const [difference] = compareRuns([contrasts(group), contrasts(shorter)]).differences;
    expect(difference!.values).toEqual([group, shorter].map((one) => JSON.stringify(one)));
  });

  it('of rankings go by measure', () => {
    const ranked = run('r', productRanking, { samples: 30, candidates: 6 });
    const { comparisons } = compareRuns([ranked, ranked]);
    expect(comparisons[0]).toMatchObject({ treatment: 'oracle_full', measure: 'AUC' });
  });

  it('refuse the built-in model beside another one', () => {
    const own = run('own', truncation, { model: { name: 'tiny', built_in: true } });
    expect(() => compareRuns([a, own])).toThrow(/own is a run of the built-in model, a one of some\/model/);
    expect(() => compareRuns([a])).toThrow(/two run folders/);
    expect(compareRuns([own, own]).comparisons).toHaveLength(9);
  });
});

describe('the results log', () => {
  it('says which rows are of the same samples, which show one measurement twice, and how many samples were scored', async () => {
    const root = await temporaryFolder();
    const { summary, ...rest } = madeRun(truncation);
    const changed = (configuration: Partial<typeof summary.configuration>, primary = 0) => ({
      ...rest,
      summary: {
        ...summary,
        configuration: { ...summary.configuration, ...configuration },
        comparisons: summary.comparisons.map((comparison) => ({
          ...comparison,
          gain: {
            ...comparison.gain,
            median: primary,
            d: { ...comparison.gain.d, value: comparison.gain.d.value! + primary },
          },
        })),
      },
    });
    await writeRun(path.join(root, 'a'), { ...rest, summary });
    await writeRun(path.join(root, 'b'), changed({}));
    await writeRun(path.join(root, 'c'), changed({}, 1));
    await writeRun(path.join(root, 'd'), changed({ samples: 50 }));
    const { runs } = await collectRuns(root);
    const twins = runs.map(({ sameSamplesAs, sameEffectAs, samples, scored }) => [
      sameSamplesAs,
      sameEffectAs,
      samples,
      scored,
    ]);
    expect(twins).toEqual([
      [undefined, undefined, 40, 40],
      ['a', 'a', 40, 40],
      ['a', undefined, 40, 40],
      [undefined, undefined, 50, 40],
    ]);
    const markdown = logMarkdown({ runs, unread: [] });
    expect(markdown).toContain('| a (and the same effect) |');
    expect(markdown).toContain('| 40 of 50 |');
  });

  it('says which rows are of a part of the samples of which others', async () => {
    const root = await temporaryFolder();
    const texts = (i: number) => ({ document: `d${i}`, query: 'q', answer: 'a', target: ['a'] });
    const write = (name: string, samples: number, digest: string, change: (i: number) => Partial<SampleRecord>) => {
      const { summary, ...run } = madeRun(truncation, { samples });
      const { dataset } = summary.configuration;
      return writeRun(path.join(root, name), {
        ...run,
        samples: run.samples.map((sample, i) => ({ ...sample, texts: texts(i), ...change(i) })),
        summary: { ...summary, configuration: { ...summary.configuration, dataset: { ...dataset, digest } } },
      });
    };
    await write('larger', 12, 'a', () => ({}));
    await write('part', 6, 'b', () => ({}));
    await write('other-texts', 6, 'c', (i) => (i === 3 ? { texts: texts(99) } : {}));
    await write('other-ids', 6, 'd', (i) => (i === 3 ? { id: 's9999' } : {}));
    const log = await collectRuns(root);
    expect(log.unread).toEqual([]);
    expect(Object.fromEntries(log.runs.map(({ folder, partOf }) => [folder, partOf]))).toEqual({
      larger: undefined,
      part: 'larger',
      'other-texts': undefined,
      'other-ids': undefined,
    });
    expect(logMarkdown(log)).toContain('| part of larger |');
    // Without its samples nobody knows what it is a part of, and its numbers are there.
    await rm(path.join(root, 'part', 'samples.jsonl'));
    const { runs, unread } = await collectRuns(root);
    expect(runs.find(({ folder }) => folder === 'part')).toMatchObject({ samplesNotCompared: true });
    expect(runs.filter(({ samplesNotCompared }) => samplesNotCompared)).toHaveLength(1);
    expect(logMarkdown({ runs, unread })).toContain('| not known (samples not compared) |');
    expect(unread).toEqual([{ folder: 'part', reason: expect.stringContaining('samples.jsonl is not there') }]);
  });

  it('has a row for each run, the built-in model apart, and says what was not read', async () => {
    const root = await temporaryFolder();
    await writeRun(path.join(root, 'one'), madeRun(truncation));
    await writeRun(
      path.join(root, 'deep', 'two'),
      madeRun(productRanking, { samples: 30, candidates: 6, model: { built_in: true } }),
    );
    await writeRun(path.join(root, 'unfinished'), madeRun(truncation));
    await rm(path.join(root, 'unfinished', 'summary.json'));
    const log = await collectRuns(root);
    expect(log.runs.map(({ folder }) => folder).sort()).toEqual([path.join('deep', 'two'), 'one']);
    expect(log.runs.find(({ folder }) => folder === 'one')).toMatchObject({
      experiment: 'exp01',
      samples: 40,
      smokeRun: true,
      primary: { comparison: 'surr_doc_d against bare_d', effect: expect.stringMatching(/\[.*\] nats$/) },
    });
    const shown = logText(log, 80).split('\n');
    const table = shown.slice(
      shown.findIndex((line) => line.startsWith('folder')),
      -2,
    );
    expect(
      Math.max(...table.filter((line) => /^\S+ .*nats/.test(line)).map((line) => line.length)),
    ).toBeLessThanOrEqual(80);
    expect(logText(log, 400)).toContain('primary comparison');
    const markdown = logMarkdown(log);
    expect(markdown.indexOf('## Pretrained models')).toBeLessThan(markdown.indexOf('## The built-in model'));
    expect(markdown).toMatch(/exp04b .* AUC/);
    expect(markdown).toContain('unfinished holds a run that is not finished');
    // The command works from here.
    expect(markdown).toContain(
      `--n 40 --seed 1 --dataset made-up --model some/model --max-length 8192 --batch-tokens 512 --prompt none --outcomes none --out ${path.join(root, 'unfinished')} --resume`,
    );
    await writeFile(path.join(root, 'one', 'report.html'), '');
    const page = logHtml(log, root, path.join(root, 'pages'));
    expect(page).toContain('<td><a href="../one/report.html">one</a></td>');
    // There is no report to lead to.
    expect(page).toContain(`<td>${path.join('deep', 'two')}</td>`);
    expect(page.match(/href=/g)).toHaveLength(1);
    // Pools, not candidates: five of six documents each.
    expect(log.runs.find(({ experiment }) => experiment === 'exp04b')).toMatchObject({ samples: 5, scored: 5 });
    await expect(collectRuns(path.join(root, 'nowhere'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('has a run once where links lead to it, or in a circle', async () => {
    const root = path.join(await temporaryFolder(), 'results');
    await writeRun(path.join(root, 'set', 'one'), madeRun(truncation));
    await writeRun(path.join(root, '..', 'elsewhere', 'two'), madeRun(truncation, { draw: 2 }));
    for (const [target, link] of [
      ['..', 'set/circle'],
      ['set/one', 'again'],
      ['../elsewhere', 'beyond'],
      ['nowhere', 'broken'],
    ] as const) {
      await symlink(target, path.join(root, link));
    }
    expect(await runFolders(root)).toEqual([path.join('beyond', 'two'), path.join('set', 'one')]);
    expect((await collectRuns(root)).runs).toHaveLength(2);
  });
});

describe('a run folder', () => {
  it('that cannot be reported on says why', async () => {
    const root = await temporaryFolder();
    await expect(readSummary(root)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: /is not a run folder/ });
    await writeFile(path.join(root, 'run.json'), '{"format": 1}');
    await expect(readSummary(root)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: /of format 1; this version reads/,
    });
    await writeFile(path.join(root, 'run.json'), '{');
    await expect(readSummary(root)).rejects.toMatchObject({ code: 'RUN_DAMAGED', message: /not JSON/ });
    const { summary } = madeRun(truncation);
    await writeRun(path.join(root, 'mixed'), madeRun(surrogateSweep, { samples: 12 }));
    await writeFile(path.join(root, 'mixed', 'summary.json'), JSON.stringify(summary));
    await expect(readSummary(path.join(root, 'mixed'))).rejects.toMatchObject({
      message: /is not the summary of the run/,
    });
  });
});
