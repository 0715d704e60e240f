import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { shownAddress, withoutSecrets } from '../../src/base/redact.js';

/** Addresses with a secret in them, well formed and not. Wherever a secret is in an address, it has "s3cr" in it. */
const WITH_SECRETS: [address: string, shown: string][] = [
  [`Bearer dkv_4n0x8z2k7q1c_${'0123456789abcdef'.repeat(4)} is refused`, 'Bearer dkv_4n0x8z2k7q1c_[hidden] is refused'],
  ['redis://me:s3cret@cache:6379/2', 'redis://[hidden]@cache:6379/2'],
  ['redis://:s3cret@cache', 'redis://[hidden]@cache'],
  ['redis://s3cret@cache', 'redis://[hidden]@cache'],
  ['rediss://me:s3cr%40t%2F@cache:6379?prefix=ads', 'rediss://[hidden]@cache:6379?prefix=ads'],
  ['redis://me:s3cr/et@cache:6379', 'redis://[hidden]@cache:6379'],
  ['redis://s3cr/et@cache:6379', 'redis://[hidden]@cache:6379'],
  ['redis://me:s3cr#et@cache', 'redis://[hidden]@cache'],
  ['redis://me:s3cr?et@cache', 'redis://[hidden]@cache'],
  ['redis://me:s3cr@t@cache', 'redis://[hidden]@cache'],
  ['redis://me:"s3cr\'et"@cache', 'redis://[hidden]@cache'],
  ['redis:/me:s3cret@cache', 'redis:/[hidden]@cache'],
  ['redis//me:s3cret@cache', 'redis//[hidden]@cache'],
  ['redis:me:s3cret@cache', 'redis:[hidden]@cache'],
  ['REDIS://me:s3cret@cache', 'REDIS://[hidden]@cache'],
  ['redsi://me:s3cret@cache', 'redsi://[hidden]@cache'],
  ['redis:///me:s3cret@cache', 'redis:///[hidden]@cache'],
  ['redis://:s3cret', 'redis://:[hidden]'],
  ['redis://cache:s3cr!"et', 'redis://cache:[hidden]'],
  ['redis://cache:s3cret/2', 'redis://cache:[hidden]/2'],
  ['htp://user:s3cret@host/v1', 'htp://[hidden]@host/v1'],
  ['https://s3cretToken@host/v1', 'https://[hidden]@host/v1'],
  ['https://user:s3cr/et@host/@name', 'https://[hidden]@name'],
  ['s3://AKIA:s3cret@bucket/prefix', 's3://[hidden]@bucket/prefix'],
  [
    'https://b.s3.amazonaws.com/d.parquet?X-Amz-Credential=s3cr&X-Amz-Signature=s3cret',
    'https://b.s3.amazonaws.com/d.parquet?X-Amz-Credential=[hidden]&X-Amz-Signature=[hidden]',
  ],
  [
    'https://a.blob.core.windows.net/d.csv?sv=1&sig=s3cr%2Bet',
    'https://a.blob.core.windows.net/d.csv?sv=[hidden]&sig=[hidden]',
  ],
  ['https://host/d.csv?token=s3cret#access_token=s3cret', 'https://host/d.csv?token=[hidden]#access_token=[hidden]'],
  ['https://host/d.csv?s3cret', 'https://host/d.csv?[hidden]'],
  ['https://host/d.csv?q=s3cret', 'https://host/d.csv?q=[hidden]'],
];

const WITHOUT = [
  'redis://cache:6379/2?prefix=ads',
  'rediss://[::1]:6379/2',
  's3://bucket/some/prefix',
  'store/of/ads',
  '/home/me/a@b:c/store',
  'C:/Users/me@home/store',
  'google/t5gemma-2-270m-270m@main',
  'https://huggingface.co',
  'http://127.0.0.1:8000/v1',
  'https://medium.example/@name/post',
  'https://cdn.example/package@1.2.3/index.js',
  'https://huggingface.co/api/models/a/b/revision/main?blobs=true',
  'redis://host:port/database?prefix=name',
  'memory:',
];

describe('an address as it is shown', () => {
  it.each(WITH_SECRETS)('%s', (address, shown) => {
    expect(shownAddress(address)).toBe(shown);
    expect(shownAddress(shown)).toBe(shown);
  });

  it.each(WITHOUT)('%s stays', (address) => expect(shownAddress(address)).toBe(address));

  it('has no password with white space', () => {
    expect(shownAddress('redis://me:s3cr et@cache')).toBe('redis://[hidden]@cache');
    expect(shownAddress('me:s3cret@cache:6379')).toBe('[hidden]@cache:6379');
  });

  it('has no password, whatever characters it is of', () => {
    const scheme = fc.constantFrom('redis://', 'redis:/', 'redis//', 'rediss://', 'htp://', 'https://', 's3://');
    const password = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => `s3cr${text}s3cr`);
    fc.assert(
      fc.property(scheme, password, (before, secret) => {
        expect(shownAddress(`${before}me:${secret}@cache:6379/1`)).not.toContain('s3cr');
        expect(withoutSecrets(`${before}me:${encodeURIComponent(secret)}@cache`)).not.toContain('s3cr');
      }),
    );
  });
});

describe('a text with addresses in it', () => {
  it.each(WITH_SECRETS.filter(([address]) => !address.endsWith('?q=s3cret') && !address.endsWith('?s3cret')))(
    'hides what is secret of %s',
    (address) => {
      for (const text of [
        `${address}: ECONNREFUSED`,
        `"${address}" is no place, (${address}).`,
        `{"url":"${address}"}`,
      ]) {
        expect(withoutSecrets(text)).not.toContain('s3cr');
      }
    },
  );

  it.each([
    ...WITHOUT.map((address) => `${address}: ECONNREFUSED, "${address}" (${address}).`),
    'https://huggingface.co: no answer for 8 s',
    'the id https://shop.example/p?item=5&colour=green appears twice',
    'at file:///app/node_modules/.pnpm/zod@4.1.0/node_modules/zod/index.js:12:5',
    'write to me@example.org: it is free',
    'document a:b@c is not in the store',
    'the key=value form; token = word',
  ])('leaves %s', (text) => expect(withoutSecrets(text)).toBe(text));

  it('is searched in time that grows with its length alone', () => {
    for (const piece of ['a://', '://', 'a:', 'token', '?token', '@', 'https:']) {
      expect(withoutSecrets(piece.repeat(20_000)).length).toBeGreaterThan(0);
    }
  });

  it('is every message of an error', () => {
    const { message, stack } = new DkvError('STORE_UNREACHABLE', 'redis://me:s3cret@cache: refused');
    expect(message).toBe('redis://[hidden]@cache: refused');
    expect(stack).not.toContain('s3cret');
  });
});
