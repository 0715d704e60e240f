import { describe, expect, it } from 'vitest';
import { LoadedGraphs, type WantedGraph } from '../../src/engine/loaded-graphs.js';

/** Graphs that only say when they are loaded and released. */
function journal() {
  const said: string[] = [];
  const wanted = (key: string, bytes: number, fails = () => false): WantedGraph => ({
    key,
    bytes: () => bytes,
    load: async () => {
      if (fails()) throw new Error(`${key} does not load`);
      said.push(`+${key}`);
      return { run: async () => ({}), inputs: [], release: async () => void said.push(`-${key}`) };
    },
  });
  return { said, wanted };
}

const nothing = async () => undefined;

describe('loaded graphs', () => {
  it('are loaded once, and all stay where memory has no bound', async () => {
    const { said, wanted } = journal();
    const graphs = new LoadedGraphs();
    for (const key of ['encoder', 'score', 'encoder']) await graphs.with([wanted(key, 10)], nothing);
    expect(said).toEqual(['+encoder', '+score']);
    await graphs.close();
    expect(said.slice(2).sort()).toEqual(['-encoder', '-score']);
  });

  it('make room for the next, those that were not used for longest first', async () => {
    const { said, wanted } = journal();
    const graphs = new LoadedGraphs(20);
    for (const key of ['encoder', 'score', 'encoder', 'generate', 'score']) {
      await graphs.with([wanted(key, 10)], nothing);
    }
    expect(said).toEqual(['+encoder', '+score', '-score', '+generate', '-encoder', '+score']);
  });

  it('stay while something is run on them, and together with what is needed beside them', async () => {
    const { said, wanted } = journal();
    const graphs = new LoadedGraphs(20);
    let end: () => void = () => undefined;
    const running = graphs.with([wanted('score', 15)], () => new Promise<void>((resolve) => (end = resolve)));
    const next = graphs.with([wanted('cross', 10), wanted('generate', 15)], nothing);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(said).toEqual(['+score']);
    end();
    await Promise.all([running, next]);
    expect(said).toEqual(['+score', '-score', '+cross', '+generate']);
  });

  it('are tried again after they failed to load, and not loaded after the end', async () => {
    const { said, wanted } = journal();
    const graphs = new LoadedGraphs(20);
    let tries = 0;
    const graph = wanted('encoder', 10, () => tries++ === 0);
    await expect(graphs.with([graph], nothing)).rejects.toThrow('does not load');
    await graphs.with([graph], nothing);
    await graphs.close();
    expect(said).toEqual(['+encoder', '-encoder']);
    await expect(graphs.with([graph], nothing)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
  });
});
