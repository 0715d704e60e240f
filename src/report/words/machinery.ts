/** What each gain is made of beside a control without content, in a line a prefix for the terminal. */
import type { Summary } from '../../runs/schema/summary.js';
import { nats, withInterval } from './format.js';

/** One line a comparison that has a control, and one before them; none without controls. */
export function describeMachinery({
  configuration,
  contrasts,
}: Pick<Summary, 'configuration' | 'contrasts'>): string[] {
  const gains = new Map(
    contrasts.flatMap((group) => group.contrasts.map(({ name, gain }) => [name, gain.mean] as const)),
  );
  const lines = configuration.experiment.comparisons.flatMap(({ treatment, control }) => {
    const [machinery, content] = [gains.get(`${treatment}: machinery`), gains.get(`${treatment}: content`)];
    if (control === undefined || !machinery || !content) return [];
    return [`  ${treatment}: machinery ${withInterval(machinery, nats)}, content ${withInterval(content, nats)}`];
  });
  if (lines.length === 0) return [];
  return [
    'Of each gain, what a prefix without content gains as well (machinery), and what is beyond it (content), in nats [95%]:',
    ...lines,
  ];
}
