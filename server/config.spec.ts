import { homedir } from 'node:os';
import { readConfig } from './config';

const home = homedir();

test.each([
  ['Linux keeps data in ~/.local/share', {}, 'linux', { home: `${home}/.local/share/stepwell` }],
  ['XDG_DATA_HOME moves it', { XDG_DATA_HOME: '/data' }, 'linux', { home: '/data/stepwell' }],
  ['a relative XDG_DATA_HOME is ignored', { XDG_DATA_HOME: 'data' }, 'linux', { home: `${home}/.local/share/stepwell` }],
  ['macOS has its own place', {}, 'darwin', { home: `${home}/Library/Application Support/stepwell` }],
  [
    'STEPWELL_HOME holds everything',
    { STEPWELL_HOME: '/srv/step well' },
    'linux',
    { home: '/srv/step well', artifacts: '/srv/step well/artifacts', database: 'sqlite:///srv/step%20well/stepwell.db' },
  ],
  [
    'database and artifacts can be elsewhere',
    { STEPWELL_HOME: '/h', STEPWELL_ARTIFACTS: '/blobs', STEPWELL_DATABASE: 'postgres://ann@db/runs' },
    'linux',
    { home: '/h', artifacts: '/blobs', database: 'postgres://ann@db/runs' },
  ],
  [
    'a database may be given as a path',
    { STEPWELL_HOME: '/h', STEPWELL_DATABASE: '/var/runs.db' },
    'linux',
    { database: 'sqlite:///var/runs.db' },
  ],
  [
    'empty variables count as absent',
    { STEPWELL_HOME: '', STEPWELL_DEBUG: '' },
    'linux',
    { home: `${home}/.local/share/stepwell`, debug: false },
  ],
  ['STEPWELL_DEBUG=1 shows more', { STEPWELL_DEBUG: '1' }, 'linux', { debug: true }],
  ['STEPWELL_DEBUG=0 does not', { STEPWELL_DEBUG: '0' }, 'linux', { debug: false }],
] as const)('%s', (_name, env, platform, expected) => {
  expect(readConfig(env, platform)).toMatchObject(expected);
});
