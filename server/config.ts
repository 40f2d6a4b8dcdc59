/**
 * Where Stepwell keeps things: a home folder, a database, a folder of artifacts. Read from the environment once, at the start; the command
 * line and the service share them.
 */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Config {
  /** Everything that has no place of its own. Absolute. */
  home: string;
  /** `sqlite:///absolute/path.db` or `postgres://…`. */
  database: string;
  /** A folder. Absolute. */
  artifacts: string;
  /** `s3://bucket/prefix?…`: where artifacts lie for steps that run elsewhere. */
  bucket?: string;
  /** Show where in our own code an unexpected error came from. */
  debug: boolean;
}

/** The settings that an environment gives. Makes nothing and checks nothing: whoever opens a place says when it cannot be used. */
export function readConfig(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): Config {
  const home = resolve(env.STEPWELL_HOME || join(dataFolder(env, platform), 'stepwell'));
  return {
    home,
    database: env.STEPWELL_DATABASE ? databaseAddress(env.STEPWELL_DATABASE) : sqliteAddress(join(home, 'stepwell.db')),
    ...artifactsOf(env.STEPWELL_ARTIFACTS, home),
    debug: Boolean(env.STEPWELL_DEBUG && env.STEPWELL_DEBUG !== '0'),
  };
}

/** A bucket is shared with steps elsewhere; what steps of this machine and people read is in the folder all the same. */
function artifactsOf(text: string | undefined, home: string): Pick<Config, 'artifacts' | 'bucket'> {
  const folder = join(home, 'artifacts');
  return text?.startsWith('s3://') ? { artifacts: folder, bucket: text } : { artifacts: resolve(text || folder) };
}

/** The platform's folder for data of programs. */
function dataFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support');
  // The XDG rule: a relative path is to be ignored.
  return env.XDG_DATA_HOME && isAbsolute(env.XDG_DATA_HOME) ? env.XDG_DATA_HOME : join(homedir(), '.local', 'share');
}

/** People may give a plain path as well as an address. */
function databaseAddress(text: string): string {
  return /^[a-z]+:/i.test(text) ? text : sqliteAddress(resolve(text));
}

const sqliteAddress = (path: string) => pathToFileURL(path).href.replace(/^file:/, 'sqlite:');
