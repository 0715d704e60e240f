/**
 * Packs, publishes, activates, compacts, rolls back and collects in a catalogue until it is killed. Each document says the round that it was put in.
 *
 *     tsx generations-child.ts STORE CATALOGUE SEED
 */
import { Random } from '../../src/base/random.js';
import { activate, readAlias, rollBack } from '../../src/store/generations/aliases.js';
import { listGenerations, readGeneration } from '../../src/store/generations/catalogue.js';
import { collect } from '../../src/store/generations/collect.js';
import { compact } from '../../src/store/generations/compact.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { packStore } from '../../src/store/generations/pack.js';
import { publish } from '../../src/store/generations/publish.js';
import { Takedowns } from '../../src/store/generations/takedowns.js';
import { openStore } from '../../src/store/open.js';
import { recordOf } from './records.js';

const [place = '', catalogue = '', seed = '0'] = process.argv.slice(2);
const random = new Random('kills', Number(seed));
const store = await openStore(place);
const files = new FolderFiles(catalogue);
const takedowns = new Takedowns(files);
const shardBytes = 30_000;
process.stdout.write('ready\n');
for (;;) {
  const alias = await readAlias(files, 'live');
  const live = alias && (await readGeneration(files, alias.generation));
  const step = random.below(live ? 6 : 1);
  if (step <= 2) {
    for (let count = 0; count < 5; count++) {
      const number = random.below(100);
      const text = random.below(1_000_000);
      await store.putDocument(`ad ${number}`, { bare: recordOf(text) }, { metadata: { text } });
    }
    const { generation } = await packStore(store, files, { parent: step === 0 ? undefined : live, shardBytes });
    await publish(files, generation.id);
    await activate(files, takedowns, 'live', generation.id);
  } else if (step === 3) {
    const { generation } = await compact(files, takedowns, live!, { shardBytes });
    await activate(files, takedowns, 'live', generation.id);
  } else if (step === 4) {
    await collect(files, takedowns, { minimumAgeMs: -5000 });
  } else {
    const [last] = alias!.earlier;
    const ids = (await listGenerations(files)).map(({ id }) => id);
    if (last && ids.includes(last.generation)) await rollBack(files, takedowns, 'live');
  }
  process.stdout.write('done\n');
}
