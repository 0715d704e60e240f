import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { NumpyRandomState } from '../../src/base/numpy-random.js';
import { openPools } from '../../src/datasets/open.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { expectTexts } from '../../src/experiments/plan/texts.js';
import type { RunOptions } from '../../src/experiments/run/options.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { SELF_WRITER } from '../../src/llm/self-writer.js';
import type { Condition } from '../../src/priming/condition.js';
import type { TextWriter } from '../../src/priming/prepare.js';
import { QUERY_PROMPTS } from '../../src/priming/prompts.js';
import { warnings } from '../../src/report/words/notes.js';
import { packTrials } from '../../src/runs/pack-trials.js';
import { readRun, readSummary } from '../../src/runs/run-folder.js';
import { type Entry, isTrial, type Trial } from '../../src/runs/schema/entry.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import { afterHead, headLine } from '../../src/runs/schema/journal-head.js';
import { unpackTrials } from '../../src/runs/schema/packed-trials.js';
import { sealedFile, sealedLine, sealedLineAfter } from '../../src/runs/schema/sealed.js';
import { parseTrials } from '../../src/runs/schema/trials.js';
import { readWritten } from '../../src/runs/written.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { entriesIn, unbind } from '../support/journal.js';

const NAMES = ['lamp', 'desk', 'chair', 'kettle', 'clock', 'tent', 'radio'];
const dataset = (count: number) =>
  datasetOf(
    { name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' },
    Array.from({ length: count }, (_, i) => ({
      id: `lamps-${String(i).padStart(3, '0')}`,
      document: `The ${NAMES[i % 7]} number ${i} costs ${i + 3} euros.\nThe ${NAMES[(i + 1) % 7]} is ${i % 2 ? 'green' : 'black'}.`,
      query: `How much is the ${NAMES[i % 7]}?`,
      answer: i === 4 ? '' : `${i + 3} euros`,
    })),
  );

let model: Model;
beforeAll(async () => {
  model = await loadModel(referenceFixture('text'), { batchTokens: 256 });
});
afterAll(() => model.close());

const start = (
  directory: string,
  count: number,
  options: Partial<RunOptions> = {},
  experiment: Experiment = truncation,
) => runExperiment(experiment, dataset(count), model, { directory, resume: false, maxTokens: 512, ...options });

const file = (directory: string, name: string) => readFile(path.join(directory, name), 'utf8');

const own = (conditions: Condition[]) =>
  defineExperiment({
    id: 'own',
    title: 'Own',
    question: 'What does a column gain?',
    conditions: [{ name: 'bare', visibility: 'exact' }, ...conditions],
    comparisons: conditions.map(({ name: treatment }) => ({ treatment, baseline: 'bare' })),
  });

it('leaves no folder behind where a run is refused, and one that was there as it is', async () => {
  const folder = await temporaryFolder();
  const refused = (directory: string) =>
    expect(start(directory, 3, { marginFrom: folder })).rejects.toThrow('--margin-from');
  await refused(path.join(folder, 'results', 'run'));
  expect(await readdir(folder)).toEqual([]);
  await mkdir(path.join(folder, 'own'));
  await refused(path.join(folder, 'own', 'run'));
  expect(await readdir(path.join(folder, 'own'))).toEqual([]);
  await refused(path.join(folder, 'own'));
  expect(await readdir(folder)).toEqual(['own']);
});

describe('columns of the data', () => {
  it('stand before the documents, and a sample without one is rejected with the reason', async () => {
    const experiment = own([
      { name: 'need', surrogate: 'column:need', visibility: 'exact' },
      { name: 'static', surrogate: 'static:light for the desk', visibility: 'exact' },
      { name: 'joined', surrogate: 'join(static:light, column:rest)', visibility: 'exact' },
    ]);
    const { samples, ...origin } = dataset(8);
    const withColumns = datasetOf(
      origin,
      samples.map((sample, i) => ({
        ...sample,
        answer: `${i} euros`,
        columns: { ...(i !== 2 && { need: 'light for the desk' }), rest: 'for the desk' },
      })),
    );
    expect(() => expectTexts(experiment, withColumns)).not.toThrow();
    const summary = await runExperiment(experiment, withColumns, model, {
      directory: await temporaryFolder(),
      resume: false,
      maxTokens: 512,
    });
    expect(summary.samples).toMatchObject({
      scored: 7,
      rejected: [{ sample: 'lamps-002', rejected: 'lamps-002 has nothing in the column "need".' }],
    });
    const [, ...nlls] = summary.conditions.map(({ nll }) => nll);
    expect(new Set(nlls).size).toBe(1);
    expect(() => expectTexts(experiment, dataset(8))).toThrow(
      'lamps has nothing in the column "need" of what was taken, and own has a surrogate made of it, column:need',
    );
  });
});

describe('a run', () => {
  it('scores every sample under every condition, as `score` does', async () => {
    const directory = await temporaryFolder();
    const summary = await start(directory, 12);
    const trials = (await entriesIn(directory)).filter(isTrial);
    expect(trials).toHaveLength(11 * 11);
    expect(summary.samples).toMatchObject({
      scored: 11,
      cut: 0,
      rejected: [{ sample: 'lamps-004', rejected: 'the answer is empty' }],
    });
    expect(summary.smoke_run).toBe(true);

    const { document, query, answer: target } = dataset(12).samples[7]!;
    const texts = {
      bare: { document, target, visibility: 'full' },
      bare_d: { document, target },
      oracle_full: { document, target, prefix: query, visibility: 'full' },
      oracle_published: { document, target, prefix: query, visibility: 'published' },
      oracle_d: { document, target, prefix: query },
    } as const;
    const scores = await scoreTexts(model, Object.values(texts), { maxTokens: 512 });
    for (const [i, condition] of Object.keys(texts).entries()) {
      const trial = trials.find((t) => t.sample === 'lamps-007' && t.condition === condition)!;
      expect((scores[i] as { nll: number }).nll, condition).toBeCloseTo(trial.nll, 5);
    }
  });

  it('keeps pools whose answer is empty among those that are drawn, and rejects them with the reason', async () => {
    const rows = Array.from({ length: 6 }, (_, pool) =>
      [1, 0, 0].map((grade, c) => ({
        pool: `p${pool}`,
        id: `c${c}`,
        document: `The ${NAMES[(pool + c) % 7]} number ${pool} costs ${c + 3} euros.`,
        query: `How much is the ${NAMES[pool % 7]}?`,
        answer: pool === 3 ? '' : '3 euros',
        grade,
      })),
    ).flat();
    const place = path.join(await temporaryFolder(), 'pools.jsonl');
    await writeFile(place, rows.map((row) => JSON.stringify(row)).join('\n'));
    const data = await openPools(place, { count: 6, seed: 42, answers: true });
    expect(data.pools.map(({ id }) => id)).toEqual(new NumpyRandomState(42).permutation(6).map((pool) => `p${pool}`));
    const experiment = defineExperiment({
      id: 'pools',
      title: 'Pools',
      question: 'Are they ranked?',
      unit: 'pool',
      protocol: { samples: 6 },
      conditions: [
        { name: 'bare', visibility: 'full' },
        { name: 'oracle', surrogate: 'oracle', visibility: 'full' },
      ],
      comparisons: [{ treatment: 'oracle', baseline: 'bare' }],
      measures: ['AUC', 'nDCG@10'],
    });
    const directory = await temporaryFolder();
    const summary = await runExperiment(experiment, data, model, { directory, resume: false, maxTokens: 512 });
    expect(summary.samples.rejected).toEqual(
      ['c0', 'c1', 'c2'].map((c) => ({ sample: `p3/${c}`, rejected: 'the answer is empty' })),
    );
    expect(summary.ranking).toMatchObject({ pools: 5, candidates: 15, unranked: [] });
    expect(summary.smoke_run).toBe(false);
    expect(warnings(summary)).toContain(
      '3 of 18 candidates were rejected and are in no number (3: the answer is empty).',
    );
  });

  it('compares each treatment with its own baseline', async () => {
    const directory = await temporaryFolder();
    const summary = await start(directory, 8);
    const trials = (await entriesIn(directory)).filter(isTrial);
    const nll = (sample: string, condition: string) =>
      trials.find((t: Trial) => t.sample === sample && t.condition === condition)!.nll;
    const samples = [...new Set(trials.map((t) => t.sample))];
    for (const { treatment, baseline, gain, corrected } of summary.comparisons) {
      const gains = samples.map((sample) => nll(sample, baseline) - nll(sample, treatment));
      expect(gain.mean.value).toBeCloseTo(gains.reduce((a, b) => a + b) / gains.length, 12);
      expect(corrected.family_size).toBe(3);
      expect(corrected.bonferroni).toBeCloseTo(Math.min(1, 3 * gain.p.mean!), 12);
    }
  });

  it('keeps what stood before each document, or its digest where texts are not kept', async () => {
    const prefixed = defineExperiment({
      id: 'prefixed',
      title: 'Prefixes',
      question: 'What stood there?',
      conditions: [
        { name: 'bare', visibility: 'exact' },
        { name: 'oracle', surrogate: 'oracle', visibility: 'full' },
        { name: 'break', separator: true, visibility: 'exact' },
        {
          name: 'several',
          surrogate: 'kw2',
          visibility: 'exact',
          also: [{ visibility: 'exact' }, { surrogate: 'oracle*2', visibility: ['prefix'] }],
        },
        { name: 'moved', surrogate: 'oracle', positions: 'after_prefix', visibility: 'exact' },
      ],
      comparisons: [{ treatment: 'oracle', baseline: 'bare' }],
    });
    const [kept, left] = [await temporaryFolder(), await temporaryFolder()];
    const wanted = await start(kept, 3, {}, prefixed);
    expect(await start(left, 3, { noText: true }, prefixed)).toEqual(wanted);
    const { query } = dataset(3).samples[1]!;
    const read = async (directory: string) =>
      (await entriesIn(directory))
        .filter(isTrial)
        .filter(({ sample }) => sample === 'lamps-001')
        .map(({ prefix, also_prefixes }) => ({ prefix, also_prefixes }));
    const texts = await read(kept);
    expect(texts.filter((_, at) => at !== 3)).toEqual([{}, { prefix: query }, { prefix: '' }, { prefix: query }]);
    expect(texts[3]!.prefix).toMatch(/^[a-z]+ [a-z]+$/);
    expect(texts[3]!.also_prefixes).toEqual([null, `${query} ${query}`]);
    const digestOf = (text: unknown) =>
      text == null
        ? text
        : { sha256: createHash('sha256').update(String(text)).digest('hex'), bytes: Buffer.byteLength(String(text)) };
    expect(await read(left)).toEqual(
      texts.map(({ prefix, also_prefixes }) => ({
        prefix: digestOf(prefix),
        also_prefixes: also_prefixes?.map(digestOf),
      })),
    );
    expect(await file(left, 'trials.jsonl')).not.toContain(query);
    // A run that was begun without texts gets none when it goes on.
    const lines = (await file(left, 'trials.jsonl')).split(/(?<=\n)/);
    await writeFile(path.join(left, 'trials.jsonl'), lines.slice(0, 4).join(''));
    await start(left, 3, { resume: true }, prefixed);
    expect((await file(left, 'trials.jsonl')).split(/(?<=\n)/).sort()).toEqual(lines.sort());
  });

  it('finds exactly nothing when a condition is compared with itself', async () => {
    const same = defineExperiment({
      id: 'same',
      title: 'The same',
      question: 'Is there nothing where nothing is?',
      conditions: [
        { name: 'a', visibility: 'exact' },
        { name: 'b', visibility: 'exact' },
      ],
      comparisons: [{ treatment: 'b', baseline: 'a', oracle: 'b' }],
    });
    const summary = await start(await temporaryFolder(), 8, {}, same);
    expect(summary.comparisons[0]).toMatchObject({
      gain: {
        mean: { value: 0, low: 0, high: 0 },
        median: 0,
        trimmed_mean: { value: 0 },
        d: { value: null },
        win: { value: 0 },
        p: { mean: 1, t: null, wilcoxon: 1, sign_flip: 1 },
      },
      corrected: { holm: 1 },
      share: { value: null },
    });
  });
});

describe('going on with a run', () => {
  it('ends in the same bytes, wherever it was interrupted', async () => {
    const undisturbed = await temporaryFolder();
    await start(undisturbed, 50);
    const wanted = await file(undisturbed, 'summary.json');
    const journal = await file(undisturbed, 'trials.jsonl');
    for (const share of [0, 0.03, 0.5, 0.77, 0.999, 1]) {
      const directory = await temporaryFolder();
      await start(directory, 50);
      await rm(path.join(directory, 'summary.json'));
      await truncate(path.join(directory, 'trials.jsonl'), Math.floor(Buffer.byteLength(journal) * share));
      await start(directory, 50, { resume: true });
      expect(await file(directory, 'summary.json')).toBe(wanted);
    }
  });

  it('says what is damaged, and loses nothing when that is removed', async () => {
    const directory = await temporaryFolder();
    await start(directory, 3);
    const wanted = await file(directory, 'summary.json');
    const journal = path.join(directory, 'trials.jsonl');
    const lines = (await file(directory, 'trials.jsonl')).split(/(?<=\n)/);
    const damaged = lines.map((line, at) => (at === 4 ? line.replace(/"nll":\d/, '"nll":7') : line));
    await writeFile(journal, damaged.join(''));
    await expect(start(directory, 3, { resume: true })).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(/trials\.jsonl, line 5: .*checksum.*--resume/),
    });
    await writeFile(journal, lines.filter((_, at) => at !== 4).join(''));
    await rm(path.join(directory, 'samples.jsonl'));
    await start(directory, 3, { resume: true });
    expect(await file(directory, 'summary.json')).toBe(wanted);
    expect(await entriesIn(directory)).toHaveLength(lines.length - 1);
    // Trials that nobody knows the configuration of are nobody's.
    await rm(path.join(directory, 'run.json'));
    await expect(start(directory, 3, { resume: true })).rejects.toThrow(/holds trials but no run\.json/);
  });

  it('ends in the same bytes where conditions are left out', async () => {
    const asking = defineExperiment({
      id: 'asking',
      title: 'Asked',
      question: 'What is written?',
      conditions: [
        { name: 'bare', visibility: 'exact' },
        { name: 'oracle', surrogate: 'oracle', visibility: 'exact' },
        { name: 'need', surrogate: 'llm:need', visibility: 'exact' },
        { name: 'why', surrogate: 'llm:prompt=Why?', visibility: 'exact' },
      ],
      comparisons: ['need', 'why'].map((treatment) => ({ treatment, baseline: 'bare', oracle: 'oracle', family: 'a' })),
    });
    const writer: TextWriter = async (documents) => documents.map((document) => document.slice(0, 9));
    const directory = await temporaryFolder();
    const options = { sources: { llm: () => writer }, writer: SELF_WRITER };
    await start(directory, 3, options, asking);
    const wanted = await file(directory, 'summary.json');
    expect(JSON.parse(wanted).configuration.left_out).toMatchObject([{ condition: 'why' }]);
    await rm(path.join(directory, 'summary.json'));
    await start(directory, 3, { ...options, resume: true }, asking);
    expect(await file(directory, 'summary.json')).toBe(wanted);
  });

  it('takes no trials of another run, though it is asked the same', async () => {
    const [directory, other] = [await temporaryFolder(), await temporaryFolder()];
    await start(directory, 3);
    await start(other, 3);
    const own = await file(directory, 'trials.jsonl');
    await writeFile(path.join(directory, 'trials.jsonl'), await file(other, 'trials.jsonl'));
    const { started_at } = JSON.parse(await file(other, 'run.json'));
    await expect(start(directory, 3, { resume: true })).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(`holds the trials of another run: .*begun ${started_at}`),
    });
    await writeFile(path.join(directory, 'trials.jsonl'), own);
    await start(directory, 3, { resume: true });
    expect(await file(directory, 'trials.jsonl')).toBe(own);
  });

  describe('that is older than what binds its files together', () => {
    /** A finished run as older releases left it. */
    async function older() {
      const directory = await temporaryFolder();
      await start(directory, 4);
      const entries = await unbind(directory);
      const write = (changed: readonly Entry[]) =>
        writeFile(path.join(directory, 'trials.jsonl'), changed.map(sealedLine).join(''));
      return { directory, entries, write, wanted: await file(directory, 'summary.json') };
    }

    it('takes no trials of another run', async () => {
      const { directory, entries, write, wanted } = await older();
      const trials = entries.filter(isTrial);
      const names = [...new Set(trials.map(({ condition }) => condition))];
      // Those of another model, say: of the same samples and conditions.
      const strange = entries.map((entry) => {
        if (!isTrial(entry)) return entry;
        const of = names[(names.indexOf(entry.condition) + 1) % names.length];
        const { nll, nll_sum, token_nlls } = trials.find((one) => one.sample === entry.sample && one.condition === of)!;
        return { ...entry, nll, nll_sum, token_nlls };
      });
      const resumed = () => start(directory, 4, { resume: true });
      const refused = { code: 'RUN_DAMAGED', message: expect.stringMatching(/mean NLL of .* not of one run/) };
      await write(strange);
      await expect(resumed()).rejects.toMatchObject(refused);
      await write(strange.slice(0, -1));
      await expect(resumed()).rejects.toMatchObject(refused);
      await write(strange.filter(({ sample }) => sample !== 'lamps-002'));
      await expect(resumed()).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(/does not say which run it is of, and has trials of at most 3 samples.* from 4/),
      });
      expect(await file(directory, 'summary.json')).toBe(wanted);
      // Its own go on: whole, without a damaged line, and where nobody knows what was summed up.
      for (const own of [entries, entries.slice(0, -1), entries.slice(0, 5)]) {
        await write(own);
        if (own.length === 5) await rm(path.join(directory, 'summary.json'));
        await resumed();
        expect(await file(directory, 'summary.json')).toBe(wanted);
        // What has been written to says from then on which run it is of.
        expect((await file(directory, 'trials.jsonl')).startsWith('{"run":')).toBe(own !== entries);
      }
    });

    it('takes no samples of another run', async () => {
      const { directory, wanted } = await older();
      const samples = path.join(directory, 'samples.jsonl');
      const own = await readFile(samples, 'utf8');
      const [first, ...rest] = own
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ crc32: _, ...record }) => record);
      const resumed = () => start(directory, 4, { resume: true });
      for (const [changed, what] of [
        [{ ...first, cluster: 'all' }, 'line 1 has cluster "all", not nothing'],
        [
          { ...first, texts: { ...first.texts, answer: '4 euros' } },
          'line 1 has texts.answer "4 euros", not "3 euros"',
        ],
        [{ ...first, texts: { ...first.texts, target: ['3'] } }, 'line 1 has texts.target.1 nothing, not'],
      ]) {
        await writeFile(samples, [changed, ...rest].map((one) => sealedLine(one)).join(''));
        await expect(resumed()).rejects.toMatchObject({ code: 'RUN_DAMAGED', message: expect.stringContaining(what) });
      }
      await writeFile(samples, rest.map((one) => sealedLine(one)).join(''));
      await expect(resumed()).rejects.toThrow('it has 3 samples, not 4');
      for (const there of [own, undefined]) {
        await rm(samples);
        if (there !== undefined) await writeFile(samples, there);
        await resumed();
        expect(await file(directory, 'summary.json')).toBe(wanted);
        expect(await readFile(samples, 'utf8')).toBe(own);
      }
    });
  });

  it('writes lost samples again as they were, or not at all', async () => {
    const directory = await temporaryFolder();
    await start(directory, 3, { noText: true });
    const samples = path.join(directory, 'samples.jsonl');
    const own = await readFile(samples, 'utf8');
    await rm(samples);
    // A run that was begun without texts goes on so.
    await start(directory, 3, { resume: true });
    expect(await readFile(samples, 'utf8')).toBe(own);
    const other = await temporaryFolder();
    await start(other, 3);
    await rm(path.join(other, 'samples.jsonl'));
    await expect(start(other, 3, { resume: true, noText: true })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringMatching(/samples\.jsonl is not there.*leave out --no-text/),
    });
    expect(await readdir(other)).not.toContain('samples.jsonl');
    await writeFile(path.join(other, 'samples.jsonl'), own);
    await expect(start(other, 3, { resume: true })).rejects.toThrow(/its CRC-32 is .* another run’s/);
  });

  it('goes on from compressed samples, trials and summary, and leaves them compressed', async () => {
    const plain = await temporaryFolder();
    await start(plain, 8);
    const [wanted, journal] = [await file(plain, 'summary.json'), await file(plain, 'trials.jsonl')];
    const directory = await temporaryFolder();
    await start(directory, 8, { compress: true });
    const packed = path.join(directory, 'trials.jsonl.gz');
    const unpacked = async () => gunzipSync(await readFile(packed)).toString();
    const samples = path.join(directory, 'samples.jsonl.gz');
    const names = (await readdir(plain)).map((name) => (/\.jsonl$|^summary/u.test(name) ? `${name}.gz` : name)).sort();
    const expectWhole = async () => {
      expect((await readdir(directory)).sort()).toEqual(names);
      expect(gunzipSync(await readFile(path.join(directory, 'summary.json.gz'))).toString()).toBe(wanted);
      expect(gunzipSync(await readFile(samples)).toString()).toBe(await file(plain, 'samples.jsonl'));
      expect(sorted(await unpacked())).toEqual(sorted(journal));
    };
    const sorted = (trials: string) =>
      parseTrials(trials)
        .map((entry) => JSON.stringify(entry))
        .sort();
    await expectWhole();
    const ownJournal = async () => {
      const { journal: head } = unpackTrials(gunzipSync(await readFile(packed))).head;
      const lines = parseTrials(await unpacked()).map((entry) => sealedLineAfter(afterHead(head!), entry));
      return headLine(head!) + lines.join('');
    };
    const before = await readFile(packed);
    await start(directory, 8, { resume: true });
    expect((await readFile(packed)).equals(before)).toBe(true);
    const whichRun = unpackTrials(gunzipSync(before)).head.journal;
    expect(whichRun).toBeDefined();
    const part = packTrials(whichRun, parseTrials(await unpacked()).slice(0, 20));
    await writeFile(packed, gzipSync(part));
    await start(directory, 8, { resume: true });
    await expectWhole();
    // Samples that are missing, or that another folder without a record left, are written anew and once.
    for (const left of [undefined, 'no samples']) {
      await rm(samples);
      if (left !== undefined) await writeFile(samples, gzipSync(left));
      if (left !== undefined) await rm(path.join(directory, 'run.json'));
      if (left !== undefined) await rm(packed);
      await start(directory, 8, { resume: true, compress: true });
      await expectWhole();
    }
    const whole = await readFile(samples);
    for (const damaged of [whole.subarray(0, -9), gzipSync(gunzipSync(whole).subarray(0, -2))]) {
      await writeFile(samples, damaged);
      await expect(start(directory, 8, { resume: true })).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(/samples\.jsonl\.gz: .*dkv run --resume/),
      });
    }
    await writeFile(samples, whole);
    // Lines that were torn and then compressed by hand, and the files that a process leaves which is killed before it removes what it has packed.
    await writeFile(packed, gzipSync((await ownJournal()).slice(0, -4)));
    await expect(readRun(directory)).rejects.toThrow(/its last line, \d+, is torn\. Go on with the run/);
    await start(directory, 8, { resume: true });
    await expectWhole();
    for (const cut of [0, 40]) {
      const journalOf = await ownJournal();
      await writeFile(path.join(directory, 'trials.jsonl'), journalOf.slice(0, journalOf.length - cut));
      await writeFile(path.join(directory, 'samples.jsonl'), gunzipSync(whole));
      await readRun(directory);
      const notices: string[] = [];
      await start(directory, 8, { resume: true, onNotice: (notice) => notices.push(notice) });
      expect(notices).toEqual(
        ['samples', 'trials'].map((name) =>
          expect.stringMatching(`${name}\\.jsonl is removed: .*${name}\\.jsonl\\.gz`),
        ),
      );
      await expectWhole();
    }
    await writeFile(packed, before.subarray(0, -9));
    await expect(start(directory, 8, { resume: true })).rejects.toThrow(/trials\.jsonl\.gz: not what gzip wrote/);
    await rm(path.join(directory, 'run.json'));
    await writeFile(packed, before);
    await expect(start(directory, 8, { resume: true })).rejects.toThrow(/holds trials but no run\.json/);
  });

  it('stops when told to, keeps what was done, and does not do it again', async () => {
    const directory = await temporaryFolder();
    const controller = new AbortController();
    const stopped = start(directory, 50, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const done = (await entriesIn(directory)).length;
    expect(done).toBeGreaterThan(0);
    const progress: number[] = [];
    await start(directory, 50, { resume: true, onProgress: ({ resumedSamples }) => progress.push(resumedSamples) });
    expect(progress.at(-1)).toBeGreaterThan(0);
    expect(await entriesIn(directory)).toHaveLength(49 * 11 + 1);
  });

  it('goes on with the texts that a model wrote for it, and asks for no others', async () => {
    const asking = defineExperiment({
      id: 'asking',
      title: 'Asked',
      question: 'What is written?',
      conditions: [
        { name: 'bare', visibility: 'exact' },
        { name: 'need', surrogate: 'llm:need', visibility: 'exact' },
        { name: 'why', surrogate: 'scramble(llm:prompt=Why?)', visibility: 'exact' },
        { name: 'own', surrogate: 'self', visibility: 'exact' },
      ],
      comparisons: [{ treatment: 'need', baseline: 'bare' }],
    });
    let [asked, drawn] = [0, 0];
    const authorship = {
      writer: 'somebody',
      prompt: 'Why?',
      sampling: { maxTokens: 9, temperature: 1, topP: 1, seed: null },
    };
    /** Never the same twice. */
    const writer =
      (about: string): TextWriter =>
      async (documents) => {
        asked += documents.length;
        return documents.map((document) =>
          document.includes('number 2 ') ? new DkvError('LLM_REJECTED', 'no words') : `${about} ${++drawn}`,
        );
      };
    const sources = {
      llm: (prompt: string) => Object.assign(writer('asked'), prompt === 'Why?' && { authorship }),
      self: writer('own'),
    };
    const options = { sources, writer: 'somebody' };
    const directory = await temporaryFolder();
    await start(directory, 4, options, asking);
    expect(asked).toBe(3 * 4);
    const written = (await readWritten(directory))!;
    const texts = (from: number) =>
      ['lamps-000', 'lamps-001', 'lamps-003'].map((sample, at) => ({
        sample,
        text: expect.stringMatching(new RegExp(` ${from + at}$`)),
      }));
    const unknown = { writer: null, prompt: null, sampling: null };
    const sampling = { max_tokens: 9, temperature: 1, top_p: 1, seed: null };
    expect(written).toEqual({
      format: 2,
      writers: [
        { by: 'llm', asked: QUERY_PROMPTS.need, ...unknown, texts: texts(1) },
        { by: 'llm', asked: 'Why?', writer: 'somebody', prompt: 'Why?', sampling, texts: texts(4) },
        { by: 'self', asked: null, ...unknown, texts: texts(7) },
      ],
    });
    const journal = (await file(directory, 'trials.jsonl')).split(/(?<=\n)/);
    expect(journal.find((line) => line.includes('"need"'))).toContain('"prefix":"asked 1"');
    await writeFile(path.join(directory, 'trials.jsonl'), journal.slice(0, 3).join(''));
    await start(directory, 4, { ...options, resume: true }, asking);
    // Only what got no text is asked for again.
    expect(asked).toBe(3 * 4 + 3);
    expect((await file(directory, 'trials.jsonl')).split(/(?<=\n)/).sort()).toEqual(journal.sort());
    expect(await readWritten(directory)).toEqual(written);

    const left = await temporaryFolder();
    await start(left, 4, { ...options, noText: true }, asking);
    const digests = (await readWritten(left))!;
    expect(JSON.stringify(digests)).not.toMatch(/asked \d|own \d/);
    expect(digests.writers[2]!.texts[0]!.text).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 6 });
    await expect(start(left, 4, { ...options, resume: true }, asking)).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringMatching(/another text for lamps-000 than the run was begun with/),
    });
    const whole = await file(directory, 'written.json');
    await writeFile(path.join(directory, 'written.json'), whole.replace('asked 1', 'asked 7'));
    await expect(start(directory, 4, { ...options, resume: true }, asking)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(/written\.json: not what was written .*from a copy/),
    });
  });

  it('starts in an empty folder', async () => {
    const directory = path.join(await temporaryFolder(), 'not/yet/there');
    expect((await start(directory, 3, { resume: true })).samples.scored).toBe(3);
  });

  it('refuses a folder with a run when not asked to go on', async () => {
    const directory = await temporaryFolder();
    await start(directory, 3);
    await expect(start(directory, 3)).rejects.toMatchObject({
      code: 'RUN_EXISTS',
      message: expect.stringContaining('--resume'),
    });
  });

  it('refuses another configuration and shows the difference', async () => {
    const directory = await temporaryFolder();
    await start(directory, 3);
    await expect(start(directory, 5, { resume: true, maxTokens: 100 })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringMatching(/--n: was 3, is 5[\s\S]*--max-length: was 512, is 100[\s\S]*--resume/),
    });
  });

  it('counts samples with control tokens as they are written, and reads them as it did when it began', async () => {
    const directory = await temporaryFolder();
    const { samples, ...about } = dataset(3);
    const written = datasetOf(
      about,
      samples.map((one, i) => (i === 1 ? { ...one, document: `<bos>${one.document}<eos>` } : one)),
    );
    const options = { directory, resume: true, maxTokens: 512 };
    const kept = await loadModel(referenceFixture('text'), { batchTokens: 256, controlTokens: 'keep' });
    onTestFinished(() => kept.close());
    const summary = await runExperiment(truncation, written, kept, options);
    expect(summary.configuration.control_tokens).toBe('keep');
    expect(summary.samples.literal).toEqual({ samples: 1, tokens: ['<bos>', '<eos>'] });
    expect(warnings(summary).join()).toContain('1 samples with control tokens as they are written (<bos>, <eos>)');
    await expect(runExperiment(truncation, written, model, options)).rejects.toThrow(
      '--control-tokens: was keep, is not given',
    );
    // A run that is older than the choice: what it read as control tokens may not be read as text now.
    await withoutControlTokens(directory);
    await expect(runExperiment(truncation, written, model, options)).rejects.toThrow(
      '--control-tokens: was keep, is not given',
    );
    const resumed = await runExperiment(truncation, written, kept, options);
    expect(resumed.comparisons).toEqual(summary.comparisons);
    const asText = await runExperiment(truncation, written, model, {
      ...options,
      directory: path.join(directory, 'text'),
    });
    const tokens = (run: typeof summary) => run.conditions[0]!.document_tokens!;
    expect(tokens(asText)).toBeGreaterThan(tokens(summary));
  });

  it('goes on with a run that is older than the choice of control tokens where no text has any', async () => {
    const directory = await temporaryFolder();
    const summary = await start(directory, 3);
    await withoutControlTokens(directory);
    const { configuration, ...resumed } = await start(directory, 3, { resume: true });
    expect(configuration.control_tokens).toBeUndefined();
    expect({ ...resumed, configuration: summary.configuration }).toEqual(summary);
    expect((await readSummary(directory)).summary.configuration).toEqual(configuration);
  });

  it('goes on with a run whose record holds figures of the research, which stand beside numbers and decide none', async () => {
    const directory = await temporaryFolder();
    const summary = await start(directory, 3);
    const { crc32: _, ...record } = JSON.parse(await file(directory, 'run.json'));
    record.configuration.experiment.authors = { model: 'x/y', d: { oracle_full: 0.3 } };
    await writeFile(path.join(directory, 'run.json'), sealedFile(record));
    const resumed = await start(directory, 3, { resume: true });
    expect(resumed.comparisons).toEqual(summary.comparisons);
    expect(resumed.configuration.experiment.authors).toEqual(record.configuration.experiment.authors);
  });

  async function withoutControlTokens(directory: string): Promise<void> {
    const record = JSON.parse(await file(directory, 'run.json'));
    const { crc32: _, ...content } = record;
    delete content.configuration.control_tokens;
    await writeFile(path.join(directory, 'run.json'), sealedFile(content));
  }

  it('refuses another model', async () => {
    const directory = await temporaryFolder();
    await start(directory, 3);
    const { crc32: _, ...record } = JSON.parse(await file(directory, 'run.json'));
    record.configuration.model.fingerprint = 'f'.repeat(64);
    await writeFile(path.join(directory, 'run.json'), sealedFile(record));
    await expect(start(directory, 3, { resume: true })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringMatching(/model\.fingerprint: was "?ffff/),
    });
  });

  it('says that a record is damaged', async () => {
    const directory = await temporaryFolder();
    await start(directory, 3);
    await writeFile(path.join(directory, 'run.json'), '{"format": 1}');
    await expect(start(directory, 3, { resume: true })).rejects.toMatchObject({ code: 'RUN_DAMAGED' });
  });
});
