/** What hiding a prefix leaves of its gain in full view, in words: the answer to the question that such contrasts are made for. */
import { surrogate as surrogateOf } from '../../priming/surrogate.js';
import type { Summary } from '../../runs/schema/summary.js';
import { isTold, ratio } from './format.js';
import { boundOf, conditionOf, listed } from './labels.js';

/** One sentence for prefixes with a gain in full view and one for the others; undefined where a run has no such contrasts. */
export function retention({ configuration: { experiment }, contrasts: groups }: Summary): string | undefined {
  const kept: string[] = [];
  const without: string[] = [];
  for (const { contrasts, decomposition } of groups) {
    if (decomposition) continue;
    const terms = experiment.contrasts.flatMap((group) => group.contrasts);
    const gaining = (name: string) => {
      const found = Object.entries(terms.find((contrast) => contrast.name === name)?.terms ?? {});
      const treatment = found.find(([, weight]) => weight === -1)?.[0];
      return treatment !== undefined && found.length === 2 ? conditionOf(experiment, treatment) : undefined;
    };
    for (const { name, share, share_fieller, share_of } of contrasts) {
      const hidden = gaining(name);
      const whole = contrasts.find((other) => other.name === share_of);
      const seen = whole && gaining(whole.name);
      if (!hidden?.surrogate || hidden.visibility !== 'exact') continue;
      if (seen?.visibility !== 'full' || seen.surrogate !== hidden.surrogate) continue;
      const isOracle = boundOf(experiment, hidden.name) === 'upper bound';
      const prefix = isOracle ? 'the real query' : `“${surrogateOf(hidden.surrogate).about.replaceAll("'", '’')}”`;
      const { mean } = whole!.gain;
      if (!isTold(mean) || mean.value! <= 0) without.push(prefix);
      else kept.push(`${prefix} keeps ${ratio(share_fieller ?? share)} percent`);
    }
  }
  const sentences = [
    ...(kept.length > 0 ? [`Hidden from the decoder, ${listed(kept)} of its own gain in full view.`] : []),
    ...(without.length > 0
      ? [`No gain in full view that hiding could leave was found for ${listed(without)} in front of the document.`]
      : []),
  ];
  return sentences.length > 0 ? sentences.join(' ') : undefined;
}
