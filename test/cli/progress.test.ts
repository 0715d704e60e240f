/** The lines that a long command leaves where there is no terminal. */
import { expect, it } from 'vitest';
import { Progress } from '../../src/cli/terminal.js';

it('says the beginning and the end of a job, and little between them', () => {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WriteStream;
  const progress = new Progress('ranking', 'candidates', stream);
  for (let done = 0; done <= 100; done += 5) progress.update(done, 100);
  progress.update(100, 100);
  progress.end();
  expect(lines).toEqual(['ranking  0/100 candidates  0%\n', 'ranking  100/100 candidates  100%\n']);
});
