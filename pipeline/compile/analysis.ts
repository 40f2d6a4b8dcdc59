/**
 * What stage 2 finds out about one cell by itself, and stage 3 puts together. A cell's analysis depends on its source and on nothing
 * else, so it is kept by source; everything that needs to know other cells (is `f` a function of this notebook, does it change
 * its argument?) is left as a question here and answered by `3-link`.
 *
 * "Global" means a name in the notebook's top-level scope. Ranges are offsets in the cell's source.
 */
import type { Range } from '../model/problem';

export interface CellAnalysis {
  /**
   * Global names read before the cell certainly assigned them, first use of each. What functions read when they are called is not here but in `functions`.
   * Python's builtins are among them, since a notebook may assign `list` or `input`; stage 3 drops those that nobody binds (`isBuiltin` of `2-analyse`).
   */
  reads: Use[];
  /**
   * Every global name the cell loads while it runs, assigned before or not, first use of each: a superset of `reads`. If one is a function of the notebook, it may be called here:
   * what it reads is read here too, except names that the cell has settled before (`Assign.settled <= use.range.from`).
   */
  uses: Use[];
  /** Global names bound, in order of first binding; `certain` when it happens on every path through the cell. */
  assigns: Assign[];
  /** Global names whose object may be changed in place (a module's name may be among them: stage 3 leaves out names that only imports bind); `path` is what the code says about how (`fit()`, `[...] =`). Includes names the cell also assigned. */
  mutates: Mutation[];
  /** Names that may share objects after the cell, because of `a = b`, `a = b.x`, `a = [b]`, `a = f(b)` where f is not known to be pure. */
  aliases: [string, string][];
  /** Top-level code that can travel, in source order. */
  definitions: DefinitionUse[];
  /** Functions, classes and lambdas bound to global names, and what calling them does. */
  functions: FunctionEffect[];
  /** Calls of a global name (or attribute of one) whose effect on arguments depends on what the name is. Answered in stage 3. */
  calls: Call[];
  channels: { reads: string[]; changes: string[] };
  files: { reads: FileUse[]; writes: FileUse[]; readsAny: boolean; writesAny: boolean };
  /** Code that cannot be followed, with words for a person: "exec of a computed text", "from numpy import *", "%run prepare.py". */
  dynamic: { reason: string; range: Range; reads: boolean; writes: boolean; modules?: string[] }[];
  /** Parse errors; nothing else is trusted when there is one. */
  errors: {
    message: string;
    range: Range;
    /** The cell is one line whose first word may be a magic called without `%`: no error if another cell's `magics` has this name. */
    ifMagic?: string;
  }[];
  /** The cell certainly ends with a result that IPython shows and keeps as `_`. */
  shows?: true;
  /** Magics and shell aliases that the cell makes (`%alias name …`, `@register_line_magic`). */
  magics: string[];
}

export interface Use {
  name: string;
  range: Range;
  /** True when the cell itself may have bound it before (in a loop, a branch): nobody above has to provide it. */
  maybe?: boolean;
}

export interface Assign extends Use {
  certain: boolean;
  /** Offset from which the name is certainly bound; absent when it is bound on some paths only. */
  settled?: number;
  /** `del v`: unbinds. `mutable` is false when the value is certainly an immutable literal. */
  deletes?: boolean;
  /** True when nothing but certain `definitions` of the cell bind it. */
  code?: boolean;
  mutable: boolean;
  /** What it is, in words, when it is certainly something that can't leave its process: `an open file`. */
  stays?: string;
}

export interface Mutation extends Use {
  path: string;
}

export interface DefinitionUse {
  /** Names it binds; empty for a setup call. */
  names: string[];
  kind: 'import' | 'function' | 'class' | 'setup';
  range: Range;
  /** Line of the cell it starts on, from 0 (of the decorator, if there is one). */
  line: number;
  source: string;
  /** Global names needed when it is executed: decorators, defaults, bases, class bodies, annotations that are evaluated. */
  needs: string[];
  /** False for a definition inside `if`, `try`, `for`, `with`: its names are then also assigned as values. */
  certain: boolean;
  /** For functions and classes: the names of their decorators and of their methods', as written; `?` for one without a name. `keepsNothing` of `2-analyse` tells what they keep. */
  decorators?: string[];
  /** For functions and classes: a default value can change, so what one call does to it the next one sees. */
  remembers?: true;
  /** For imports: the modules, `numpy`, `sklearn.linear_model`. */
  modules?: string[];
  /** For imports: what each bound name stands for, `{np: 'numpy', shuffle: 'random.shuffle'}`. `knownCall(origin)` of `2-analyse` tells what calling it does. */
  origins?: Record<string, string>;
  /** For setup: the channels it changes. A step that is given these channels' state has the effect already, and replaying the call later could undo a newer change. */
  channels?: string[];
  /** For setup: counts only if this name is a module in the notebook (`alt.renderers.enable(...)` where another cell imports `alt`). */
  onlyIfModule?: string;
  /** For setup: it decides how values of all kinds are shown, so every step below depends on it. */
  everywhere?: true;
}

export interface FunctionEffect {
  /** `f`, or `Class.method` for each method of a class (its first parameter is the object): a call `x.method()` may be one to any class of the notebook that has it. */
  name: string;
  /** Global names its body reads when called (closures and nested functions included). */
  reads: string[];
  /** Names it binds through `global`. */
  assigns: string[];
  /** Global names whose object its body may change. */
  mutates: string[];
  /** Parameters, in order, and whether the body may change the argument's object (itself, or by calls listed in `calls`). `remembers`: its default is made once and can change. */
  parameters: { name: string; mutates: boolean; kind: 'positional' | 'keyword' | 'rest' | 'rest-keywords'; remembers?: true }[];
  /** Calls its body makes that stage 3 has to resolve; arguments that are parameters are given by parameter name. */
  calls: Call[];
  channels: { reads: string[]; changes: string[] };
  files: { reads: FileUse[]; writes: FileUse[]; readsAny: boolean; writesAny: boolean };
  /** The body runs code that cannot be followed (`exec` of a computed text, `globals()[name] = ...`). */
  dynamic: { reads: boolean; writes: boolean };
}

export interface Call {
  /** `f`, `module.f`, or `obj.method`; the first part is a global name (or a parameter, inside a function). */
  callee: string;
  /** Names passed as they are (`f(x)`, `f(y=x)`, `f(*x)`, `f([x])`), by position or keyword. */
  arguments: { name: string; position?: number; keyword?: string }[];
  /** An expression statement: its value is thrown away, so it is there for its effect. */
  dropped: boolean;
  range: Range;
}

export interface FileUse {
  path: string;
  range: Range;
}
