/** What the server says of itself. */
import { z } from 'zod';
import { wireObject } from '../case.js';
import { countSchema } from '../numbers.js';
import { provenanceSchema } from '../primed.js';

export const healthSchema = wireObject({ status: z.literal('ok').describe('The process answers.') });

export const readySchema = wireObject({
  status: z
    .enum(['ready', 'loading', 'draining', 'closing'])
    .describe(
      'Requests are answered while it is `ready`; they still are while it is `draining`, and others should be asked.',
    ),
});

export const infoSchema = wireObject({
  name: z.literal('directed-kvcache').describe('The program.'),
  version: z.string().describe('Its version.'),
  model: wireObject({
    name: z.string().describe('The model’s name.'),
    family: z.string().describe('The model’s family.'),
    fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
    precision: z.string().describe('What the model computes in.'),
    device: z.string().describe('Where it computes.'),
    builtIn: z.boolean().describe('It is the built-in model.'),
  }),
  store: wireObject({
    location: z.string().describe('The store, without secrets.'),
    generation: z.string().nullable().describe('The generation that is served; null where no catalogue is.'),
    primed: provenanceSchema.nullable().describe('What the caller’s documents were primed with; null before any are.'),
  }),
  limits: wireObject({
    bodyBytes: countSchema.describe('Largest body of a request.'),
    documents: countSchema.describe('Most documents of a request.'),
    requests: countSchema.describe('Most requests in flight.'),
  }),
  uptimeSeconds: z.number().describe('Seconds since the start.'),
});
