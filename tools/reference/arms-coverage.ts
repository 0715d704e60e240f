/**
 * How often the 95% interval of a difference between arms holds the true one, and how often p is below .05 without a difference, by simulation: clicks of units
 * whose rates differ and who decide once to thirty times.
 *
 *     npx tsx tools/reference/arms-coverage.ts [SIMULATIONS]
 */
import { Random } from '../../src/base/random.js';
import { armDifference, armMean } from '../../src/stats/arms.js';

const simulations = Number(process.argv[2] ?? 4000);

/** Mean and spread of clicks do not hang together with how often a unit decides, so that the true difference is that of the rates. */
function armOf(random: Random, units: number, rate: number, isHeavy: boolean) {
  const [rewards, decisions]: [number[], number[]] = [[], []];
  for (let unit = 0; unit < units; unit++) {
    const own = rate * (0.25 + 1.5 * uniform(random));
    const count = isHeavy ? Math.min(30, Math.ceil(uniform(random) ** -1)) : 1;
    let reward = 0;
    for (let n = 0; n < count; n++) if (uniform(random) < own) reward++;
    rewards.push(reward);
    decisions.push(count);
  }
  return armMean({ rewards, decisions });
}

const uniform = (random: Random) => (random.below(2 ** 30) + 1) / 2 ** 30;

const CASES: readonly (readonly [name: string, control: number, arm: number, isHeavy: boolean])[] = [
  ['10 and 10 units', 10, 10, true],
  ['30 and 30 units', 30, 30, true],
  ['200 and 20 units', 200, 20, true],
  ['500 and 500 units', 500, 500, true],
  ['200 and 20 units, one decision each', 200, 20, false],
];

for (const [name, control, arm, isHeavy] of CASES) {
  const random = new Random(11);
  let [covered, wrong, without] = [0, 0, 0];
  for (let simulation = 0; simulation < simulations; simulation++) {
    const first = armOf(random, control, 0.3, isHeavy);
    const { low, high } = armDifference(armOf(random, arm, 0.4, isHeavy), first);
    if (Number.isNaN(low)) without++;
    else if (low <= 0.1 && 0.1 <= high) covered++;
    if (armDifference(armOf(random, arm, 0.3, isHeavy), first).p < 0.05) wrong++;
  }
  const percent = (count: number, of = simulations) => `${((100 * count) / of).toFixed(1)}%`;
  process.stdout.write(
    `${name}: ${percent(covered, simulations - without)} of intervals hold the difference, ${percent(wrong)} of p below .05 without one\n`,
  );
}
