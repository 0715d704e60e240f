/** `dkv evaluate --log`, as a user runs it, on logs that the log's own writer wrote. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { DecisionLog, decisionSettingsSchema } from '../../src/server/decisions.js';
import { armOf, experimentSettingsSchema } from '../../src/server/experiment.js';
import type { DecisionLogHead } from '../../src/wire/http/decisions.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { madeDecision, madeShadow } from '../support/made-decisions.js';

const EXPERIMENT = experimentSettingsSchema.parse({
  name: 'priming',
  arms: [
    { name: 'bare', share: 0.5, variant: 'bare' },
    { name: 'keywords', share: 0.5, variant: 'doc_kw' },
  ],
});

const headOf = (shares: readonly number[] = [0.5, 0.5]): DecisionLogHead['experiment'] => ({
  name: EXPERIMENT.name,
  arms: EXPERIMENT.arms.map(({ name, variant = null }, at) => ({
    name,
    share: shares[at]!,
    variant,
    objective: null,
    prior: null,
    interpolate: null,
  })),
});

/** Writes a log and outcomes of visitors who decide one to four times, more often for documents that stand first. */
async function madeLog(folder: string, visitors: number, gain: number, experiment = headOf()): Promise<string[]> {
  const random = new Random(7);
  const log = await DecisionLog.open(decisionSettingsSchema.parse({ folder }), {
    experiment,
    onNotice: () => undefined,
  });
  const outcomes: string[] = [];
  for (let visitor = 0; visitor < visitors; visitor++) {
    const arm = armOf(EXPERIMENT, '', `v${visitor}`).name;
    for (let n = 0; n <= random.below(4); n++) {
      const decision = `${visitor}-${n}`;
      const degraded = arm === 'bare' && random.below(20) === 0 ? 'DEADLINE_PASSED' : null;
      log.write(madeDecision({ decision, arm, unit: log.digest('unit', '', `v${visitor}`), degraded, answered: 2 }));
      for (const [at, document_id] of ['a', 'b'].entries()) {
        const chance = (arm === 'keywords' ? 20 + gain : 20) / (at + 1);
        if (random.below(100) < chance)
          outcomes.push(JSON.stringify({ decision_id: decision, document_id, reward: 1 }));
      }
      if (n === 0) log.write(madeShadow(decision, [2, 1, 3, 4]));
    }
  }
  log.write(madeShadow('0-0', [], { dropped: 'SERVER_BUSY' }));
  await log.close();
  return outcomes;
}

let folder: string;
let outcomes: string[];
beforeAll(async () => {
  folder = path.join(process.env.DKV_CACHE!, `decisions-${process.pid}`);
  outcomes = await madeLog(folder, 400, 15);
});

async function evaluated(lines: readonly string[], ...args: string[]) {
  const file = path.join(await temporaryFolder(), 'outcomes.jsonl');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return dkv(['evaluate', '--log', folder, '--outcomes', file, ...args]);
}

describe('dkv evaluate --log', () => {
  it('compares arms by what became of their decisions', async () => {
    const { stdout, stderr, exitCode } = await evaluated(outcomes, '--json', '--detect', '0.02');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      experiment: 'priming',
      control: 'bare',
      units: 400,
      outside: 0,
      torn: 0,
      crossed: { count: 0 },
      outcomes: { joined: outcomes.length, unknown_decisions: { count: 0 }, repeated: { count: 0 } },
      sample_ratio: { degrees: 1, is_mismatch: false },
      shadows: [{ variant: 'bare', rankings: 400, dropped: 1, first: 0, overlap: [{ k: 3, share: 1 }] }],
    });
    const [bare, keywords] = found.arms;
    expect(bare.decisions + keywords.decisions).toBe(found.decisions);
    // By plain counting.
    const rewarded = (arm: string) =>
      outcomes.filter((line) => armOf(EXPERIMENT, '', `v${JSON.parse(line).decision_id.split('-')[0]}`).name === arm)
        .length;
    for (const arm of found.arms) {
      expect(arm.reward.value).toBeCloseTo(rewarded(arm.name) / arm.decisions, 12);
      expect(arm.positions).toHaveLength(2);
      expect(arm.positions[0] + arm.positions[1]).toBeCloseTo(arm.reward.value, 12);
      expect(arm.positions[0]).toBeGreaterThan(arm.positions[1]);
    }
    expect(bare.degraded).toBeGreaterThan(0);
    expect(keywords.degraded).toBe(0);
    const [{ difference, p, holm, detectable, units_needed }] = found.comparisons;
    expect(difference.value).toBeCloseTo(keywords.reward.value - bare.reward.value, 12);
    expect(difference.low).toBeGreaterThan(0);
    expect(holm).toBe(p);
    expect(units_needed).toBe(Math.ceil(400 * (detectable / 0.02) ** 2));
  });

  it('says it to people, turned round where another arm is the control', async () => {
    const { stdout, exitCode } = await evaluated(outcomes, '--control', 'keywords');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^priming: \d+ decisions of 400 units, \d+ outcomes\.\n/);
    expect(stdout).toMatch(/less keywords .*difference \[95%\]/);
    expect(stdout).toMatch(/^bare +−0\.\d{4} \[−0\.\d{4}, −0\.\d{4}\]/m);
    expect(stdout).toMatch(/reward at position +keywords +bare/);
    expect(stdout).toMatch(/^bare +query-likelihood +400 +1 +0\.667 +0\.0 +100\.0$/m);
  });

  it('puts a warning first where the arms did not get their shares, and where units are in two', async () => {
    const own = path.join(await temporaryFolder(), 'log');
    const lines = await madeLog(own, 300, 0, headOf([0.8, 0.2]));
    const log = await DecisionLog.open(decisionSettingsSchema.parse({ folder: own }), {
      experiment: headOf([0.8, 0.2]),
      onNotice: () => undefined,
    });
    for (const arm of ['bare', 'keywords']) log.write(madeDecision({ decision: arm, arm, unit: 'e'.repeat(32) }));
    log.write(madeDecision({ decision: 'outside' }));
    await log.close();
    const file = path.join(own, 'outcomes');
    await writeFile(
      file,
      [
        ...lines,
        ...['bare', 'nowhere', 'bare'].map((id, at) =>
          JSON.stringify({ decision_id: id, document_id: at < 2 ? 'c' : 'z', reward: 1 }),
        ),
      ].join('\n'),
    );
    const { stdout } = await dkv(['evaluate', '--log', own, '--outcomes', file]);
    expect(stdout).toMatch(
      /^WARNING: the arms did not get their shares of units \(chi-square [\d.]+, 1 degrees?, p .*\)\..*\nWARNING: 1 unit had decisions in more than one arm .*\n\nLeft out: 1 decision without an arm\.\nLeft out: 1 outcome of decisions .*\(nowhere\)\.\nLeft out: 1 outcome of documents .*\(bare: z\)\.\n/,
    );
    const { units } = JSON.parse((await dkv(['evaluate', '--log', own, '--outcomes', file, '--json'])).stdout);
    expect(units).toBe(300);
  });

  it('asks what a second outcome of one document is', async () => {
    const [first = ''] = outcomes;
    const twice = [...outcomes, first];
    const refused = await evaluated(twice);
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/Two outcomes of one document of a decision.*--repeated first.*--repeated sum/),
    });
    const values = await Promise.all(
      ['first', 'sum'].map(async (how) => {
        const { arms, outcomes: counted } = JSON.parse((await evaluated(twice, '--repeated', how, '--json')).stdout);
        expect(counted.repeated.count).toBe(1);
        return arms.reduce(
          (sum: number, arm: { reward: { value: number }; decisions: number }) =>
            sum + arm.reward.value * arm.decisions,
          0,
        );
      }),
    );
    expect(values.map(Math.round)).toEqual([outcomes.length, outcomes.length + 1]);
  });

  it('takes documents by their place in the request, for those that came as texts', async () => {
    // Position 1 is the request's last document.
    const byIndex = outcomes.map((line) => {
      const { document_id, ...rest } = JSON.parse(line);
      return JSON.stringify({ ...rest, index: document_id === 'a' ? 2 : 1 });
    });
    const found = await Promise.all(
      [outcomes, byIndex].map(async (lines) => (await evaluated(lines, '--json')).stdout),
    );
    expect(found[1]).toBe(found[0]);
  });

  it('reads files by name, packed ones too, and shadows without outcomes', async () => {
    const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.jsonl'));
    const packed = path.join(await temporaryFolder(), 'log.jsonl.gz');
    await writeFile(packed, gzipSync(await readFile(path.join(folder, name))));
    const { stdout, exitCode } = await dkv(['evaluate', '--log', packed, '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      control: null,
      arms: [],
      shadows: [{ rankings: 400, kendall: expect.closeTo(2 / 3, 9) }],
    });
    const both = await dkv(['evaluate', '--log', packed, folder, '--json']);
    expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/is in the log twice/) });
  });

  it.each([
    [
      ['{"decision_id": "gone", "document_id": "a", "reward": 1}'],
      /No outcome belongs to .*: 1 name other decisions \(gone\), 0 documents/,
    ],
    [[], /no outcomes in it\. Expected lines like/],
    [['{"decision_id": "0-0", "reward": 1}'], /line 1: document_id: expected text, or index/],
    [['{"decision_id": "0-0", "document_id": "a", "reward": "1"}'], /line 1: reward: expected a number, found "1"/],
    [['{"decision_id": "0-0", "document_id": "a", "reward": 1'], /line 1: .*A line of JSON was expected/],
  ])('refuses outcomes that say nothing: %j', async (lines, message) => {
    expect(await evaluated(lines)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
  });

  it.each([
    [['--queries', 'q.jsonl'], /--log compares arms of a decision log, and --queries is for ranking a store/],
    [['--control', 'other'], /--control other: the log has no such arm\. It has bare, keywords/],
    [['--detect', '0'], /Expected a number above 0/],
  ])('refuses options that do not fit: %j', async (args, message) => {
    expect(await evaluated(outcomes, ...args)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
  });

  it('refuses options of logs without a log', async () => {
    const { exitCode, stderr } = await dkv(['evaluate', '--store', 's', '--outcomes', 'o']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/--outcomes is for decision logs, and no --log is given/),
    });
  });

  it.each([
    ['no arm', [{}, {}], /The log has no decisions of an arm: there is nothing to compare/],
    ['one arm', [{ arm: 'bare' }, { arm: 'bare' }], /The log has decisions of one arm, bare/],
    [
      'one unit an arm',
      [{ arm: 'bare', unit: 'a'.repeat(32) }, { arm: 'keywords' }],
      /Too few units to compare arms: bare 1, keywords 1/,
    ],
  ])('refuses a log with %s', async (_, own, message) => {
    const place = await temporaryFolder();
    const log = await DecisionLog.open(decisionSettingsSchema.parse({ folder: place }), {
      experiment: headOf(),
      onNotice: () => undefined,
    });
    for (const [n, one] of own.entries()) log.write(madeDecision({ decision: `${n}`, ...one }));
    await log.close();
    const file = path.join(place, 'outcomes');
    await writeFile(file, '{"decision_id": "0", "document_id": "a", "reward": 1}');
    expect(await dkv(['evaluate', '--log', place, '--outcomes', file])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(message),
    });
    expect(await dkv(['evaluate', '--log', place])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/no shadow rankings, and no outcomes are given/),
    });
  });

  it('refuses logs of two experiments', async () => {
    const place = await temporaryFolder();
    for (const shares of [
      [0.5, 0.5],
      [0.9, 0.1],
    ]) {
      const log = await DecisionLog.open(decisionSettingsSchema.parse({ folder: place }), {
        experiment: headOf(shares),
        onNotice: () => undefined,
      });
      log.write(madeDecision({ decision: String(shares) }));
      await log.close();
    }
    expect(await dkv(['evaluate', '--log', place])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /is of the experiment "priming" with bare .*, keywords .*Name the files of one experiment/,
      ),
    });
  });
});
