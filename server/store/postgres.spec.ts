/** The store on a real PostgreSQL, started here in a temporary folder. Where none is installed the suite is skipped, and says so. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, openStore } from './index';
import { storeSuite } from './suite';

const programs = findPrograms();
const folder = mkdtempSync(join(tmpdir(), 'stepwell-pg-'));
const data = join(folder, 'data');
/** Who runs it when we are root: the server refuses to. */
const user = process.getuid?.() === 0 ? numericUser(['postgres', 'nobody']) : undefined;
const address = (database: string) => `postgres://stepwell@/${database}?host=${encodeURIComponent(folder)}`;

if (programs) {
  beforeAll(() => {
    if (user) chownSync(folder, user.uid, user.gid);
    run('initdb', ['--no-sync', '-A', 'trust', '-U', 'stepwell', '-E', 'UTF8', '--locale', 'C', '-D', data]);
    run('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), '-o', `-k '${folder}' -c listen_addresses='' -c fsync=off`, 'start']);
  }, 120_000);
  afterAll(() => {
    run('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop']);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  storeSuite('PostgreSQL', async () => {
    const name = `s${newId()}`;
    run('psql', ['-h', folder, '-U', 'stepwell', '-d', 'postgres', '-qc', `create database ${name}`]);
    return address(name);
  });

  it('says in a sentence that a database is not there', async () => {
    await expect(openStore({ url: address('nowhere') })).rejects.toMatchObject({
      name: 'StoreProblem',
      trouble: 'connect',
      message: expect.stringContaining('nowhere'),
    });
  });
} else {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  it.skip('the store on PostgreSQL: NOT TESTED, because initdb and pg_ctl are not installed on this machine', () => {});
}

it('says in a sentence that no server answers, without the password', async () => {
  const refused = openStore({ url: 'postgres://me:secret@/x?host=%2Fnowhere' });
  await expect(refused).rejects.toMatchObject({ name: 'StoreProblem', trouble: 'connect' });
  await expect(refused).rejects.not.toThrow(/secret/);
});

function findPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map(version => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  return folders.find(one => ['initdb', 'pg_ctl', 'psql'].every(program => existsSync(join(one, program))));
}

function numericUser(names: string[]): { uid: number; gid: number } | undefined {
  for (const name of names) {
    const uid = Number(spawnSync('id', ['-u', name], { encoding: 'utf8' }).stdout);
    const gid = Number(spawnSync('id', ['-g', name], { encoding: 'utf8' }).stdout);
    if (uid > 0) return { uid, gid };
  }
  return undefined;
}

function run(program: string, args: string[]): void {
  execFileSync(join(programs!, program), args, {
    ...user,
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, LC_ALL: 'C', PGOPTIONS: '' },
  });
}
