/** The digest of reference queries: stores of earlier versions name theirs by it. */
import { expect, it } from 'vitest';
import { referenceQueriesOf } from '../../src/serving/reference-queries.js';

it('is that of an example', () => {
  const queries = ['garden chair', 'Where can I buy a "cheap" lamp?'];
  const digest = 'b1fd15768deeec168c51dd3b7c6b42a7a682553e5da47ffcd85bdeb684cd089e';
  expect(referenceQueriesOf(queries)).toEqual({ digest, queries });
  expect(referenceQueriesOf(queries.toReversed()).digest).not.toBe(digest);
});
