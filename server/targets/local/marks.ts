/**
 * The mark of a target: a variable in the environment of its warm parents and so of everything they start. A note in `<home>/targets`
 * says which process owns the mark; when the owner is gone, whatever still carries the mark was left behind.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { killMarked, startTime } from './processes';

export const markName = 'STEPWELL_TARGET';

const folder = (home: string) => join(home, 'targets');

/** A new mark's value, noted as this process's. */
export function newMark(home: string): string {
  const mark = randomBytes(9).toString('hex');
  mkdirSync(folder(home), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder(home), mark), `${process.pid}\n`, { mode: 0o600 });
  // Asked for after writing: whoever reads a note without it waits for the rest of it, or finds the process gone.
  void startTime(process.pid).then(time => {
    if (live.has(mark)) writeFileSync(join(folder(home), mark), `${process.pid} ${time}\n`);
  });
  live.add(mark);
  return mark;
}

/** Marks of targets of this process. */
const live = new Set<string>();

/** Kills what carries the mark and forgets it. Gives the pids that would not go. */
export async function dropMark(home: string, mark: string): Promise<number[]> {
  const left = await killMarked([`${markName}=${mark}`]);
  live.delete(mark);
  await rm(join(folder(home), mark), { force: true });
  return left;
}

/** Kills what targets of processes that are gone have left behind. */
export async function sweep(home: string): Promise<void> {
  const orphans: string[] = [];
  for (const mark of await readdir(folder(home)).catch(() => [])) {
    if (live.has(mark) || !/^[0-9a-f]+$/.test(mark)) continue;
    const [pid, time] = (await readFile(join(folder(home), mark), 'utf8').catch(() => '')).trim().split(' ');
    const now = await startTime(Number(pid));
    if (now !== undefined && (time === undefined || now === time)) continue;
    orphans.push(mark);
  }
  await killMarked(orphans.map(mark => `${markName}=${mark}`));
  await Promise.all(orphans.map(mark => rm(join(folder(home), mark), { force: true })));
}
