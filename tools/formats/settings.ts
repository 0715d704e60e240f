/** The table of a server's settings in docs/serving.md, made of their schema. */
import { settingsSchema } from '../../src/server/settings.js';
import { cell, describeSchema } from './table.js';

/** @throws Error for a setting that nobody explained */
export function settingsMarkdown(): string {
  const [rows = []] = describeSchema(settingsSchema).tables;
  // A section whose fields all have defaults needs no line of its own.
  const settings = rows.filter(({ otherwise }) => typeof otherwise !== 'object' || Array.isArray(otherwise));
  const unexplained = settings.filter(({ meaning }) => meaning === '');
  if (unexplained.length > 0) {
    throw new Error(`Nobody says what the settings ${unexplained.map(({ field }) => field).join(', ')} mean.`);
  }
  return [
    '| setting | type | default | meaning |',
    '| --- | --- | --- | --- |',
    ...settings.map(({ field, type, otherwise, meaning }) => {
      const isOptional = field.endsWith('?');
      const value = otherwise === undefined ? (isOptional ? '' : 'must be there') : `\`${JSON.stringify(otherwise)}\``;
      return `| \`${field.replace(/\?$/, '')}\` | ${cell(type)} | ${value} | ${cell(meaning)} |`;
    }),
  ].join('\n');
}
