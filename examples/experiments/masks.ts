// Does the line break carry the prefix? Run it with: dkv run examples/experiments/masks.ts
import { type Condition, defineExperiment, type Segment } from 'directed-kvcache';

const seen: Record<string, Segment[]> = { D: ['document'], ND: ['separator', 'document'], N: ['separator'] };
const cells: Condition[] = Object.entries(seen).map(([name, visibility]) => ({
  name,
  surrogate: 'doc_kw',
  visibility,
}));
const blind: Condition = {
  ...cells[0]!,
  name: 'D, line break blind to the prefix',
  blocked: [{ rows: ['separator'], columns: ['prefix'] }],
};

export default defineExperiment({
  id: 'masks',
  title: 'What the line break carries',
  question: 'Does the line break pass the prefix on to the document?',
  protocol: { samples: 200 },
  conditions: [{ name: 'bare', visibility: 'exact' }, ...cells, blind],
  comparisons: ['D', 'ND', 'N', blind.name].map((treatment) => ({ treatment, baseline: 'bare' })),
});
