/**
 * Finds processes by what is in the environment they were started with. That is what makes killing safe when pids are used again: a
 * stranger that got the number does not carry our mark.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Pids of this user's processes whose environment has one of the marks, each `NAME=value`. Never our own. */
export async function marked(marks: string[]): Promise<number[]> {
  if (marks.length === 0) return [];
  const found = process.platform === 'linux' ? await fromProc(marks) : await fromPs(marks);
  return found.filter(pid => pid !== process.pid);
}

/** Kills them all, and what they start meanwhile. Resolves when none is left, or with those that will not go after five seconds. */
export async function killMarked(marks: string[]): Promise<number[]> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const left = await marked(marks);
    if (left.length === 0 || Date.now() > deadline) return left;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    await sleep(10);
  }
}

/** Something that names a process for good: its pid is used again, its pid and start time are not. Undefined when there is no such process. */
export async function startTime(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    // The name of the program comes second, in brackets, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  }
  return (await ps(['-o', 'lstart=', '-p', `${pid}`])).trim() || undefined;
}

function fromProc(marks: string[]): number[] {
  const wanted = marks.map(mark => `\0${mark}\0`);
  const found: number[] = [];
  // At once and not in the background: a hundred tiny files of memory are read in a millisecond, asked for one by one in ten.
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
      if (wanted.some(mark => environment.includes(mark))) found.push(Number(pid));
    } catch {
      // Another user's, or gone: not ours either way.
    }
  }
  return found;
}

async function fromPs(marks: string[]): Promise<number[]> {
  const lines = (await ps(['-axEww', '-o', 'pid=,command='])).split('\n');
  return lines.filter(line => marks.some(mark => ` ${line} `.includes(` ${mark} `))).map(line => Number.parseInt(line, 10));
}

const ps = (args: string[]) =>
  new Promise<string>(resolve => execFile('ps', args, { maxBuffer: 1 << 28 }, (_error, output) => resolve(output ?? '')));
