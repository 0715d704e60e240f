/**
 * Who may read what commands write. Runs, stores, exports and caches hold the user's texts, so files and folders are made for their owner
 * alone, whatever the shell's own setting, unless `--umask` says otherwise. It holds for the whole process: threads, engines in
 * processes of their own, and libraries. What was there already keeps the rights that it has.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** The mask that gives the group and others no rights. */
const OWNER_ONLY = 0o077;

/** Sets the mask. Call it before anything is written. If the shell's own setting takes away more rights, that is kept. */
export function keepFilesPrivate(): void {
  process.umask(process.umask() | OWNER_ONLY);
}

/** @param command gets the option, which holds from before its action on */
export function addUmaskOption(command: Command): void {
  const explanation = 'rights that new files and folders lack, such as 022 to let everybody read them (default: 077)';
  command.addOption(new Option('--umask <mode>', explanation).argParser(umask));
  command.hook('preAction', (own) => {
    const { umask: mode } = own.opts<{ umask?: number }>();
    if (mode !== undefined) process.umask(mode);
  });
}

function umask(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new InvalidArgumentError('Expected octal digits, such as 022.');
  const mode = Number.parseInt(text, 8);
  if ((mode & ~OWNER_ONLY) !== 0) {
    throw new InvalidArgumentError('It would keep the files from yourself: expected 0 to 77.');
  }
  return mode;
}
