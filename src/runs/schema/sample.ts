/** What a run keeps of a sample: what the statistics need to know of it and, unless it is unwanted, its texts for the report. */
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { tryParse } from '../../base/parse.js';
import { RESUME } from './advice.js';
import { keptTextSchema } from './kept-text.js';
import { type FileContent, fileChecksum, unpackedBytesOf, unsealLines, wholeLines } from './sealed.js';

export const SAMPLES_FILE = 'samples.jsonl';

/** The places that a wrong answer can come from. */
export const WRONG_ANSWER_CLASSES = ['distractor', 'same document', 'same kind', 'other sample'] as const;

export type WrongAnswerClass = (typeof WRONG_ANSWER_CLASSES)[number];

export const sampleSchema = z.strictObject({
  id: z.string().describe('The sample’s id, unique in the run.'),
  cluster: z.string().optional().describe('Samples of one cluster are not independent.'),
  query_as: z
    .string()
    .optional()
    .describe('The first sample with the same query, where texts are not kept: the two are not independent.'),
  kind: z
    .string()
    .optional()
    .describe(
      'AdWorld’s kind of question, of a candidate its pool’s: samples of one kind are not independent. Absent in other data, and in runs of older versions.',
    ),
  pool: z.string().optional().describe('The pool, where the sample is a candidate.'),
  candidate: z.string().optional().describe('The candidate’s name in the pool.'),
  grade: z.number().optional().describe('The candidate’s grade.'),
  relevant: z.number().optional().describe('The lowest grade that counts as relevant.'),
  control_tokens: z
    .array(z.string())
    .optional()
    .describe('Control tokens that the texts hold as they are written, such as `<bos>`.'),
  control_pieces: z
    .array(z.string())
    .optional()
    .describe(
      'Those of `control_tokens` that the vocabulary turns into their ids although they were read as text (T5’s `</s>`).',
    ),
  wrong_answers: z
    .array(
      z.strictObject({
        answer: keptTextSchema.describe('The answer’s text, or where texts are not kept its digest and length.'),
        from: z
          .enum(WRONG_ANSWER_CLASSES)
          .describe(
            '`distractor`: what the document gives for something else beside the answer; `same document`: the answer to another question of the document; `same kind`: what the generator could have told instead; `other sample`: another sample’s answer.',
          ),
        tokens: z.number().int().positive().describe('Its tokens.'),
      }),
    )
    .optional()
    .describe(
      'The wrong answers that the right one is held against, where the experiment’s outcomes have `contrast`; none of a sample without an answer.',
    ),
  texts: z
    .strictObject({
      document: z.string().describe('What was encoded.'),
      query: z.string().describe('The query’s text.'),
      answer: z.string().describe('The answer’s text.'),
      target: z.array(z.string()).describe('The scored text, token by token.'),
    })
    .optional()
    .describe('Absent where texts were not to be kept.'),
});

/** A sample of a run, with its texts unless the run was told not to keep them. */
export type SampleRecord = z.infer<typeof sampleSchema>;

const ADVICE = `Remove the file and go on with the run (${RESUME}): it is written again.`;

/**
 * Reads the content of a `samples.jsonl`.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED naming the lines that are not as they were written, INPUT_INVALID for content that is still compressed
 */
export function parseSamples(content: FileContent, file = SAMPLES_FILE): SampleRecord[] {
  const bytes = unpackedBytesOf(content, file);
  const records = unsealLines(file, bytes, checkedSample, ADVICE);
  if (wholeLines(bytes) === bytes.length && bytes.length > 0) return records;
  const found = bytes.length === 0 ? 'empty, and a run has samples' : `its last line, ${records.length + 1}, is torn`;
  throw new DkvError('RUN_DAMAGED', `${file}: ${found}. ${ADVICE}`);
}

/**
 * Reads the samples of a run that is known, which may say what file of them is its own.
 * @throws DkvError as `parseSamples`, and RUN_DAMAGED for samples of another run
 */
export function parseOwnSamples(
  content: FileContent,
  { samples_crc32: own }: { readonly samples_crc32?: string | undefined },
  file = SAMPLES_FILE,
): SampleRecord[] {
  const bytes = unpackedBytesOf(content, file);
  const records = parseSamples(bytes, file);
  const found = fileChecksum(bytes);
  if (own === undefined || found === own) return records;
  throw new DkvError(
    'RUN_DAMAGED',
    `${file}: its CRC-32 is ${found}, that of the run’s own samples ${own}: these are another run’s, or were changed. Bring the run’s own back from a copy. ${ADVICE}`,
  );
}

function checkedSample(value: unknown): SampleRecord {
  const parsed = tryParse(sampleSchema, value);
  if (parsed.success) return parsed.data;
  throw new Error(`not a sample of a run: ${parsed.problem}`);
}
