/** A writer of a file of a catalogue in a folder, to be killed: takes the bytes from standard input, says `ready` and puts them. */
import { buffer } from 'node:stream/consumers';
import { FolderFiles } from '../../src/store/generations/folder-files.js';

const [folder = '', name = ''] = process.argv.slice(2);
const bytes = await buffer(process.stdin);
process.stdout.write('ready\n', async () => {
  await new FolderFiles(folder).put(name, bytes);
  process.stdout.write('done\n');
});
