/**
 * Which names a function body makes local, by Python's rule: whatever it binds anywhere, unless declared `global` or `nonlocal`. Nested functions, classes, lambdas and comprehensions have scopes
 * of their own; only a walrus inside a comprehension binds outside it.
 */
import type { Expr, Pattern, Statement } from './python/tree';

export interface Scope {
  locals: Set<string>;
  globals: Set<string>;
  nonlocals: Set<string>;
}

/** The scope of a function or class body, without its parameters. */
export function scopeOf(body: Statement[]): Scope {
  const scope: Scope = { locals: new Set(), globals: new Set(), nonlocals: new Set() };
  statements(body, scope);
  for (const name of scope.globals) scope.locals.delete(name);
  for (const name of scope.nonlocals) scope.locals.delete(name);
  return scope;
}

/** The scope of a lambda's or comprehension's expression: only what walruses bind. */
export function walrusNames(expression: Expr): Set<string> {
  const scope: Scope = { locals: new Set(), globals: new Set(), nonlocals: new Set() };
  walruses(expression, scope);
  return scope.locals;
}

/** Names that an assignment target binds; attributes and subscripts bind none. */
export function targetNames(target: Expr, found: Set<string> = new Set()): Set<string> {
  if (target.kind === 'name') found.add(target.name);
  else if (target.kind === 'tuple' || target.kind === 'list') for (const item of target.items) targetNames(item, found);
  else if (target.kind === 'starred' && target.value) targetNames(target.value, found);
  return found;
}

function statements(body: Statement[] | undefined, scope: Scope): void {
  if (body) for (const statement of body) one(statement, scope);
}

function one(s: Statement, scope: Scope): void {
  const bind = (target: Expr | undefined) => {
    if (!target) return;
    targetNames(target, scope.locals);
    walruses(target, scope);
  };
  const look = (...expressions: (Expr | undefined)[]) => {
    for (const e of expressions) if (e) walruses(e, scope);
  };
  switch (s.kind) {
    case 'expression':
      look(s.value);
      return;
    case 'assign':
      s.targets.forEach(bind);
      look(s.value);
      return;
    case 'annotated':
      bind(s.target);
      look(s.value);
      return;
    case 'augmented':
      bind(s.target);
      look(s.value);
      return;
    case 'delete':
      s.targets.forEach(bind);
      return;
    case 'return':
      look(s.value);
      return;
    case 'raise':
      look(...s.values);
      return;
    case 'assert':
      look(s.test, s.message);
      return;
    case 'import':
      for (const name of s.names) if (name.bound !== '*') scope.locals.add(name.bound);
      return;
    case 'global':
      for (const name of s.names) scope.globals.add(name);
      return;
    case 'nonlocal':
      for (const name of s.names) scope.nonlocals.add(name);
      return;
    case 'type':
      scope.locals.add(s.name.name);
      return;
    case 'if':
      for (const branch of s.branches) {
        look(branch.test);
        statements(branch.body, scope);
      }
      statements(s.otherwise, scope);
      return;
    case 'while':
      look(s.test);
      statements(s.body, scope);
      statements(s.otherwise, scope);
      return;
    case 'for':
      bind(s.target);
      look(s.iterable);
      statements(s.body, scope);
      statements(s.otherwise, scope);
      return;
    case 'try':
      statements(s.body, scope);
      for (const handler of s.handlers) {
        look(handler.test);
        bind(handler.name);
        statements(handler.body, scope);
      }
      statements(s.otherwise, scope);
      statements(s.finally, scope);
      return;
    case 'with':
      for (const item of s.items) {
        look(item.value);
        bind(item.target);
      }
      statements(s.body, scope);
      return;
    case 'function':
      scope.locals.add(s.name.name);
      look(...s.decorators);
      look(...s.parameters.map(p => p.default));
      return;
    case 'class':
      scope.locals.add(s.name.name);
      look(...s.decorators);
      look(...s.arguments.map(a => a.value));
      return;
    case 'match':
      look(s.subject);
      for (const option of s.cases) {
        captures(option.pattern, scope);
        look(option.guard);
        statements(option.body, scope);
      }
      return;
    default:
  }
}

function captures(pattern: Pattern, scope: Scope): void {
  for (const name of pattern.captures) scope.locals.add(name.name);
}

function walruses(e: Expr, scope: Scope): void {
  switch (e.kind) {
    case 'named':
      scope.locals.add(e.target.name);
      walruses(e.value, scope);
      return;
    case 'tuple':
    case 'list':
    case 'set':
    case 'operation':
    case 'boolean':
      for (const item of e.items) walruses(item, scope);
      return;
    case 'joined':
    case 'slice':
      for (const part of e.parts) walruses(part, scope);
      return;
    case 'attribute':
      walruses(e.value, scope);
      return;
    case 'subscript':
      walruses(e.value, scope);
      walruses(e.index, scope);
      return;
    case 'call':
      walruses(e.callee, scope);
      for (const a of e.arguments) walruses(a.value, scope);
      return;
    case 'dict':
      for (const k of e.keys) if (k) walruses(k, scope);
      for (const v of e.values) walruses(v, scope);
      return;
    case 'conditional':
      walruses(e.test, scope);
      walruses(e.then, scope);
      walruses(e.otherwise, scope);
      return;
    case 'comprehension':
      for (const item of e.element) walruses(item, scope);
      for (const clause of e.clauses) {
        walruses(clause.iterable, scope);
        for (const c of clause.conditions) walruses(c, scope);
      }
      return;
    case 'await':
    case 'yield':
    case 'yield from':
    case 'starred':
      if (e.value) walruses(e.value, scope);
      return;
    case 'lambda':
      for (const p of e.parameters) if (p.default) walruses(p.default, scope);
      return;
    default:
  }
}
