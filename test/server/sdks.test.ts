/** README's examples of serving, and Cohere's SDK as npm has it, pointed at the server. tools/sdks does the same with Python's. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CohereClient, CohereError } from 'cohere-ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { ANYBODY } from '../../src/server/caller.js';
import { prime } from '../../src/serving/prime.js';
import { servingBlocks } from '../support/readme-blocks.js';
import { served } from '../support/server.js';

const run = promisify(execFile);
const KEY = 'dkv_of_a_test';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const DOCUMENTS = [
  { id: 'lamp', text: 'The green lamp costs 24 euros and gives warm light.' },
  { id: 'chair', text: 'The oak chair costs 80 euros.' },
  { id: 'desk', text: 'A desk of pine, 120 cm wide.' },
];
const QUERY = 'warm light';

/** A server on a port, which wants a key. */
async function listening() {
  const own = await served(model, {
    callers: (authorization) => {
      if (authorization !== `Bearer ${KEY}`) throw new DkvError('UNAUTHORIZED', 'Another key was expected.');
      return ANYBODY;
    },
  });
  await prime(model, own.store, DOCUMENTS, { surrogates: ['doc_kw'] });
  const url = await own.app.listen({ host: '127.0.0.1', port: 0 });
  const ask = async (body: object) =>
    (await own.ask('POST', '/v1/rerank', body, { authorization: `Bearer ${KEY}` })).body;
  return { url, ask };
}

describe('the README', () => {
  it('has programs that run, and a line for curl', async () => {
    const { url } = await listening();
    const env = { ...process.env, DKV_KEY: KEY };
    const programs = await servingBlocks('js', url);
    expect(programs.length).toBeGreaterThan(1);
    for (const [at, program] of programs.entries()) {
      // In the package's own folder, where its name and its dependencies are found.
      const file = path.resolve(import.meta.dirname, `../../.readme-${process.pid}-${at}.mjs`);
      await writeFile(file, program);
      try {
        const { stdout, stderr } = await run(process.execPath, [file], { env });
        expect(stderr).toBe('');
        expect(stdout).toMatch(program.includes('openai') ? /\S/ : /^[01] 0\.\d+(e-\d+)?\n$/);
      } finally {
        await rm(file);
      }
    }
    const [curl, ...others] = (await servingBlocks('sh', url)).filter((block) => block.startsWith('curl'));
    expect(others).toEqual([]);
    const isThere = await run('curl', ['--version']).then(
      () => true,
      () => false,
    );
    if (!isThere) return;
    const { stdout } = await run('sh', ['-c', curl!.trimEnd().concat(` -s -H 'authorization: Bearer ${KEY}'`)]);
    expect(JSON.parse(stdout).results).toHaveLength(1);
  });
});

describe('Cohere’s SDK', () => {
  it('gets the numbers of the route for texts in both versions, and for primed documents in the first', async () => {
    const { url, ask } = await listening();
    const cohere = new CohereClient({ token: KEY, environment: url });
    const texts = DOCUMENTS.map(({ text }) => text);
    const ids = DOCUMENTS.map(({ id }) => ({ id }));
    const asked = { model: 'directed-kvcache', query: QUERY, topN: 2 };
    const expected = async (documents: readonly unknown[]) =>
      (await ask({ query: QUERY, documents, top_n: 2 })).results.map(
        ({ index, relevance_score }: { index: number; relevance_score: number }) => [index, relevance_score],
      );
    const shown = (answer: { results: readonly { index: number; relevanceScore: number }[] }) =>
      answer.results.map(({ index, relevanceScore }) => [index, relevanceScore]);
    expect(shown(await cohere.rerank({ ...asked, documents: texts }))).toEqual(await expected(texts));
    expect(shown(await cohere.rerank({ ...asked, documents: texts.map((text) => ({ text })) }))).toEqual(
      await expected(texts),
    );
    expect(shown(await cohere.v2.rerank({ ...asked, documents: texts }))).toEqual(await expected(texts));
    const stored = await cohere.rerank({ ...asked, documents: ids as never, returnDocuments: true });
    expect(shown(stored)).toEqual(await expected(ids));
    expect(stored.results[0]!.document).toMatchObject(DOCUMENTS[stored.results[0]!.index]!);
    expect(stored.meta?.billedUnits?.searchUnits).toBe(1);
  });

  it('throws what the server refuses, with its status and its words', async () => {
    const { url } = await listening();
    const asked = { model: 'directed-kvcache', query: QUERY, documents: ['a lamp'] };
    const refused = (client: CohereClient, own = {}) =>
      client.rerank({ ...asked, ...own }).catch((error: unknown) => error);
    const stranger = await refused(new CohereClient({ token: 'other', environment: url }));
    expect(stranger).toBeInstanceOf(CohereError);
    expect(stranger).toMatchObject({ statusCode: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    const cohere = new CohereClient({ token: KEY, environment: url });
    expect(await refused(cohere, { model: 'rerank-v3.5' })).toMatchObject({
      statusCode: 404,
      body: { error: { code: 'MODEL_UNKNOWN' } },
    });
  });
});

describe('OpenAI’s SDK', () => {
  it('gets completions of primed documents, whole and in parts, and what is refused', async () => {
    const { url } = await listening();
    const openai = new OpenAI({ apiKey: KEY, baseURL: `${url}/v1` });
    const asked = {
      model: 'directed-kvcache',
      document_id: 'lamp',
      prompt: 'The lamp costs',
      max_tokens: 8,
      temperature: 0,
    };
    const { choices, usage } = await openai.completions.create({ ...asked, logprobs: 1 });
    expect(usage!.completion_tokens).toBeGreaterThan(0);
    expect(choices[0]!.logprobs!.token_logprobs).toHaveLength(usage!.completion_tokens);
    let text = '';
    for await (const part of await openai.completions.create({ ...asked, stream: true })) text += part.choices[0]!.text;
    expect(text).toBe(choices[0]!.text);
    const refused = (own: object) => openai.completions.create({ ...asked, ...own }).catch((error: unknown) => error);
    const gone = await refused({ document_id: 'none' });
    expect(gone).toBeInstanceOf(OpenAI.NotFoundError);
    expect(gone).toMatchObject({ status: 404, code: 'DOCUMENT_MISSING' });
    expect(await refused({ model: 'gpt-4' })).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
  });
});
