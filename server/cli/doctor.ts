/** `stepwell doctor`: looks at everything a run needs, and says of each thing that is missing how to mend it. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from '../config';
import { root, runnerPath, version } from '../installation';
import { choosePython } from '../targets/local/interpreter';
import { targetName } from '../targets/routed';
import { explain } from './fault';

export interface Finding {
  what: string;
  state: 'ok' | 'warning' | 'broken';
  found: string;
  /** How to mend it. */
  mend?: string;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what runs need: Node, Python and its packages, the home folder, the database, disk space')
    .option('--python <path>', 'the interpreter or environment to look at')
    .option('--target <name>', 'look at this target too: k8s runs a step of its own on the cluster', 'local')
    .option('--json', 'print one JSON document')
    .action(async ({ python, target, json }: { python?: string; target: string; json?: boolean }) => {
      const { painter, printJson } = require('./terminal') as typeof import('./terminal');
      const config = readConfig();
      const findings = [...(await examine(config, python)), ...(await examineTarget(target, config))];
      if (json) printJson({ version, findings });
      else {
        const paint = painter(process.stdout);
        const marks = { ok: paint('green', 'ok     '), warning: paint('yellow', 'warning'), broken: paint('red', 'broken ') };
        for (const { what, state, found, mend } of findings) {
          process.stdout.write(`${marks[state]}  ${what}: ${found}\n${mend ? `         ${mend}\n` : ''}`);
        }
      }
      process.exitCode = findings.some(({ state }) => state === 'broken') ? 1 : 0;
    });
}

async function examineTarget(named: string, config: Config): Promise<Finding[]> {
  try {
    if (targetName(named) === 'local') return [];
    const { examineKubernetes } = require('../engine/elsewhere') as typeof import('../engine/elsewhere');
    const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
    return await examineKubernetes({ home: config.home, artifacts: openArtifacts(config.artifacts), bucket: config.bucket });
  } catch (error) {
    return [{ what: 'Cluster', state: 'broken', found: explain(error, false).text }];
  }
}

/** One finding per thing, in the order in which a run would need them. */
export async function examine(config: Config, named?: string): Promise<Finding[]> {
  return [
    node(),
    ...python(named),
    folder('Home folder', config.home, 'STEPWELL_HOME'),
    folder('Artifacts', config.artifacts, 'STEPWELL_ARTIFACTS'),
    await database(config),
    disk(config),
  ];
}

function node(): Finding {
  const found = `${process.version} (${process.execPath})`;
  if (Number(process.versions.node.split('.')[0]) >= 24) return { what: 'Node', state: 'ok', found };
  return {
    what: 'Node',
    state: 'broken',
    found,
    mend: 'Stepwell needs Node 24, which its own packages bring: start it with bin/stepwell.',
  };
}

const askPython = `
import importlib.metadata as m, json, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
print(json.dumps({"version": list(sys.version_info[:3]), "packages": {n: version(n) for n in ("ipython", "cloudpickle")}}))
`;

function python(named?: string): Finding[] {
  let chosen: { python: string; because: string };
  try {
    chosen = choosePython({ named, root });
  } catch (error) {
    return [{ what: 'Python', state: 'broken', found: 'none that can run steps', mend: explain(error, false).text }];
  }
  const where = `${chosen.python} (${chosen.because})`;
  try {
    const output = execFileSync(chosen.python, ['-c', askPython], { encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'pipe'] });
    const answer = JSON.parse(output.trim().split('\n').at(-1)!) as { version: number[]; packages: Record<string, string | null> };
    const [major = 0, minor = 0] = answer.version;
    const good = major === 3 && minor >= 10 && minor <= 13;
    const findings: Finding[] = [
      {
        what: 'Python',
        state: good ? 'ok' : minor > 13 ? 'warning' : 'broken',
        found: `${answer.version.join('.')}, ${where}`,
        ...(good ? {} : { mend: 'Stepwell is tested with Python 3.10 to 3.13; name another one with --python.' }),
      },
    ];
    for (const [name, found] of Object.entries(answer.packages)) {
      findings.push({
        what: name,
        state: found ? 'ok' : 'broken',
        found: found ?? 'not installed',
        ...(found ? {} : { mend: `Run: ${chosen.python} -m pip install ${name}` }),
      });
    }
    if (!existsSync(runnerPath))
      findings.push({ what: 'Runner', state: 'broken', found: `${runnerPath} is not there`, mend: 'Install Stepwell again.' });
    return findings;
  } catch (error) {
    return [
      {
        what: 'Python',
        state: 'broken',
        found: `${where} does not start (${(error as Error).message.split('\n')[0]})`,
        mend: 'Name another one with --python.',
      },
    ];
  }
}

function folder(what: string, path: string, variable: string): Finding {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK | constants.R_OK | constants.X_OK);
    return { what, state: 'ok', found: path };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    return {
      what,
      state: 'broken',
      found: `${path} cannot be written (${code})`,
      mend: `Check its permissions, or set ${variable} to a folder that can be written.`,
    };
  }
}

async function database(config: Config): Promise<Finding> {
  const where = config.database.replace(/^([a-z]+:\/\/[^/@:]*):[^/]*@/, '$1@');
  try {
    const { openStore } = require('../store') as typeof import('../store');
    const store = await openStore({ url: config.database });
    const runs = await store.listRuns({ limit: 1 });
    await store.close();
    return { what: 'Database', state: 'ok', found: `${where}${runs[0] ? `, latest run ${runs[0].created}` : ', no runs yet'}` };
  } catch (error) {
    return { what: 'Database', state: 'broken', found: where, mend: explain(error, false).text };
  }
}

function disk({ home }: Config): Finding {
  let path = home;
  while (!existsSync(path)) path = dirname(path);
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB free in ${path}`;
  if (free > 2e9) return { what: 'Disk', state: 'ok', found };
  return { what: 'Disk', state: free > 1e8 ? 'warning' : 'broken', found, mend: 'Make room, or set STEPWELL_HOME to a bigger disk.' };
}
