/**
 * Top-level code that can travel to the steps that use it: imports, functions, classes, and calls that configure a module or the shell. Their source is kept as written.
 */
import type { DefinitionUse } from '../analysis';
import type { Frames } from './frames';
import type { Definer } from './functions';
import type { Magic } from './ipython';
import { conventionalModule } from './names';
import { channelsOfCall } from './purity';
import type { ClassDefinition, Expr, FunctionDefinition, Import, Node, Statement } from './python/tree';
import { stateIn } from './state';
import { channelOfAttribute, dottedText } from './value';

/** Channels that hold order, not options: replaying a seed or a change of folder later would be wrong, so these never travel as code. */
const neverReplayed = new Set(['@random', '@numpy.random', '@torch.random', '@tensorflow.random', '@environ', '@cwd', '@path']);
/** The last part of a call that configures what stands before it. */
const verbs =
  /^(?:set_(?!seed|random_seed|rng_state|state|title|xlabel|ylabel|zlabel|xlim|ylim|trace)\w+|reset_option|reset_defaults|reset_orig|rcdefaults|register(?:_\w+)?|filterwarnings|simplefilter|resetwarnings|basicConfig|captureWarnings|setlocale|seterr|setdefaulttimeout|setrecursionlimit|set_option|use|switch_backend|ion|ioff|enable_eager_execution|experimental_run_functions_eagerly|disable_max_rows|disable_v2_behavior|go_offline|init_notebook_mode|output_notebook|initjs|extension|autolog|install_mathjax|disable_eager_execution|setLevel|get_ipython|disable_progress_bar\w*|enable_progress_bar\w*|enable_\w+|disable_\w+|init_printing)$/;
/** Calls that decide how values of all kinds are shown, so that steps which never name the module depend on them. */
const showing = /^init_printing$/;
/** The part before it that shows the same: `jax.config.update(...)`, `alt.renderers.enable(...)`. */
const settings =
  /(?:^|\.)(?:config|options?|rcParams|settings|renderers|data_transformers|themes|theme|templates|style|backends|defaults?|display)$/;
const settingVerbs = /^(?:update|enable|disable|use|set|register|default|activate|append|extend|apply|configure|clear|pop|setdefault)$/;
/** Names imported by themselves that configure when called. */
const direct =
  /^(?:set_(?:option|theme|style|config|matplotlib_formats|palette|context|printoptions|default_\w+|global_\w+|loglevel|verbosity\w*)|filterwarnings|simplefilter|init_notebook_mode|output_notebook|basicConfig|register_matplotlib_converters|disable_eager_execution|enable_iterative_imputer|nest_asyncio|init_printing)$/;

/** Gathers the definitions of one cell while `Flow` goes through it. */
export class Definitions implements Definer {
  readonly list: DefinitionUse[] = [];
  private readonly lines: number[] = [];

  constructor(private readonly source: string) {
    for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) this.lines.push(i);
  }

  import(s: Import, certain: boolean): void {
    const origins: Record<string, string> = {};
    for (const n of s.names)
      origins[n.bound] =
        s.module === undefined
          ? n.as
            ? n.name
            : n.bound
          : n.name === '*'
            ? s.module
            : `${s.module}${/\.$/.test(s.module) ? '' : '.'}${n.name}`;
    const modules = s.module === undefined ? s.names.map(n => n.name) : [s.module];
    this.add(
      { kind: 'import', names: [...new Set(s.names.map(n => n.bound))], needs: [], certain, modules: [...new Set(modules)], origins },
      s,
    );
  }

  definition(s: FunctionDefinition | ClassDefinition, needs: Set<string>, certain: boolean): void {
    const { decorators, remembers } = stateIn(s);
    this.add(
      {
        kind: s.kind,
        names: [s.name.name],
        needs: [...needs],
        certain,
        ...(decorators.length ? { decorators } : {}),
        ...(remembers ? { remembers: true as const } : {}),
      },
      s,
    );
  }

  /** Notes the statement as setup if its call or target is a module's configuration. */
  setup(s: Statement, expression: Expr, needs: Set<string>, certain: boolean, flow: Frames): void {
    if (expression.kind === 'call') {
      const callee = expression.callee;
      // `logging.getLogger('x').setLevel(...)`
      const through = callee.kind === 'attribute' && callee.value.kind === 'call' ? dottedText(callee.value.callee) : '';
      const dotted = through && callee.kind === 'attribute' ? `${through}.${callee.attribute}` : dottedText(callee);
      if (!dotted || (through && !/getLogger$/.test(through))) return;
      const found = this.module(dotted, flow);
      if (!found) return;
      const { full, unsure } = found;
      const channels = [...channelsOfCall(full).writes];
      if (channels.some(c => neverReplayed.has(c))) return;
      if (/(?:^|\.)getLogger\.setLevel$/.test(full)) channels.push('@logging');
      const last = full.slice(full.lastIndexOf('.') + 1);
      const before = full.slice(0, Math.max(0, full.lastIndexOf('.')));
      const configures =
        channels.length > 0 ||
        (dotted.includes('.')
          ? (verbs.test(last) ||
              (settings.test(before) && settingVerbs.test(last)) ||
              /^tqdm(?:\.\w+)*\.pandas$/.test(full) ||
              /^nest_asyncio\.apply$/.test(full)) &&
            !/seed/.test(last)
          : direct.test(last));
      if (!configures) return;
      this.addSetup(s, needs, certain, channels, unsure, showing.test(last));
      return;
    }
    if (expression.kind !== 'attribute' && expression.kind !== 'subscript') return;
    // `plt.rcParams['x'] = 1`, `pd.options.display.max_rows = 5`, `module.CONSTANT = 3`
    const target = expression.kind === 'subscript' ? expression.value : expression;
    const dotted = dottedText(target);
    if (!dotted.includes('.')) {
      // `rcParams['x'] = 1` after `from matplotlib import rcParams`
      const full = dotted && flow.module.state.env.get(dotted)?.known;
      const channel = full && channelOfAttribute(full);
      if (channel && !neverReplayed.has(channel)) this.addSetup(s, needs, certain, [channel]);
      else if (full && expression.kind === 'subscript' && /(?:^|\.)(?:rcParams|options|config|settings)$/.test(full))
        this.addSetup(s, needs, certain, []);
      return;
    }
    const found = this.module(dotted, flow);
    if (!found) return;
    const channel = channelOfAttribute(found.full);
    if (channel && neverReplayed.has(channel)) return;
    this.addSetup(s, needs, certain, channel ? [channel] : [], found.unsure);
  }

  magic(node: Node, magic: Magic, certain: boolean): void {
    // `%pylab` is a star import.
    if (magic.dynamic?.reason === '%pylab')
      this.add({ kind: 'import', names: ['*'], needs: [], certain, modules: ['numpy', 'matplotlib'] }, node);
    else this.add({ kind: 'setup', names: [], needs: [], certain, channels: magic.channels.writes }, node);
  }

  /** The full name behind a dotted text whose root may be a module; `unsure` names the root when only other cells can tell. */
  private module(dotted: string, flow: Frames): { full: string; unsure?: string } | undefined {
    const dot = dotted.indexOf('.');
    const root = dot < 0 ? dotted : dotted.slice(0, dot);
    const rest = dot < 0 ? '' : dotted.slice(dot);
    const bound = flow.module.state.env.get(root);
    if (bound?.known) return { full: bound.known + rest };
    if (bound) return undefined;
    const known = conventionalModule(root);
    // A convention is no proof; stage 3 sees what the name really is.
    return known ? { full: known + rest, unsure: root } : { full: root + rest, unsure: root };
  }

  private addSetup(s: Statement, needs: Set<string>, certain: boolean, channels: string[], unsure?: string, everywhere = false): void {
    this.add(
      {
        kind: 'setup',
        names: [],
        needs: [...needs],
        certain,
        ...(channels.length ? { channels } : {}),
        ...(unsure ? { onlyIfModule: unsure } : {}),
        ...(everywhere ? { everywhere: true as const } : {}),
      },
      s,
    );
  }

  private add(definition: Omit<DefinitionUse, 'range' | 'line' | 'source'>, node: Node): void {
    const line = this.lineOf(node.from);
    this.list.push({ ...definition, range: { from: node.from, to: node.to }, line, source: this.text(node, line) });
  }

  /** The source of a statement, with the indent of its first line taken off the others (a block's `@decorator` and `def` must line up). */
  private text(node: Node, line: number): string {
    const text = this.source.slice(node.from, node.to);
    const start = line === 0 ? 0 : (this.lines[line - 1] as number) + 1;
    const indent = /^[ \t]*/.exec(this.source.slice(start, node.from))?.[0] ?? '';
    return indent && text.includes('\n') ? text.replaceAll(`\n${indent}`, '\n') : text;
  }

  private lineOf(offset: number): number {
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.lines[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
