/**
 * What IPython's own syntax does to names: `%magic`, `!command`, `name?`, and `%%cell` magics. A magic is described, never run: which part of it is Python to analyse like the rest,
 * which names its text expands (`{x}`, `$x`), which it binds, and what else it touches.
 */
import type { Channel } from '../../model/name';

export interface Magic {
  /** Stretches of the cell that are Python and run now: `[from, to)`. */
  python: [number, number][];
  /** That Python runs in a function of its own (`%timeit`): what it binds is gone afterwards. */
  local: boolean;
  /** Names its text expands or names, with where. */
  reads: { name: string; from: number; to: number }[];
  /** Stretches that are Python expressions inside braces. */
  expressions: [number, number][];
  assigns: { name: string; from: number; to: number }[];
  /** Configures the process: travels to later steps. */
  setup: boolean;
  channels: { reads: Channel[]; writes: Channel[] };
  files: { reads: string[]; writes: string[]; readsAny: boolean; writesAny: boolean };
  dynamic?: { reason: string; reads: boolean; writes: boolean };
}

const blank = (): Magic => ({
  python: [],
  local: false,
  reads: [],
  expressions: [],
  assigns: [],
  setup: false,
  channels: { reads: [], writes: [] },
  files: { reads: [], writes: [], readsAny: false, writesAny: false },
});

/** Magics that configure, and the channel they change. */
const setups: Record<string, Channel> = {
  matplotlib: '@matplotlib',
  config: '@ipython',
  load_ext: '@ipython',
  reload_ext: '@ipython',
  unload_ext: '@ipython',
  autoreload: '@ipython',
  precision: '@ipython',
  pylab: '@matplotlib',
  colors: '@ipython',
  xmode: '@ipython',
  pprint: '@ipython',
  automagic: '@ipython',
  autocall: '@ipython',
  alias: '@ipython',
  alias_magic: '@ipython',
  aimport: '@ipython',
  autoawait: '@ipython',
  gui: '@matplotlib',
  watermark_ext: '@ipython',
};
/** Line magics whose argument is a Python statement. Each takes options first. */
const statements = new Set([
  'time',
  'timeit',
  'prun',
  'memit',
  'mprun',
  'lprun',
  'snakeviz',
  'debug',
  'pyinstrument',
  'scalene',
  'heat',
  'pdb_run',
]);
/** Cell magics whose body is Python. */
const pythonCells = new Set([
  'time',
  'timeit',
  'capture',
  'prun',
  'memit',
  'mprun',
  'lprun',
  'snakeviz',
  'debug',
  'pyinstrument',
  'scalene',
  'heat',
  'python_here',
  'wandb',
  'stepwell',
  'skip_if',
  'ai_here',
  'manim_here',
]);
/** Those that run their code as a function's body. */
const local = new Set(['timeit', 'memit']);
const looking =
  /^(?:ls|cat|head|tail|wc|pwd|which|nvidia-smi|du|df|grep|egrep|find|date|whoami|uname|python\d*\s+(?:--version|-V)|echo|free|lscpu|hostname|file|stat|less|more|tree|sort|uniq|diff|md5sum|sha256sum)\b[^>]*$/;
const packages = /^(?:(?:\S*python\d*\s+-m\s+)?(?:pip\d*|conda|mamba|uv|apt|apt-get|npm|poetry)|jupyter)\s/;

/** Describes a line magic, a shell line, a help line, or the right side of `x = %magic`; `text` starts at offset `at` of the cell. */
export function lineMagic(text: string, at: number): Magic {
  const magic = blank();
  if (text.startsWith('?') || /\?\s*$/.test(text)) {
    const match = /[\p{L}_][\p{L}\p{N}_]*/u.exec(text.replace(/^[?%]*/, marks => ' '.repeat(marks.length)));
    if (match && !/^\s*%/.test(text) && !text.includes('*')) magic.reads.push(span(match[0], at + match.index));
    return magic;
  }
  if (text.startsWith('!')) {
    shell(magic, text.replace(/^!!?/, ''), at + (text.startsWith('!!') ? 2 : 1));
    return magic;
  }
  const head = /^(%{1,2})\s*([\w.]*)[ \t]*/.exec(text);
  if (!head) return magic;
  named(magic, head[2] as string, text.slice(head[0].length), at + head[0].length);
  return magic;
}

/** Describes a call `get_ipython().run_line_magic(name, text)` with literal arguments; names in it have no offsets of their own. */
export function calledMagic(name: string, argument: string, at: number): Magic {
  const magic = blank();
  named(magic, name, argument, at);
  magic.python = [];
  magic.expressions = [];
  return magic;
}

export function shellCommand(command: string, at: number): Magic {
  const magic = blank();
  shell(magic, command, at);
  return magic;
}

/** Magics that would be plain names in Python when they stand alone. */
const bare = new Set(['ls', 'll', 'pwd', 'who', 'whos', 'who_ls', 'lsmagic', 'cd', 'dhist', 'magic', 'quickref']);
/** Every magic and alias that IPython starts with. */
const builtIn = new Set(
  `alias alias_magic autoawait autocall automagic autosave bookmark cat cd clear code_wrap colors conda config connect_info cp debug dhist dirs doctest_mode ed edit env gui hist history killbgscripts ldir
less lf lk ll load load_ext loadpy logoff logon logstart logstate logstop ls lsmagic lx macro magic mamba man matplotlib micromamba mkdir more mv notebook page pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd
pprint precision prun psearch psource pushd pwd pycat pylab qtconsole quickref recall rehashx reload_ext rep rerun reset reset_selective rm rmdir run save sc set_env store subshell sx system tb time timeit
unalias unload_ext uv watermark who who_ls whos xdel xmode`.split(/\s+/),
);

/**
 * Describes a cell of one line that IPython takes for a magic without its `%` (`pip install x`, `ls`). `isPython` says whether the line is Python as well.
 * `sure` is false when the name is none of IPython's own: then only a notebook that makes such a magic or alias can mean it.
 */
export function bareMagic(source: string, isPython: boolean): { magic: Magic; name: string; sure: boolean } | undefined {
  const match = /^(\s*)([A-Za-z_]\w*)([ \t]+[^\s=(,[.:+*/|&<>^@%-].*|[ \t]+-{1,2}\w.*|[ \t]+\.{1,2}(?:\/.*)?|)\s*$/.exec(source);
  if (!match) return undefined;
  const [, before, name, rest] = match as unknown as [string, string, string, string];
  if (
    /^(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False)$/.test(
      name,
    )
  )
    return undefined;
  // `ls -la` could be a subtraction, but nobody writes one so.
  if (isPython ? !bare.has(name) || !/^(?:$|\s+-{1,2}[A-Za-z])/.test(rest) : !rest) return undefined;
  return { magic: lineMagic(`%${name}${rest.trimEnd()}`, before.length - 1), name, sure: builtIn.has(name) };
}

/** Names that a line makes callable as magics: `%alias name …`, `%alias_magic name …`. */
export const madeMagic = (text: string): string | undefined => /^%(?:alias|alias_magic)\s+(?:-\S+\s+)*([A-Za-z_]\w*)/.exec(text)?.[1];

/**
 * Describes a cell that starts with `%%name`, if it does. Blank lines may come before.
 * A body that is Python is in `python`, first line's statement included where the magic runs it.
 */
export function cellMagic(source: string): Magic | undefined {
  const start = /^\s*/.exec(source)?.[0].length ?? 0;
  if (!source.startsWith('%%', start)) return undefined;
  const newline = source.indexOf('\n', start);
  const lineEnd = newline < 0 ? source.length : newline;
  const bodyFrom = newline < 0 ? source.length : newline + 1;
  const match = /^%%(!|[\w.]+)?[ \t]*/.exec(source.slice(start, lineEnd));
  const name = match?.[1] ?? '';
  const magic = blank();
  const optionsAt = start + (match?.[0].length ?? 2);
  const options = source.slice(optionsAt, lineEnd).trimEnd();
  if (pythonCells.has(name)) {
    magic.local = local.has(name);
    if (name === 'capture') {
      const out = /^(?:--?\w[\w-]*\s+)*([A-Za-z_]\w*)/.exec(options);
      if (out) magic.assigns.push(span(out[1] as string, optionsAt + out[0].length - (out[1] as string).length));
    } else if (statements.has(name)) {
      const skip = optionLength(options);
      if (skip < options.length) magic.python.push([optionsAt + skip, lineEnd]);
    }
    magic.python.push([bodyFrom, source.length]);
    return magic;
  }
  expansions(magic, options, optionsAt);
  for (const out of options.matchAll(/--(?:out|err|proc)[= ]\s*(\w+)/g))
    magic.assigns.push(span(out[1] as string, optionsAt + out.index + out[0].length - (out[1] as string).length));
  switch (name) {
    case 'writefile':
    case 'file': {
      const path = options.replace(/^(?:-a|--append)\s+/, '').trim();
      const plain = path.replace(/^(['"])(.*)\1$/, '$2');
      if (plain && !/[{$]/.test(plain)) magic.files.writes.push(plain);
      else magic.files.writesAny = true;
      if (plain !== options.trim() && /^(?:-a|--append)/.test(options) && plain) magic.files.reads.push(plain);
      return magic;
    }
    case 'html':
    case 'HTML':
    case 'javascript':
    case 'js':
    case 'latex':
    case 'markdown':
    case 'svg':
    case 'SVG':
    case 'mermaid':
      return magic;
    case '!':
    case 'sx':
    case 'system':
    case 'bash':
    case 'sh':
    case 'script':
    case 'cmd':
    case 'perl':
    case 'ruby':
    case 'python':
    case 'python2':
    case 'python3':
    case 'pypy':
      magic.files.readsAny = true;
      magic.files.writesAny = true;
      magic.channels.reads.push('@environ', '@cwd');
      // `%%bash` does not expand its body; `%%!` and `%%sx` do.
      if (name === '!' || name === 'sx' || name === 'system') expansions(magic, source.slice(bodyFrom), bodyFrom);
      return magic;
    default:
      // Another package's magic may do anything with its body (`%%sql result << …`, `%%cython`, `%%R -i df`).
      for (const into of options.matchAll(/(?:^|\s)(\w+)\s*<</g))
        magic.assigns.push(span(into[1] as string, optionsAt + into.index + into[0].indexOf(into[1] as string)));
      for (const io of options.matchAll(/(-i|--input|-o|--output)[ =]?\s*([\w,]+)/g)) {
        for (const variable of (io[2] as string).split(',').filter(Boolean)) {
          const place = span(variable, optionsAt + io.index + io[0].length - (io[2] as string).length);
          if ((io[1] as string).includes('i')) magic.reads.push(place);
          else magic.assigns.push(place);
        }
      }
      magic.dynamic = { reason: `%%${name}`, reads: true, writes: true };
      magic.files.readsAny = true;
      magic.files.writesAny = true;
      return magic;
  }
}

const span = (name: string, from: number) => ({ name, from, to: from + name.length });

/** Length of leading options such as `-n 10 -r3 -o`. */
function optionLength(options: string): number {
  return /^(?:-(?:[nrpT]\s*\d+|[fms]\s+\S+|[a-zA-Z]+\d*|-\w[\w-]*(?:=\S+)?)(?:\s+|$))*/.exec(options)?.[0].length ?? 0;
}

function named(magic: Magic, name: string, rest: string, at: number): void {
  if (statements.has(name)) {
    const skip = optionLength(rest);
    for (const f of rest.slice(0, skip).matchAll(/-f\s+([A-Za-z_]\w*)/g))
      magic.reads.push(span(f[1] as string, at + f.index + f[0].length - (f[1] as string).length));
    magic.python.push([at + skip, at + rest.length]);
    magic.local = local.has(name);
    return;
  }
  const channel = Object.hasOwn(setups, name) ? setups[name] : undefined;
  if (channel) {
    magic.setup = true;
    magic.channels.writes.push(name === 'config' && /InlineBackend/.test(rest) ? '@matplotlib' : channel);
    if (name === 'config' && !rest.includes('=')) magic.setup = false;
    if (name === 'pylab') magic.dynamic = { reason: '%pylab', reads: false, writes: false };
    return;
  }
  expansions(magic, rest, at);
  switch (name) {
    case 'env':
    case 'set_env':
      if (/[= ]/.test(rest.trim())) magic.channels.writes.push('@environ');
      else magic.channels.reads.push('@environ');
      return;
    case 'cd':
    case 'pushd':
    case 'popd':
      magic.channels.writes.push('@cwd');
      return;
    case 'pwd':
    case 'dhist':
      magic.channels.reads.push('@cwd');
      return;
    case 'pip':
    case 'conda':
    case 'mamba':
    case 'uv':
    case 'lsmagic':
    case 'magic':
    case 'quickref':
    case 'history':
    case 'hist':
    case 'notebook':
    case 'pycat':
    case 'page':
    case 'version_information':
    case 'watermark':
    case 'tb':
    case 'pdb':
    case 'logstart':
    case 'logstop':
    case 'tensorboard':
      return;
    case 'ls':
    case 'cat':
    case 'head':
    case 'tail':
    case 'less':
    case 'more':
    case 'll':
    case 'pdoc':
    case 'pdef':
    case 'psource':
    case 'pfile':
    case 'pinfo':
    case 'pinfo2':
      if (name.startsWith('p')) {
        const match = /[A-Za-z_]\w*/.exec(rest);
        if (match) magic.reads.push(span(match[0], at + match.index));
      } else magic.files.readsAny = true;
      return;
    case 'sx':
    case 'sc':
    case 'system':
    case '!':
      shell(magic, rest, at);
      return;
    case 'who':
    case 'whos':
    case 'who_ls':
    case 'psearch':
      magic.dynamic = { reason: `%${name}`, reads: true, writes: false };
      return;
    case 'mkdir':
    case 'rm':
    case 'rmdir':
    case 'mv':
    case 'cp':
      magic.files.readsAny = true;
      magic.files.writesAny = true;
      return;
    case 'store':
      for (const word of rest.matchAll(/(?:^|\s)([A-Za-z_]\w*)/g)) {
        const place = span(word[1] as string, at + word.index + word[0].length - (word[1] as string).length);
        if (/^\s*-r/.test(rest)) magic.assigns.push(place);
        else magic.reads.push(place);
      }
      if (/^\s*-r\s*$/.test(rest)) magic.dynamic = { reason: '%store -r', reads: false, writes: true };
      return;
    default:
      magic.dynamic = { reason: `%${name}${rest ? ` ${rest.trim()}` : ''}`, reads: true, writes: true };
      magic.files.readsAny = true;
      magic.files.writesAny = true;
  }
}

function shell(magic: Magic, command: string, at: number): void {
  expansions(magic, command, at);
  const plain = command.trim();
  magic.channels.reads.push('@environ', '@cwd');
  if (packages.test(plain)) return;
  magic.files.readsAny = true;
  if (!looking.test(plain)) magic.files.writesAny = true;
}

/** IPython expands `{expression}` and `$name` in commands; `{{` and `$$` are literal. */
function expansions(magic: Magic, text: string, at: number): void {
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{') {
      if (text[i + 1] === '{') {
        i++;
        continue;
      }
      const close = text.indexOf('}', i);
      const newline = text.indexOf('\n', i);
      if (close > i + 1 && (newline < 0 || close < newline)) {
        magic.expressions.push([at + i + 1, at + close]);
        i = close;
      }
    } else if (c === '$') {
      if (text[i + 1] === '$') {
        i++;
        continue;
      }
      const match = /^[A-Za-z_]\w*/.exec(text.slice(i + 1, i + 80));
      if (match) {
        magic.reads.push(span(match[0], at + i + 1));
        i += match[0].length;
      }
    }
  }
}
