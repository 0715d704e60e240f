import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';

describe('dkv completion', () => {
  it.each([
    [
      'dkv ',
      [
        'demo',
        'init',
        'plan',
        'run',
        'list',
        'report',
        'compare',
        'pool',
        'log',
        'import',
        'score',
        'prime',
        'rank',
        'evaluate',
        'serve',
        'store',
        'keys',
        'fleet',
        'models',
        'data',
        'devices',
        'doctor',
        'sanity',
        'completion',
        '--version',
        '--help',
      ],
    ],
    ['dkv mo', ['models']],
    ['dkv models ', ['pull', 'list', 'info', 'compile', 'verify', 'rm', '--help']],
    [
      'dkv store ',
      [
        ...['stats', 'verify', 'gc', 'export', 'import', 'copy'],
        ...['pack', 'publish', 'activate', 'rollback', 'generations', 'diff', 'compact', 'collect'],
        ...['takedown', 'takedowns', 'audit', '--help'],
      ],
    ],
    ['dkv prime --states ', ['float32', 'float16', 'int8']],
    ['dkv run exp01 --res', ['--resume']],
    ['dkv score --precision ', ['float32', 'tf32', 'bfloat16', 'float16', 'int8']],
    ['dkv score --model ', []],
  ])('completes "%s" in bash', async (line, expected) => {
    const { stdout: script } = await dkv(['completion', 'bash']);
    const words = line.split(' ');
    const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _dkv; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.split('\n').filter(Boolean)).toEqual(expected);
  });

  it('knows zsh and fish, and says what it does not know', async () => {
    expect((await dkv(['completion', 'zsh'])).stdout).toMatch(/^#compdef dkv\n/);
    expect((await dkv(['completion', 'fish'])).stdout).toContain(
      "complete -c dkv -n '__fish_seen_subcommand_from run' -l resume",
    );
    expect(await dkv(['completion', 'powershell'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('bash, zsh, fish'),
    });
  });
});
