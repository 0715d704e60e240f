/** What `dkv init` wrote. */
import { z } from 'zod';
import { wireObject } from './case.js';

export const initSchema = wireObject({
  folder: z.string().describe('The new folder.'),
  files: z.array(z.string()).readonly().describe('The files that were written.'),
  commands: z.array(z.string()).readonly().describe('The commands to go on with, in their order.'),
});
