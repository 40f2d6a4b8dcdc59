/**
 * Python's statements by recursive descent, up to Python 3.14's grammar (`match`, `except*`, `type`, type parameters, parenthesised `with`).
 * Written by hand because of two needs that a parser generated for highlighting does not meet: no error on any valid program, and 1,000 cells in a few tens of milliseconds.
 * It accepts a little more than Python does (`return` outside a function); Python itself will say so.
 */
import type { Range } from '../../../model/problem';
import { ExpressionParser, Unparsable } from './expressions';
import { T, tokenize } from './tokens';
import type { Argument, Expr, FunctionDefinition, Import, Name, Pattern, Statement, TypeParameter } from './tree';

export interface Parsed {
  statements: Statement[];
  error?: { message: string; range: Range };
}

/** Parses the text between two offsets. Never throws: after the first error `statements` holds what stood before it. */
export function parse(source: string, from = 0, to = source.length): Parsed {
  const tokens = tokenize(source, from, to);
  const parser = new StatementParser(tokens);
  const statements: Statement[] = [];
  try {
    parser.all(statements);
  } catch (problem) {
    // The text's own fault (an open bracket) explains better what went wrong later.
    if (tokens.error) return { statements, error: tokens.error };
    if (problem instanceof Unparsable)
      return { statements, error: { message: problem.message, range: { from: problem.from, to: problem.to } } };
    if (problem instanceof RangeError)
      return { statements, error: { message: 'This code is nested too deeply to be read.', range: { from, to } } };
    throw problem;
  }
  return tokens.error ? { statements, error: tokens.error } : { statements };
}

const augmented = new Set(['+=', '-=', '*=', '/=', '//=', '%=', '@=', '&=', '|=', '^=', '>>=', '<<=', '**=']);
/** Python's own limit on nested blocks. */
const deepest = 100;

class StatementParser extends ExpressionParser {
  private blocks = 0;

  all(into: Statement[]): void {
    while (this.kind() !== T.end) {
      if (this.kind() === T.newline) this.at++;
      else this.statement(into);
    }
  }

  private statement(into: Statement[]): void {
    if (this.kind() === T.indent) this.fail('Expected a statement');
    if (this.kind() === T.magic) {
      into.push(this.magic());
      if (this.kind() === T.newline) this.at++;
      return;
    }
    if (this.kind() === T.op && this.text === '@') {
      into.push(this.decorated());
      return;
    }
    if (this.kind() === T.name) {
      const compound = this.compound();
      if (compound) {
        into.push(compound);
        return;
      }
    }
    this.simpleLine(into);
  }

  private magic(): Statement {
    const node: Statement = { kind: 'magic', text: this.text, from: this.from, to: this.tokens.to[this.at] as number };
    this.at++;
    return node;
  }

  /** Small statements up to the end of the line. */
  private simpleLine(into: Statement[]): void {
    for (;;) {
      const statement = this.simple();
      into.push(statement);
      const more = this.take(';');
      if (more && statement.kind === 'expression') statement.silent = true;
      if (this.kind() === T.magic) into.push(this.magic());
      if (this.kind() === T.newline) {
        this.at++;
        return;
      }
      if (this.kind() === T.end) return;
      if (!more) this.fail('Expected the end of the statement');
    }
  }

  private simple(): Statement {
    const from = this.from;
    if (this.kind() === T.name) {
      switch (this.text) {
        case 'pass':
        case 'break':
        case 'continue': {
          const kind = this.text;
          this.at++;
          return { kind, from, to: this.last };
        }
        case 'return': {
          this.at++;
          const value = this.startsExpression() ? this.expressionList() : undefined;
          return { kind: 'return', value, from, to: this.last };
        }
        case 'raise': {
          this.at++;
          const values: Expr[] = [];
          if (this.startsExpression()) {
            values.push(this.expression());
            if (this.take('from')) values.push(this.expression());
          }
          return { kind: 'raise', values, from, to: this.last };
        }
        case 'assert': {
          this.at++;
          const test = this.expression();
          const message = this.take(',') ? this.expression() : undefined;
          return { kind: 'assert', test, message, from, to: this.last };
        }
        case 'del': {
          this.at++;
          const targets = this.targets();
          return { kind: 'delete', targets: [targets], from, to: this.last };
        }
        case 'global':
        case 'nonlocal': {
          const kind = this.text;
          this.at++;
          const names = [this.name().name];
          while (this.take(',')) names.push(this.name().name);
          return { kind, names, from, to: this.last };
        }
        case 'import':
        case 'from':
          return this.importStatement();
        case 'type':
          if (this.tokens.kind[this.at + 1] === T.name && (this.peekIs(2, '=') || this.peekIs(2, '['))) {
            const back = this.at;
            this.at++;
            if (this.isName) {
              const name = this.name();
              const typeParameters = this.typeParameters();
              if (this.take('=')) {
                const value = this.expression();
                return { kind: 'type', name, typeParameters, value, from, to: this.last };
              }
            }
            this.at = back;
          }
          break;
        default:
      }
    }
    return this.assignment();
  }

  private assignment(): Statement {
    const from = this.from;
    const first = this.is('yield') ? this.yielded() : this.expressionList();
    if (this.kind() === T.op) {
      if (this.text === '=') {
        const targets: Expr[] = [];
        let value: Expr = first;
        while (this.take('=')) {
          this.target(value);
          targets.push(value);
          const kind = this.kind();
          if (kind === T.magic) {
            const magic = this.magic();
            if (magic.kind === 'magic') value = magic;
            break;
          }
          value = this.is('yield') ? this.yielded() : this.expressionList();
        }
        return { kind: 'assign', targets, value, from, to: this.last };
      }
      if (this.text === ':') {
        this.at++;
        this.target(first);
        const annotation = this.expression();
        const value = this.take('=') ? (this.is('yield') ? this.yielded() : this.expressionList()) : undefined;
        return { kind: 'annotated', target: first, annotation, value, from, to: this.last };
      }
      if (augmented.has(this.text)) {
        const operator = this.text;
        this.at++;
        this.target(first);
        const value = this.is('yield') ? this.yielded() : this.expressionList();
        return { kind: 'augmented', target: first, value, operator, from, to: this.last };
      }
    }
    return { kind: 'expression', value: first, silent: false, from, to: this.last };
  }

  /** Refuses what cannot be assigned to. */
  private target(target: Expr): void {
    switch (target.kind) {
      case 'name':
      case 'attribute':
      case 'subscript':
        return;
      case 'tuple':
      case 'list':
        for (const item of target.items) this.target(item);
        return;
      case 'starred':
        if (target.value) this.target(target.value);
        return;
      default: {
        const text = this.tokens.source.slice(target.from, target.to).split('\n')[0] as string;
        throw new Unparsable(`'${text.length > 30 ? `${text.slice(0, 30)}…` : text}' cannot be assigned to.`, target.from, target.to);
      }
    }
  }

  private importStatement(): Import {
    const from = this.from;
    const names: Import['names'] = [];
    const dotted = () => {
      let name = this.name().name;
      while (this.take('.')) name += `.${this.name().name}`;
      return name;
    };
    if (this.take('import')) {
      do {
        const start = this.from;
        const name = dotted();
        const as = this.take('as') ? this.name().name : undefined;
        names.push({ name, as, bound: as ?? (name.split('.')[0] as string), from: start, to: this.last });
      } while (this.take(','));
      return { kind: 'import', names, from, to: this.last };
    }
    this.expect('from');
    let module = '';
    while (this.is('.') || this.is('...')) {
      module += this.text;
      this.at++;
    }
    if (this.isName) module += dotted();
    else if (!module) this.fail("Expected a module after 'from'");
    this.expect('import', 'the module');
    if (this.is('*')) {
      names.push({ name: '*', bound: '*', from: this.from, to: this.tokens.to[this.at] as number });
      this.at++;
    } else {
      const brackets = this.take('(');
      do {
        if (brackets && this.is(')') && names.length) break;
        const start = this.from;
        const { name } = this.name();
        const as = this.take('as') ? this.name().name : undefined;
        names.push({ name, as, bound: as ?? name, from: start, to: this.last });
      } while (this.take(','));
      if (brackets) this.expect(')', 'the names to import');
    }
    return { kind: 'import', module, names, from, to: this.last };
  }

  private block(after: string): Statement[] {
    this.expect(':', after);
    const body: Statement[] = [];
    if (++this.blocks > deepest) this.fail('Too many blocks inside one another');
    if (this.kind() === T.newline) {
      this.at++;
      if (this.kind() !== T.indent) {
        this.fail(`Expected an indented block after ${after}`);
      }
      this.at++;
      while (this.kind() !== T.dedent && this.kind() !== T.end) {
        if (this.kind() === T.newline) this.at++;
        else this.statement(body);
      }
      if (this.kind() === T.dedent) this.at++;
    } else if (this.kind() === T.magic) {
      body.push(this.magic());
      if (this.kind() === T.newline) this.at++;
    } else this.simpleLine(body);
    this.blocks--;
    return body;
  }

  private compound(): Statement | undefined {
    const from = this.from;
    switch (this.text) {
      case 'if': {
        const branches: { test: Expr; body: Statement[] }[] = [];
        this.at++;
        do {
          const test = this.named();
          branches.push({ test, body: this.block("the condition of 'if'") });
        } while (this.take('elif'));
        return { kind: 'if', branches, otherwise: this.elseBlock(), from, to: this.end() };
      }
      case 'while': {
        this.at++;
        const test = this.named();
        const body = this.block("the condition of 'while'");
        return { kind: 'while', test, body, otherwise: this.elseBlock(), from, to: this.end() };
      }
      case 'for':
        return this.forStatement(from);
      case 'try':
        return this.tryStatement(from);
      case 'with':
        return this.withStatement(from);
      case 'def':
        return this.functionDefinition(from, []);
      case 'class':
        return this.classDefinition(from, []);
      case 'async': {
        this.at++;
        if (this.is('for')) return this.forStatement(from);
        if (this.is('with')) return this.withStatement(from);
        if (this.is('def')) return this.functionDefinition(from, []);
        return this.fail("Expected 'def', 'for' or 'with' after 'async'");
      }
      case 'match':
        return this.matchStatement(from);
      default:
        return undefined;
    }
  }

  private elseBlock(): Statement[] | undefined {
    return this.take('else') ? this.block("'else'") : undefined;
  }
  /** End of the last token that is code. */
  private end(): number {
    let i = this.at - 1;
    while (i > 0 && (this.tokens.kind[i] === T.newline || this.tokens.kind[i] === T.dedent || this.tokens.kind[i] === T.indent)) i--;
    return this.tokens.to[i] ?? 0;
  }

  private forStatement(from: number): Statement {
    this.at++;
    const target = this.targets();
    this.target(target);
    this.expect('in', "the names of 'for'");
    const iterable = this.expressionList();
    const body = this.block("'for'");
    return { kind: 'for', target, iterable, body, otherwise: this.elseBlock(), from, to: this.end() };
  }

  private tryStatement(from: number): Statement {
    this.at++;
    const body = this.block("'try'");
    const handlers: { test?: Expr; name?: Name; body: Statement[] }[] = [];
    while (this.take('except')) {
      this.take('*');
      const test = this.is(':') ? undefined : this.expressionList(this.expression);
      const name = test && this.take('as') ? this.name() : undefined;
      handlers.push({ test, name, body: this.block("'except'") });
    }
    const otherwise = this.elseBlock();
    const last = this.take('finally') ? this.block("'finally'") : undefined;
    if (!handlers.length && !last) this.fail("Expected 'except' or 'finally' after the block of 'try'");
    return { kind: 'try', body, handlers, otherwise, finally: last, from, to: this.end() };
  }

  private withStatement(from: number): Statement {
    this.at++;
    const start = this.at;
    let items = this.is('(') ? this.withItems(true) : undefined;
    if (!items) {
      this.at = start;
      items = this.withItems(false) as { value: Expr; target?: Expr }[];
    }
    const body = this.block("'with'");
    return { kind: 'with', items, body, from, to: this.end() };
  }
  /** `with (a as b, c):` can only be told from `with (a, b) as c:` by reading to the end, so the bracketed form is tried first. */
  private withItems(brackets: boolean): { value: Expr; target?: Expr }[] | undefined {
    const items: { value: Expr; target?: Expr }[] = [];
    try {
      if (brackets) this.at++;
      do {
        if (brackets && this.is(')') && items.length) break;
        const value = this.expression();
        let target: Expr | undefined;
        if (this.take('as')) {
          target = this.is('*') ? this.starOrNamed() : this.primary();
          this.target(target);
        }
        items.push({ value, target });
      } while (this.take(','));
      if (!brackets) return items;
      return this.take(')') && this.is(':') ? items : undefined;
    } catch (problem) {
      if (brackets && problem instanceof Unparsable) return undefined;
      throw problem;
    }
  }

  private typeParameters(): TypeParameter[] {
    const found: TypeParameter[] = [];
    if (!this.take('[')) return found;
    while (!this.is(']')) {
      const from = this.from;
      if (!this.take('**')) this.take('*');
      const { name } = this.name();
      const bound = this.take(':') ? this.expression() : undefined;
      const value = this.take('=') ? this.starOrNamed() : undefined;
      found.push({ name, bound, default: value, from, to: this.last });
      if (!this.take(',')) break;
    }
    this.expect(']', 'the type parameters');
    return found;
  }

  private functionDefinition(from: number, decorators: Expr[]): FunctionDefinition {
    this.at++;
    const name = this.name();
    const typeParameters = this.typeParameters();
    this.expect('(', 'the name of the function');
    const parameters = this.parameters(')', true);
    this.expect(')', 'the parameters');
    const returns = this.take('->') ? this.expressionList() : undefined;
    const body = this.block('the head of the function');
    return { kind: 'function', name, decorators, typeParameters, parameters, returns, body, from, to: this.end() };
  }

  private classDefinition(from: number, decorators: Expr[]): Statement {
    this.at++;
    const name = this.name();
    const typeParameters = this.typeParameters();
    const args: Argument[] = this.is('(') ? this.callArguments() : [];
    const body = this.block('the head of the class');
    return { kind: 'class', name, decorators, typeParameters, arguments: args, body, from, to: this.end() };
  }

  private decorated(): Statement {
    const from = this.from;
    const decorators: Expr[] = [];
    while (this.take('@')) {
      decorators.push(this.named());
      if (this.kind() !== T.newline) this.fail('Expected the end of the line after the decorator');
      while (this.kind() === T.newline) this.at++;
    }
    this.take('async');
    if (this.is('def')) return this.functionDefinition(from, decorators);
    if (this.is('class')) return this.classDefinition(from, decorators);
    return this.fail("Expected 'def' or 'class' after the decorator");
  }

  // `match` is a name except where its statement can be read to the colon and a `case` follows.

  private matchStatement(from: number): Statement | undefined {
    const back = this.at;
    this.at++;
    if (!this.startsExpression()) {
      this.at = back;
      return undefined;
    }
    let subject: Expr;
    try {
      subject = this.expressionList();
    } catch (problem) {
      if (!(problem instanceof Unparsable)) throw problem;
      this.at = back;
      return undefined;
    }
    const isMatch =
      this.is(':') && this.tokens.kind[this.at + 1] === T.newline && this.tokens.kind[this.at + 2] === T.indent && this.peekIs(3, 'case');
    if (!isMatch) {
      this.at = back;
      return undefined;
    }
    this.at += 3;
    const cases: { pattern: Pattern; guard?: Expr; body: Statement[] }[] = [];
    while (this.take('case')) {
      const pattern = this.patterns();
      const guard = this.take('if') ? this.named() : undefined;
      cases.push({ pattern, guard, body: this.block("'case'") });
      while (this.kind() === T.newline) this.at++;
    }
    if (this.kind() === T.dedent) this.at++;
    else if (this.kind() !== T.end) this.fail("Expected 'case'");
    return { kind: 'match', subject, cases, from, to: this.end() };
  }

  private patterns(): Pattern {
    const pattern: Pattern = { captures: [], reads: [], always: true, from: this.from, to: this.from };
    let items = 0;
    do {
      if (items && (this.is(':') || this.is('if'))) {
        pattern.always = false;
        break;
      }
      if (!this.asPattern(pattern)) pattern.always = false;
      items++;
    } while (this.take(','));
    if (items > 1) pattern.always = false;
    pattern.to = this.last;
    return pattern;
  }

  /** Reads one pattern, noting its names; true when it matches anything. */
  private asPattern(into: Pattern): boolean {
    let always = this.closedPattern(into);
    while (this.take('|')) always = this.closedPattern(into) || always;
    if (this.take('as')) into.captures.push(this.name());
    return always;
  }

  private closedPattern(into: Pattern): boolean {
    if (++this.blocks > deepest * 2) this.fail('Too many patterns inside one another');
    const always = this.onePattern(into);
    this.blocks--;
    return always;
  }
  private onePattern(into: Pattern): boolean {
    if (this.take('*')) {
      const { name } = this.peekName();
      if (name !== '_') into.captures.push(this.name());
      else this.at++;
      return false;
    }
    if (this.is('(') || this.is('[')) {
      const close = this.is('(') ? ')' : ']';
      this.at++;
      let items = 0;
      let always = false;
      let comma = close === ']';
      while (!this.is(close)) {
        always = this.asPattern(into);
        items++;
        if (!this.take(',')) break;
        comma = true;
      }
      this.expect(close, 'the pattern');
      return items === 1 && !comma && always;
    }
    if (this.is('{')) {
      this.at++;
      while (!this.is('}')) {
        if (this.take('**')) into.captures.push(this.name());
        else {
          into.reads.push(this.binary());
          this.expect(':', 'the key');
          this.asPattern(into);
        }
        if (!this.take(',')) break;
      }
      this.expect('}', 'the pattern');
      return false;
    }
    if (this.isName) {
      const name = this.name();
      if (!this.is('.') && !this.is('(')) {
        if (name.name !== '_') into.captures.push(name);
        return true;
      }
      let value: Expr = name;
      while (this.take('.')) {
        const attribute = this.name();
        value = { kind: 'attribute', value, attribute: attribute.name, from: name.from, to: attribute.to };
      }
      into.reads.push(value);
      if (this.take('(')) {
        while (!this.is(')')) {
          if (this.isName && this.peekIs(1, '=')) this.at += 2;
          this.asPattern(into);
          if (!this.take(',')) break;
        }
        this.expect(')', 'the pattern');
      }
      return false;
    }
    const value = this.literalPattern();
    if (value) into.reads.push(value);
    return false;
  }
  private peekName(): { name: string } {
    return { name: this.text };
  }
  /** A number, string or None. `|` separates patterns here, so a whole binary expression would read too far. */
  private literalPattern(): Expr | undefined {
    this.take('-');
    const value = this.primary();
    if (this.is('+') || this.is('-')) {
      this.at++;
      this.primary();
    }
    return value.kind === 'joined' ? value : undefined;
  }
}
