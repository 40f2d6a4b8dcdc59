/**
 * Python's expressions by recursive descent over the tokens. `Unparsable` is thrown inside this folder only; `parse` turns it into a returned error.
 */
import { T, type Tokens } from './tokens';
import type { Argument, Comprehension, Expr, Name, Parameter } from './tree';

/** The first place where the text stops being Python. */
export class Unparsable extends Error {
  constructor(
    message: string,
    readonly from: number,
    readonly to: number,
  ) {
    super(message);
  }
}

const keywords = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);
/** Binary operators from loosest to tightest, below comparison and above unary minus. */
const binary: string[][] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '@', '/', '%', '//']];
const level = new Map<string, number>(binary.flatMap((operators, i) => operators.map(o => [o, i] as const)));
const comparisons = new Set(['<', '>', '==', '>=', '<=', '!=', '<>', 'in', 'not', 'is']);
/** Python's own limit on nested brackets. */
const deepest = 200;

export class ExpressionParser {
  protected at = 0;
  private depth = 0;

  constructor(protected readonly tokens: Tokens) {}

  // Tokens.

  protected kind(): T {
    return this.tokens.kind[this.at] as T;
  }
  protected get text(): string {
    return this.tokens.text[this.at] as string;
  }
  protected get from(): number {
    return this.tokens.from[this.at] as number;
  }
  /** End of the token before this one. */
  protected get last(): number {
    return this.tokens.to[this.at - 1] ?? 0;
  }

  protected is(text: string): boolean {
    const kind = this.kind();
    return (kind === T.op || kind === T.name) && this.text === text;
  }
  protected peekIs(ahead: number, text: string): boolean {
    const kind = this.tokens.kind[this.at + ahead];
    return (kind === T.op || kind === T.name) && this.tokens.text[this.at + ahead] === text;
  }
  protected take(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }
  protected expect(text: string, after?: string): void {
    if (!this.take(text)) this.fail(`Expected '${text}'${after ? ` after ${after}` : ''}`);
  }
  protected get isName(): boolean {
    return this.kind() === T.name && !keywords.has(this.text);
  }
  protected name(): Name {
    if (!this.isName) this.fail('Expected a name');
    const node: Name = { kind: 'name', name: this.text, from: this.from, to: this.tokens.to[this.at] as number };
    this.at++;
    return node;
  }
  protected fail(expected: string): never {
    const { source } = this.tokens;
    const from = this.from;
    let to = Math.max(from, this.tokens.to[this.at] as number);
    if (this.kind() === T.newline || this.kind() === T.end)
      throw new Unparsable(`${expected}, but the line ends here.`, Math.max(0, from - 1), Math.max(from, 1));
    if (this.kind() === T.indent || this.kind() === T.dedent)
      throw new Unparsable(`${expected}, but the indent changes here.`, from, from + 1);
    if (to === from) to = from + 1;
    const line = source.slice(from, to).split('\n')[0] as string;
    throw new Unparsable(`${expected}, but found '${line.length > 30 ? `${line.slice(0, 30)}…` : line}'.`, from, to);
  }

  // Expressions, from the loosest.

  /** `a, *b, c` without brackets; one item without comma is that item. `stop` says what may follow a trailing comma. */
  protected expressionList(item: () => Expr = this.starOrNamed): Expr {
    const from = this.from;
    const first = item.call(this);
    if (!this.is(',')) return first;
    const items = [first];
    while (this.take(',')) {
      if (!this.startsExpression()) break;
      items.push(item.call(this));
    }
    return { kind: 'tuple', items, from, to: this.last };
  }

  protected startsExpression(): boolean {
    switch (this.kind()) {
      case T.name:
        return !keywords.has(this.text) || /^(?:None|True|False|not|lambda|await|yield)$/.test(this.text);
      case T.number:
      case T.string:
      case T.fstart:
        return true;
      case T.op:
        return /^(?:[([{~+*-]|\.\.\.|\*\*)$/.test(this.text);
      default:
        return false;
    }
  }

  protected starOrNamed(): Expr {
    if (this.is('*')) {
      const from = this.from;
      this.at++;
      const value = this.binary();
      return { kind: 'starred', value, from, to: value.to };
    }
    return this.named();
  }

  /** An expression that may be `name := value`. */
  protected named(): Expr {
    if (this.isName && this.peekIs(1, ':=')) {
      const target = this.name();
      this.at++;
      const value = this.expression();
      return { kind: 'named', target, value, from: target.from, to: value.to };
    }
    return this.expression();
  }

  protected expression(): Expr {
    if (this.kind() === T.name) {
      if (this.text === 'lambda') return this.lambda();
      if (this.text === 'yield') return this.yielded();
    }
    if (++this.depth > deepest * 2) throw new Unparsable('Too many brackets inside one another here.', this.from, this.from + 1);
    const then = this.disjunction();
    this.depth--;
    if (!this.is('if')) return then;
    this.at++;
    const test = this.disjunction();
    this.expect('else', "the 'if' of an expression");
    const otherwise = this.expression();
    return { kind: 'conditional', test, then, otherwise, from: then.from, to: otherwise.to };
  }

  protected yielded(): Expr {
    const from = this.from;
    this.at++;
    if (this.take('from')) {
      const value = this.expression();
      return { kind: 'yield from', value, from, to: value.to };
    }
    if (!this.startsExpression()) return { kind: 'yield', from, to: this.last };
    const value = this.expressionList();
    return { kind: 'yield', value, from, to: value.to };
  }

  private lambda(): Expr {
    const from = this.from;
    this.at++;
    const parameters = this.parameters(':', false);
    this.expect(':', 'the parameters of a lambda');
    if (++this.depth > deepest * 2) throw new Unparsable('Too many lambdas inside one another here.', from, from + 1);
    const body = this.expression();
    this.depth--;
    return { kind: 'lambda', parameters, body, from, to: body.to };
  }

  /** Parameters up to (not including) `close`. */
  protected parameters(close: string, annotated: boolean): Parameter[] {
    const found: Parameter[] = [];
    let named = false;
    while (!this.is(close)) {
      const from = this.from;
      if (this.take('/')) {
        // Only marks those before it.
      } else if (this.is('*') && (this.peekIs(1, ',') || this.peekIs(1, close))) {
        this.at++;
        named = true;
      } else {
        const kind = this.take('**') ? 'rest-keywords' : this.take('*') ? 'rest' : named ? 'keyword' : 'positional';
        if (kind === 'rest') named = true;
        const { name } = this.name();
        const annotation = annotated && this.take(':') ? (this.is('*') ? this.starOrNamed() : this.expression()) : undefined;
        const value = this.take('=') ? this.expression() : undefined;
        found.push({ name, kind, annotation, default: value, from, to: this.last });
      }
      if (!this.take(',')) break;
    }
    return found;
  }

  protected disjunction(): Expr {
    const first = this.conjunction();
    if (!this.is('or')) return first;
    const items = [first];
    while (this.take('or')) items.push(this.conjunction());
    return { kind: 'boolean', items, from: first.from, to: this.last };
  }
  private conjunction(): Expr {
    const first = this.inversion();
    if (!this.is('and')) return first;
    const items = [first];
    while (this.take('and')) items.push(this.inversion());
    return { kind: 'boolean', items, from: first.from, to: this.last };
  }
  private inversion(): Expr {
    const from = this.from;
    let nots = 0;
    while (this.take('not')) nots++;
    const value = this.comparison();
    return nots ? { kind: 'operation', items: [value], from, to: value.to } : value;
  }
  private comparison(): Expr {
    const first = this.binary();
    if (!((this.kind() === T.op || this.kind() === T.name) && comparisons.has(this.text))) return first;
    const items = [first];
    while ((this.kind() === T.op || this.kind() === T.name) && comparisons.has(this.text)) {
      if (this.take('not')) this.expect('in', "'not'");
      else if (this.take('is')) this.take('not');
      else this.at++;
      items.push(this.binary());
    }
    return { kind: 'operation', items, from: first.from, to: this.last };
  }

  /** Arithmetic and bit operators. All their values are new, so `a + b * c` is kept as one flat list of operands. */
  protected binary(): Expr {
    const first = this.unary();
    if (this.kind() !== T.op || !level.has(this.text)) return first;
    const items = [first];
    while (this.kind() === T.op && level.has(this.text)) {
      this.at++;
      items.push(this.unary());
    }
    return { kind: 'operation', items, from: first.from, to: this.last };
  }

  private unary(): Expr {
    const from = this.from;
    let signs = 0;
    while (this.kind() === T.op && (this.text === '-' || this.text === '+' || this.text === '~')) {
      this.at++;
      signs++;
    }
    const base = this.awaited();
    if (!this.is('**')) return signs ? { kind: 'operation', items: [base], from, to: base.to } : base;
    const items = [base];
    while (this.take('**')) {
      while (this.kind() === T.op && (this.text === '-' || this.text === '+' || this.text === '~')) this.at++;
      items.push(this.awaited());
    }
    return { kind: 'operation', items, from, to: this.last };
  }

  private awaited(): Expr {
    if (!this.is('await')) return this.primary();
    const from = this.from;
    this.at++;
    const value = this.primary();
    return { kind: 'await', value, from, to: value.to };
  }

  protected primary(): Expr {
    let value = this.atom();
    let links = 0;
    while (this.kind() === T.op) {
      const { text } = this;
      if (text === '.') {
        this.at++;
        if (this.kind() !== T.name) this.fail("Expected a name after '.'");
        value = { kind: 'attribute', value, attribute: this.text, from: value.from, to: this.tokens.to[this.at] as number };
        this.at++;
      } else if (text === '(') {
        const args = this.callArguments();
        value = { kind: 'call', callee: value, arguments: args, from: value.from, to: this.last };
      } else if (text === '[') {
        this.at++;
        const index = this.subscripts();
        this.expect(']', 'the index');
        value = { kind: 'subscript', value, index, from: value.from, to: this.last };
      } else break;
      if (++links > 2000) throw new Unparsable('Too many calls in one chain here.', this.from, this.from + 1);
    }
    return value;
  }

  /** Arguments with their parentheses, as in a call or after a class's name. */
  protected callArguments(): Argument[] {
    this.enter();
    this.at++;
    const found: Argument[] = [];
    while (!this.is(')')) {
      const from = this.from;
      if (this.take('**')) {
        const value = this.expression();
        found.push({ value, stars: 2, from, to: value.to });
      } else if (this.take('*')) {
        const value = this.expression();
        found.push({ value, stars: 1, from, to: value.to });
      } else if (this.isName && this.peekIs(1, '=')) {
        const keyword = this.name().name;
        this.at++;
        const value = this.expression();
        found.push({ value, keyword, stars: 0, from, to: value.to });
      } else {
        let value = this.named();
        if (this.is('for') || this.is('async')) value = this.comprehension('generator', [value], from);
        found.push({ value, stars: 0, from, to: value.to });
      }
      if (!this.take(',')) break;
    }
    this.expect(')', 'the arguments');
    this.depth--;
    return found;
  }

  private subscripts(): Expr {
    const from = this.from;
    this.enter();
    const items = [this.slice()];
    let tuple = false;
    while (this.take(',')) {
      tuple = true;
      if (this.is(']')) break;
      items.push(this.slice());
    }
    this.depth--;
    return tuple ? { kind: 'tuple', items, from, to: this.last } : (items[0] as Expr);
  }
  private slice(): Expr {
    const from = this.from;
    const parts: Expr[] = [];
    if (!this.is(':')) {
      const first = this.starOrNamed();
      if (!this.is(':')) return first;
      parts.push(first);
    }
    for (let colons = 0; colons < 2 && this.take(':'); colons++)
      if (!this.is(':') && !this.is(',') && !this.is(']')) parts.push(this.expression());
    return { kind: 'slice', parts, from, to: this.last };
  }

  private enter(): void {
    if (++this.depth > deepest * 2) throw new Unparsable('Too many brackets inside one another here.', this.from, this.from + 1);
  }

  private atom(): Expr {
    const kind = this.kind();
    const { text, from } = this;
    const to = this.tokens.to[this.at] as number;
    switch (kind) {
      case T.name:
        if (!keywords.has(text)) {
          this.at++;
          return { kind: 'name', name: text, from, to };
        }
        if (text === 'None' || text === 'True' || text === 'False') {
          this.at++;
          return { kind: 'constant', type: text === 'None' ? 'none' : 'bool', from, to };
        }
        break;
      case T.number:
        this.at++;
        return { kind: 'constant', type: 'number', from, to };
      case T.string:
      case T.fstart:
        return this.strings();
      case T.op:
        if (text === '(') return this.parenthesized();
        if (text === '[') return this.bracketed();
        if (text === '{') return this.braced();
        if (text === '...') {
          this.at++;
          return { kind: 'constant', type: 'ellipsis', from, to };
        }
        break;
      default:
    }
    return this.fail('Expected an expression');
  }

  /** Strings side by side are one. */
  private strings(): Expr {
    const from = this.from;
    const parts: Expr[] = [];
    let text = '';
    let bytes = false;
    let format = false;
    while (this.kind() === T.string || this.kind() === T.fstart) {
      if (this.kind() === T.fstart) {
        format = true;
        this.at++;
        while (this.kind() === T.fopen) parts.push(...this.replacement());
        if (this.kind() !== T.fend) this.fail('Expected the end of the f-string');
        this.at++;
      } else {
        const raw = this.text;
        const quote = raw.search(/['"]/);
        if (/b/i.test(raw.slice(0, quote))) bytes = true;
        const long = raw.length >= quote + 6 && raw[quote + 1] === raw[quote] && raw[quote + 2] === raw[quote] ? 3 : 1;
        text += raw.slice(quote + long, raw.length - long);
        this.at++;
      }
    }
    if (format) return { kind: 'joined', parts, from, to: this.last };
    return { kind: 'constant', type: bytes ? 'bytes' : 'string', text, from, to: this.last };
  }
  private replacement(): Expr[] {
    this.enter();
    this.at++;
    const parts = [this.expressionList()];
    while (this.kind() === T.fopen) parts.push(...this.replacement());
    if (this.kind() !== T.fclose) this.fail("Expected '}' in the f-string");
    this.at++;
    this.depth--;
    return parts;
  }

  private parenthesized(): Expr {
    const from = this.from;
    this.enter();
    this.at++;
    let value: Expr;
    if (this.is(')')) value = { kind: 'tuple', items: [], from, to: from };
    else if (this.is('yield')) value = this.yielded();
    else {
      const first = this.starOrNamed();
      if (this.is('for') || this.is('async')) value = this.comprehension('generator', [first], from);
      else if (this.is(',')) {
        const items = [first];
        while (this.take(',')) {
          if (this.is(')')) break;
          items.push(this.starOrNamed());
        }
        value = { kind: 'tuple', items, from, to: this.last };
      } else value = first;
    }
    this.expect(')', 'the expression');
    this.depth--;
    if (value.kind === 'tuple' || value.kind === 'comprehension') {
      value.from = from;
      value.to = this.last;
    }
    return value;
  }

  private bracketed(): Expr {
    const from = this.from;
    this.enter();
    this.at++;
    const items: Expr[] = [];
    while (!this.is(']')) {
      items.push(this.starOrNamed());
      if (items.length === 1 && (this.is('for') || this.is('async'))) {
        const value = this.comprehension('list', items, from);
        this.expect(']', 'the comprehension');
        this.depth--;
        value.to = this.last;
        return value;
      }
      if (!this.take(',')) break;
    }
    this.expect(']', 'the items');
    this.depth--;
    return { kind: 'list', items, from, to: this.last };
  }

  private braced(): Expr {
    const from = this.from;
    this.enter();
    this.at++;
    const keys: (Expr | undefined)[] = [];
    const values: Expr[] = [];
    let set = false;
    while (!this.is('}')) {
      if (this.take('**')) {
        keys.push(undefined);
        values.push(this.binary());
      } else {
        const first = this.starOrNamed();
        if (!keys.length && !values.length && !this.is(':')) set = true;
        if (set) values.push(first);
        else {
          this.expect(':', 'the key');
          keys.push(first);
          values.push(this.expression());
        }
      }
      if (values.length === 1 && (this.is('for') || this.is('async'))) {
        const key = keys[0];
        const value = this.comprehension(set ? 'set' : 'dict', key ? [key, ...values] : values, from);
        this.expect('}', 'the comprehension');
        this.depth--;
        value.to = this.last;
        return value;
      }
      if (!this.take(',')) break;
    }
    this.expect('}', 'the items');
    this.depth--;
    if (set) return { kind: 'set', items: values, from, to: this.last };
    return { kind: 'dict', keys, values, from, to: this.last };
  }

  private comprehension(type: Comprehension['type'], element: Expr[], from: number): Comprehension {
    const clauses: Comprehension['clauses'] = [];
    while (this.is('for') || (this.is('async') && this.peekIs(1, 'for'))) {
      this.take('async');
      this.at++;
      const target = this.targets();
      this.expect('in', "the names of 'for'");
      const iterable = this.disjunctionOrConditional();
      const conditions: Expr[] = [];
      while (this.take('if')) conditions.push(this.conditionExpression());
      clauses.push({ target, iterable, conditions });
    }
    return { kind: 'comprehension', type, element, clauses, from, to: this.last };
  }
  /** After `in`, an `if` is the comprehension's own. */
  private disjunctionOrConditional(): Expr {
    return this.is('lambda') ? this.expression() : this.disjunction();
  }
  private conditionExpression(): Expr {
    if (this.isName && this.peekIs(1, ':=')) return this.named();
    return this.is('lambda') ? this.expression() : this.disjunction();
  }

  /** The names of `for … in`: the `in` must not be taken for a comparison. */
  protected targets(): Expr {
    return this.expressionList(function (this: ExpressionParser): Expr {
      if (this.is('*')) {
        const from = this.from;
        this.at++;
        const value = this.binary();
        return { kind: 'starred', value, from, to: value.to };
      }
      return this.binary();
    });
  }
}
