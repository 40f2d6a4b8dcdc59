/** The local target with the real runner: what every target must do, and what becomes of processes when others are killed. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alive, Ear, makePlace, type Place, removePlace, someTask, targetSuite } from '../suite';
import { createLocalTarget, type LocalTarget } from './index';
import { marked } from './processes';
import { python } from './python-for-tests';

jest.setTimeout(30_000);

const runnerPath = join(__dirname, '..', '..', '..', 'runner');
const options = ({ home, folder }: Place) => ({ python, runnerPath, home, folder, modules: ['math'], grace: 500 });

async function warm(place: Place): Promise<LocalTarget> {
  const target = createLocalTarget(options(place));
  await target.warm();
  return target;
}

targetSuite('local', warm);

/** Says `left PID` for a process that has left its step's group, then waits. */
const escapes = [
  'import subprocess\nleft = subprocess.Popen(["sleep", "600"], start_new_session=True)\nprint("left", left.pid, flush=True)',
  'import time\nprint("waiting", flush=True)\ntime.sleep(600)',
];

describe('the local target', () => {
  let place: Place;
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(() => removePlace(place));

  it('keeps every event in the attempt’s folder', async () => {
    const target = await warm(place);
    const ear = new Ear(target);
    const task = someTask(place, ['print("kept")']);
    await target.start(task);
    await ear.ended(task);
    await target.close();
    const lines = readFileSync(join(task.attemptFolder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
    const told = ear.of(task).flatMap(one => (one.what === 'event' && one.event.type !== 'result' ? [one] : []));
    expect(lines.map(line => JSON.parse(line))).toEqual(told.map(one => one.event));
    expect(told.map(one => one.number)).toEqual(told.map((_, index) => index + 1));
  });

  it('ends an attempt as the platform’s failure when its parent is killed, and runs the next', async () => {
    const target = await warm(place);
    const ear = new Ear(target);
    const task = someTask(place, escapes);
    await target.start(task);
    await ear.until(() => ear.printed(task).includes('waiting'));
    const left = Number(/left (\d+)/.exec(ear.printed(task))![1]);
    const started = ear.of(task)[0];
    const pid = started?.what === 'event' && started.event.type === 'started' ? started.event.pid : 0;
    process.kill(parentOf(pid), 'SIGKILL');
    expect((await ear.ended(task)).error).toMatchObject({
      kind: 'platform',
      message: expect.stringMatching(/"train" was interrupted.*SIGKILL/),
    });
    // Certain to go, as target.ts promises; the machine may take a moment.
    while ([pid, left].some(alive)) await new Promise(resolve => setTimeout(resolve, 20));
    const next = someTask(place, ['print("next")']);
    await target.start(next);
    expect((await ear.ended(next)).error).toBeUndefined();
    await target.close();
  });

  it('leaves nothing for long when the engine is killed, and recovers', async () => {
    const task = someTask(place, escapes);
    const child = spawn(process.execPath, [join(__dirname, 'holder.js'), JSON.stringify({ options: options(place), task })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid, left] = await new Promise<[number, number]>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk;
        const pids = [/"pid":(\d+)/, /left (\d+)/].map(one => Number(one.exec(said)?.[1]));
        if (said.includes('waiting')) resolve(pids as [number, number]);
      });
      child.on('close', () => reject(new Error(`ended by itself: ${said}`)));
    });
    expect([pid, left].map(alive)).toEqual([true, true]);
    const gone = new Promise(resolve => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    const target = await warm(place);
    const ear = new Ear(target);
    await target.recover([task]);
    expect((await ear.ended(task)).error).toMatchObject({ kind: 'platform' });
    expect([pid, left].map(alive)).toEqual([false, false]);
    await target.close();
    expect(readdirSync(join(place.home, 'targets'))).toEqual([]);
    expect(await marked([`STEPWELL_ATTEMPT=${task.run}/${task.step}/${task.attempt}`])).toEqual([]);
  });

  it.each(['../../etc', 'a/b', '', '.', 'a\0b', 'ü', 'x'.repeat(201)])('never makes a folder of the step name %j', async step => {
    const target = createLocalTarget(options(place));
    await expect(target.start({ ...someTask(place, []), step })).rejects.toThrow(/Not the name of a step/);
    await target.close();
  });
});

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
