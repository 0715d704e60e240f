/** Programs of the system that do not answer. */
import { expect, it } from 'vitest';
import { runTool } from '../../src/devices/run-tool.js';

it.skipIf(process.platform === 'win32')('does not wait for a program that holds on when it is stopped', async () => {
  // Its child has the pipe, as a process that the kernel does not let go has.
  const answer = await runTool('sh', ['-c', "trap '' TERM; sleep 20 & wait; sleep 20"], { limitMs: 200 });
  expect(answer).toEqual({ problem: 'no answer in 0.2 s' });
});
