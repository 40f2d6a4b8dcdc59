/**
 * Python's syntax tree, as far as dataflow needs it. Where Python's own tree nests (`a + b + c`, `elif`), ours is flat: long chains then need no deep recursion.
 * Every node has its offsets in the cell.
 */

export interface Node {
  from: number;
  to: number;
}

export type Expr =
  | Name
  | Constant
  | Joined
  | Attribute
  | Subscript
  | CallExpr
  | Sequence
  | Dict
  | Operation
  | Conditional
  | Lambda
  | Comprehension
  | Wrapped
  | Named
  | Slice
  | MagicExpr;

export interface Name extends Node {
  kind: 'name';
  name: string;
}
/** A literal. `text` is there for plain strings: their content, escapes left as they are. */
export interface Constant extends Node {
  kind: 'constant';
  type: 'string' | 'bytes' | 'number' | 'none' | 'bool' | 'ellipsis';
  text?: string;
}
/** An f-string (or strings side by side, one of them an f-string). `text` keeps the literal start up to the first expression. */
export interface Joined extends Node {
  kind: 'joined';
  parts: Expr[];
}
export interface Attribute extends Node {
  kind: 'attribute';
  value: Expr;
  attribute: string;
}
export interface Subscript extends Node {
  kind: 'subscript';
  value: Expr;
  index: Expr;
}
export interface CallExpr extends Node {
  kind: 'call';
  callee: Expr;
  arguments: Argument[];
}
export interface Argument extends Node {
  value: Expr;
  keyword?: string;
  /** 1 for `*x`, 2 for `**x`. */
  stars: 0 | 1 | 2;
}
export interface Sequence extends Node {
  kind: 'tuple' | 'list' | 'set';
  items: Expr[];
}
/** `keys[i]` is undefined for `**values[i]`. */
export interface Dict extends Node {
  kind: 'dict';
  keys: (Expr | undefined)[];
  values: Expr[];
}
/** `boolean`: and/or, whose value is one of the items. `operation`: arithmetic, comparison, not: a new value. */
export interface Operation extends Node {
  kind: 'boolean' | 'operation';
  items: Expr[];
}
export interface Conditional extends Node {
  kind: 'conditional';
  test: Expr;
  then: Expr;
  otherwise: Expr;
}
export interface Lambda extends Node {
  kind: 'lambda';
  parameters: Parameter[];
  body: Expr;
}
export interface Comprehension extends Node {
  kind: 'comprehension';
  type: 'list' | 'set' | 'dict' | 'generator';
  /** One item, or key and value. */
  element: Expr[];
  clauses: { target: Expr; iterable: Expr; conditions: Expr[] }[];
}
export interface Wrapped extends Node {
  kind: 'await' | 'yield' | 'yield from' | 'starred';
  value?: Expr;
}
export interface Named extends Node {
  kind: 'named';
  target: Name;
  value: Expr;
}
export interface Slice extends Node {
  kind: 'slice';
  parts: Expr[];
}
/** The right side of `x = %magic` and `x = !cmd`. */
export interface MagicExpr extends Node {
  kind: 'magic';
  text: string;
}

export interface Parameter extends Node {
  name: string;
  kind: 'positional' | 'keyword' | 'rest' | 'rest-keywords';
  annotation?: Expr;
  default?: Expr;
}
export interface TypeParameter extends Node {
  name: string;
  bound?: Expr;
  default?: Expr;
}

export type Statement =
  | ExpressionStatement
  | Assignment
  | AnnotatedAssignment
  | AugmentedAssignment
  | Delete
  | Jump
  | Raise
  | Assert
  | Import
  | Scope
  | TypeAlias
  | If
  | While
  | For
  | Try
  | With
  | FunctionDefinition
  | ClassDefinition
  | Match
  | MagicExpr;

export interface ExpressionStatement extends Node {
  kind: 'expression';
  value: Expr;
  /** Ended by `;`: IPython shows no result. */
  silent: boolean;
}
export interface Assignment extends Node {
  kind: 'assign';
  targets: Expr[];
  value: Expr;
}
export interface AnnotatedAssignment extends Node {
  kind: 'annotated';
  target: Expr;
  annotation: Expr;
  value?: Expr;
}
export interface AugmentedAssignment extends Node {
  kind: 'augmented';
  target: Expr;
  value: Expr;
  operator: string;
}
export interface Delete extends Node {
  kind: 'delete';
  targets: Expr[];
}
export interface Jump extends Node {
  kind: 'return' | 'break' | 'continue' | 'pass';
  value?: Expr;
}
export interface Raise extends Node {
  kind: 'raise';
  values: Expr[];
}
export interface Assert extends Node {
  kind: 'assert';
  test: Expr;
  message?: Expr;
}
export interface Import extends Node {
  kind: 'import';
  /** `undefined` for `import a`; otherwise the module after `from`, dots and all. */
  module?: string;
  /** `name` is a dotted module for `import a.b`, a plain name for `from`, or `*`. `bound` is the name it binds. */
  names: { name: string; as?: string; bound: string; from: number; to: number }[];
}
export interface Scope extends Node {
  kind: 'global' | 'nonlocal';
  names: string[];
}
export interface TypeAlias extends Node {
  kind: 'type';
  name: Name;
  typeParameters: TypeParameter[];
  value: Expr;
}
export interface If extends Node {
  kind: 'if';
  branches: { test: Expr; body: Statement[] }[];
  otherwise?: Statement[];
}
export interface While extends Node {
  kind: 'while';
  test: Expr;
  body: Statement[];
  otherwise?: Statement[];
}
export interface For extends Node {
  kind: 'for';
  target: Expr;
  iterable: Expr;
  body: Statement[];
  otherwise?: Statement[];
}
export interface Try extends Node {
  kind: 'try';
  body: Statement[];
  handlers: { test?: Expr; name?: Name; body: Statement[] }[];
  otherwise?: Statement[];
  finally?: Statement[];
}
export interface With extends Node {
  kind: 'with';
  items: { value: Expr; target?: Expr }[];
  body: Statement[];
}
export interface FunctionDefinition extends Node {
  kind: 'function';
  name: Name;
  decorators: Expr[];
  typeParameters: TypeParameter[];
  parameters: Parameter[];
  returns?: Expr;
  body: Statement[];
}
export interface ClassDefinition extends Node {
  kind: 'class';
  name: Name;
  decorators: Expr[];
  typeParameters: TypeParameter[];
  arguments: Argument[];
  body: Statement[];
}
export interface Match extends Node {
  kind: 'match';
  subject: Expr;
  cases: { pattern: Pattern; guard?: Expr; body: Statement[] }[];
}

/** What a `case` does to names: the names it captures and the expressions it looks up; `always` when it matches anything. */
export interface Pattern extends Node {
  captures: Name[];
  reads: Expr[];
  always: boolean;
}
