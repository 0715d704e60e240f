/** A run as `report.md`. */
import type { FinishedRun } from '../../runs/schema/run.js';
import type { Block, Section } from '../content/block.js';
import { escapeMarkdown, renderMarkdown } from '../tables/table.js';
import { warnings } from '../words/notes.js';

/** @param pictures the file of a figure beside the report, by the figure's name; left out, figures are too */
export function markdownReport(
  { summary }: Pick<FinishedRun, 'summary'>,
  sections: readonly Section[],
  pictures?: (name: string) => string,
): string {
  const { experiment } = summary.configuration;
  const body = sections.flatMap(({ title, blocks }) => {
    const rendered = blocks.flatMap((block) => renderBlock(block, pictures));
    return rendered.length > 0 ? [`## ${title}`, ...rendered] : [];
  });
  return `${[
    `# ${escapeMarkdown(`${experiment.id}: ${experiment.title}`)}`,
    escapeMarkdown(experiment.question),
    ...warnings(summary).map((warning) => `> **${escapeMarkdown(warning)}**`),
    ...body,
  ].join('\n\n')}\n`;
}

function renderBlock(block: Block, pictures?: (name: string) => string): string[] {
  switch (block.kind) {
    case 'text':
      return [escapeMarkdown(block.text)];
    case 'list':
      return [block.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n')];
    case 'table':
      return [`**${escapeMarkdown(block.title)}**`, renderMarkdown(block.table)];
    case 'figure':
      return pictures
        ? [`![${escapeMarkdown(block.caption)}](${pictures(block.name)})`, escapeMarkdown(block.caption)]
        : [];
  }
}
