/** `stepwell gc` and `stepwell pin`: what is kept, and what goes. */
import { Command, InvalidArgumentError } from 'commander';
import { readConfig } from '../config';

interface Flags {
  dryRun?: boolean;
  olderThan?: number;
  keep?: number;
  json?: boolean;
}

export function gcCommand(): Command {
  return new Command('gc')
    .description('remove artifacts that no run names any more, and, where asked to, runs that are old')
    .option('--older-than <days>', 'remove runs that were started so many days ago or earlier', number)
    .option('--keep <n>', 'of each notebook, keep the newest runs', number)
    .option('--dry-run', 'remove nothing, only say what would go')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Active and pinned runs stay. What was written or used within the last hour stays too, so this may be called while runs are going on.

Examples:
  stepwell gc --dry-run
  stepwell gc --older-than 30 --keep 5            runs of 30 days and more, except the newest five of each notebook`,
    )
    .action(gc);
}

export function pinCommand(): Command {
  return new Command('pin')
    .description('keep a run, and all that it needs, whatever its age')
    .argument('<run>', 'a run: its id, the beginning of it, or "last"')
    .option('--remove', 'let it go with the others again')
    .action(async (named: string, { remove }: { remove?: boolean }) => {
      const { findRun } = require('./findrun') as typeof import('./findrun');
      const { openStore } = require('../store') as typeof import('../store');
      const store = await openStore({ url: readConfig().database });
      try {
        const { id } = await findRun(store, named);
        await store.pinRun(id, !remove);
        process.stdout.write(`Run ${id} is ${remove ? 'no longer pinned' : 'pinned'}.\n`);
      } finally {
        await store.close();
      }
    });
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('A number of 0 or more is expected.');
  return value;
}

async function gc({ dryRun = false, olderThan, keep, json }: Flags): Promise<void> {
  const { openStore } = require('../store') as typeof import('../store');
  const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
  const { collect } = require('../engine/collect') as typeof import('../engine/collect');
  const { bytes, printJson } = require('./terminal') as typeof import('./terminal');
  const config = readConfig();
  const store = await openStore({ url: config.database });
  try {
    const before = olderThan === undefined ? undefined : new Date(Date.now() - olderThan * 24 * 60 * 60 * 1000).toISOString();
    const { home } = config;
    const found = await collect({ store, artifacts: openArtifacts(config.artifacts), home, retention: { before, keep }, dryRun });
    if (json) return printJson({ dryRun, ...found });
    const { runs, blobs, bytes: size, kept, young } = found;
    const verb = dryRun ? 'Would remove' : 'Removed';
    process.stdout.write(
      `${verb} ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} and ${blobs} ${blobs === 1 ? 'artifact' : 'artifacts'} (${bytes(size)}).\n`,
    );
    process.stdout.write(
      `Kept ${kept} artifacts that runs name${young > 0 ? `, and ${young} that were written within the last hour` : ''}.\n`,
    );
  } finally {
    await store.close();
  }
}
