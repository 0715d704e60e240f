/** A run as `report.md`. */
import type { Summary } from '../experiments/analysis.js';
import type { RunRecord } from '../experiments/record.js';
import {
  conditionTable,
  FRAMING,
  gainTable,
  HARDNESS_NOTE,
  hardnessTable,
  METHODS,
  sampleNotes,
  warnings,
} from './comparisons.js';
import { origin } from './origin.js';
import { renderMarkdown } from './table.js';

export function markdownReport(summary: Summary, record: RunRecord): string {
  const { experiment } = summary.configuration;
  return `${[
    `# ${experiment.id}: ${experiment.title}`,
    experiment.question,
    ...warnings(summary).map((warning) => `> **${warning}**`),
    '## Gains',
    FRAMING,
    renderMarkdown(gainTable(summary)),
    METHODS,
    '## Conditions',
    renderMarkdown(conditionTable(summary)),
    '## Hardness',
    HARDNESS_NOTE,
    '**Split tokens**, mean gain in nats by fifth of hardness:',
    renderMarkdown(hardnessTable(summary, 'split')),
    '**Coupled** (the authors’ axis), the same:',
    renderMarkdown(hardnessTable(summary, 'coupled')),
    '## Samples',
    ...sampleNotes(summary).map((note) => `- ${note}`),
    '## Origin',
    renderMarkdown(origin(record)),
  ].join('\n\n')}\n`;
}
