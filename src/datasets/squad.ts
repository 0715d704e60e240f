/**
 * Question answering in SQuAD's JSON form (SQuAD, XQuAD and what follows them): paragraphs with questions and answers that are spans of
 * them. Licence and origin are the file's.
 */
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { parseJson } from '../base/json.js';
import { parse } from '../base/parse.js';
import { Random } from '../base/random.js';
import { readText } from '../base/text-input.js';
import { type Dataset, datasetOf, type SampleRequest, type Source } from '../samples/dataset.js';
import type { Sample } from '../samples/sample.js';
import { isFactoid } from './draw.js';
import { identifier } from './values.js';

const squadSchema = z.object({
  version: z.string().optional(),
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(
            z.object({
              id: identifier,
              question: z.string(),
              answers: z.array(z.object({ text: z.string() })).default([]),
            }),
          ),
        }),
      ),
    }),
  ),
});

export function squadSource(file: string): Source {
  return { about: `${file} in SQuAD's form`, samples: (request) => squadDataset(file, request) };
}

/**
 * Up to `count` samples, chosen by the seed. Every paragraph gives one question before any gives a second, so that samples are as
 * independent as the file allows; `cluster` names the paragraph. Questions without an answer are left out; one whose answer is empty is not. Paragraphs without a sample are
 * the padding.
 * @throws DkvError INPUT_INVALID when the file is missing or of another form
 */
async function squadDataset(
  file: string,
  { seed, count, rule = 'standard', padding: wanted = 0 }: SampleRequest,
): Promise<Dataset> {
  const { version, data } = await readSquad(file);
  const random = new Random('squad', seed);
  const paragraphs = data.flatMap(({ paragraphs }) => paragraphs);
  const byParagraph = random.shuffle([...paragraphs.keys()]).map((index) => {
    const { context, qas } = paragraphs[index]!;
    return random.shuffle(qas).flatMap(({ id, question, answers }): Sample[] => {
      const answer = answers[0]?.text;
      const fits = answer !== undefined && (rule !== 'factoid' || isFactoid(answer));
      return fits ? [{ id, document: context, query: question, answer, cluster: `paragraph-${index}` }] : [];
    });
  });
  const samples: Sample[] = [];
  for (let round = 0; samples.length < count; round++) {
    const taken = byParagraph.flatMap((questions) => questions[round] ?? []);
    if (taken.length === 0) break;
    samples.push(...taken);
  }
  const origin = {
    name: path.basename(file),
    revision: version ?? 'unversioned',
    licence: 'of the file',
    selection: `questions with an answer${rule === 'factoid' ? ' of five words at most' : ''}, one of each paragraph before a second of any, at random`,
  };
  const chosen = samples.slice(0, count);
  const used = new Set(chosen.map(({ document }) => document));
  const others = paragraphs.map(({ context }) => context).filter((context) => !used.has(context));
  return datasetOf(origin, chosen, wanted > 0 ? random.shuffle(others) : []);
}

async function readSquad(file: string): Promise<z.infer<typeof squadSchema>> {
  const invalid = (message: string) => new DkvError('INPUT_INVALID', `${file}: ${message}`);
  const text = await readText(file);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw invalid(`not JSON: ${messageOf(error)}`);
  }
  return parse(squadSchema, json, 'INPUT_INVALID', `${file}: not in SQuAD's form`);
}
