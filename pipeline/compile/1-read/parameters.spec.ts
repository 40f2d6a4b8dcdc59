import fc from 'fast-check';
import type { Literal, ParameterType } from '../../model/parameter';
import { logicalLines, readLiteral } from './literal';
import { checkParameters, fits, parseParameter, readParameters } from './parameters';

const int: ParameterType = { kind: 'integer' };
const float: ParameterType = { kind: 'number' };
const str: ParameterType = { kind: 'string' };
const bool: ParameterType = { kind: 'boolean' };
const any: ParameterType = { kind: 'any' };
const list = (of: ParameterType = any): ParameterType => ({ kind: 'list', of });
const dict = (of: ParameterType = any): ParameterType => ({ kind: 'dict', of });
const optional = (of: ParameterType): ParameterType => ({ kind: 'optional', of });
const oneOf = (...values: Literal[]): ParameterType => ({ kind: 'literal', values });

const read = (source: string) => readParameters([{ cell: 0, source }]);

describe('readParameters', () => {
  it.each<[source: string, type: ParameterType, value: Literal | undefined]>([
    ['n = 5', int, 5],
    ['n = -5', int, -5],
    ['n = +5', int, 5],
    ['n = 1_000_000', int, 1000000],
    ['n = 0x1F', int, 31],
    ['n = 0b101', int, 5],
    ['n = 0o17', int, 15],
    ['x = 1.5', float, 1.5],
    ['x = 1.0', float, 1],
    ['x = .5', float, 0.5],
    ['x = 5.', float, 5],
    ['x = 1e-3', float, 0.001],
    ['x = -2.5E+2', float, -250],
    ['s = "a"', str, 'a'],
    ["s = 'a'", str, 'a'],
    ['s = """a\nb"""', str, 'a\nb'],
    ["s = '''a\"b'''", str, 'a"b'],
    ['s = "a" "b"', str, 'ab'],
    ['s = ("a"\n     "b")', str, 'ab'],
    ['s = r"\\d"', str, '\\d'],
    ['s = "\\x41\\u00e9\\n\\t\\\\"', str, 'Aé\n\t\\'],
    ['s = "\\d"', str, '\\d'],
    ['s = f"plain"', str, 'plain'],
    ['s = "a # b"', str, 'a # b'],
    ['s = "a;b"', str, 'a;b'],
    ['b = True', bool, true],
    ['b = False', bool, false],
    ['v = None', any, null],
    ['l = []', list(), []],
    ['l = [1, 2, 3]', list(), [1, 2, 3]],
    ['l = [\n  1,  # one\n  2,\n]', list(), [1, 2]],
    ['t = (1, 2)', list(), [1, 2]],
    ['t = 1, 2', list(), [1, 2]],
    ['t = (1,)', list(), [1]],
    ['t = ()', list(), []],
    ['p = (1)', int, 1],
    ['d = {}', dict(), {}],
    ['d = {"a": 1, "b": [True, None]}', dict(), { a: 1, b: [true, null] }],
    ['d = {"a": {"b": -1.5}}', dict(), { a: { b: -1.5 } }],
    ['n = 1 \\\n', int, 1],
    ['n: int = 5', int, 5],
    ['n: int', int, undefined],
    ['x: float = 1', float, 1],
    ['s: str = "a"', str, 'a'],
    ['s: "str" = "a"', str, 'a'],
    ['b: bool = True', bool, true],
    ['v: Any = 3', any, 3],
    ['v: typing.Any = 3', any, 3],
    ['l: list = []', list(), []],
    ['l: list[int] = [1]', list(int), [1]],
    ['l: List[str] = ["a"]', list(str), ['a']],
    ['l: typing.List[float] = [1.5]', list(float), [1.5]],
    ['l: Sequence[int] = [1]', list(int), [1]],
    ['t: tuple[int, ...] = (1, 2)', list(int), [1, 2]],
    ['t: tuple[int, str] = (1, "a")', list(), [1, 'a']],
    ['d: dict = {}', dict(), {}],
    ['d: dict[str, int] = {"a": 1}', dict(int), { a: 1 }],
    ['d: Dict[str, List[int]] = {"a": [1]}', dict(list(int)), { a: [1] }],
    ['m: Literal["a", "b"] = "a"', oneOf('a', 'b'), 'a'],
    ['m: typing.Literal[1, None] = 1', oneOf(1, null), 1],
    ['o: Optional[int] = None', optional(int), null],
    ['o: int | None = None', optional(int), null],
    ['o: None | str = "a"', optional(str), 'a'],
    ['o: Union[int, None] = 3', optional(int), 3],
    ['o: Optional[Literal["x"]] = None', optional(oneOf('x')), null],
    ['u: int | float = 1', float, 1],
    ['u: Union[int, str] = 1', any, 1],
    ['p: Path = "x"', any, 'x'],
    ['p: pd.Timestamp = "2020"', any, '2020'],
    ['n: Final[int] = 3', int, 3],
    ['n: Annotated[int, "count"] = 3', int, 3],
  ])('reads %j', (source, type, value) => {
    const { parameters, problems } = read(source);
    expect(problems).toEqual([]);
    const [parameter] = parameters;
    expect(parameters).toHaveLength(1);
    expect(parameter).toMatchObject({ name: source[0], type, cell: 0 });
    if (parameter!.source === undefined) expect(parameter!.default).toEqual(value);
    else expect(readLiteral(logicalLines(`x = ${parameter!.source}`)[0]!.tokens, 2)?.value).toEqual(value);
  });

  it.each([
    ['x = 1.0', '1.0'],
    ['x = -0.0', '-0.0'],
    ['x = [1.0, 2]', '[1.0, 2]'],
    ['x = (1, 2)', '(1, 2)'],
    ['x = 1, 2', '1, 2'],
    ['x = ()', '()'],
    ['x = [(1,)]', '[(1,)]'],
    ['x = 12345678901234567890', '12345678901234567890'],
    ['x: float = 2.0  # rate', '2.0'],
    ['x = 1', undefined],
    ['x = 1.5', undefined],
    ['x = (1)', undefined],
    ['x = [1, [2], {"a": (3)}]', undefined],
    ['x = {"a": [1, 2], "b": None}', undefined],
  ])('keeps the source of a default that JSON would change: %j', (text, source) => {
    const [parameter] = read(text).parameters;
    expect([parameter!.source, parameter!.default === undefined]).toEqual([source, source !== undefined]);
  });

  it('takes the comment at the end of the line as description', () => {
    const { parameters } = read('# not this\nn = 5  # how many\ns = "#no"  #  yes \nl = [\n 1, # item\n]');
    expect(parameters.map(({ name, description }) => [name, description])).toEqual([
      ['n', 'how many'],
      ['s', 'yes'],
      ['l', undefined],
    ]);
  });

  it('keeps the last value of a name, and its earlier annotation', () => {
    expect(read('n: float\nm = 1\nn = 2').parameters).toEqual([
      { name: 'm', type: int, default: 1, cell: 0 },
      { name: 'n', type: float, default: 2, cell: 0 },
    ]);
  });

  it('reads several on one line and chained', () => {
    expect(read('a = 1; b = 2\nc = d = "x"').parameters.map(({ name, default: value }) => [name, value])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 'x'],
      ['d', 'x'],
    ]);
  });

  it.each([
    'n = 2 * 3',
    'n = f()',
    'n = other',
    's = f"{x}"',
    's = b"x"',
    'c = 3j',
    'd = {1: 2}',
    's = {1, 2}',
    'l = [x for x in y]',
    'a, b = 1, 2',
    'n += 1',
    'print("x")',
    'if True:\n    n = 1',
    'n = "unclosed',
    'l = [1, 2',
    's = "\\N{BULLET}"',
  ])('lets %j run, tells of it and makes no parameter', source => {
    const { parameters, problems } = read(source);
    expect(parameters).toEqual([]);
    expect(problems[0]).toMatchObject({ code: 'bad-parameter', severity: 'warning', cell: 0 });
  });

  it.each(['import os', 'from a import b', '"""About."""', '%matplotlib inline', '!ls', '# only this', 'pass', ''])(
    'has no word to say about %j',
    source => {
      expect(read(source)).toEqual({ parameters: [], problems: [] });
    },
  );

  it('takes back a name that is computed afterwards', () => {
    expect(read('n = 1\nn = n + 1').parameters).toEqual([]);
    expect(read('n = 1\nn += 1').parameters).toEqual([]);
  });

  it('tells of a default that its annotation does not allow', () => {
    expect(read('n: int = "a"').problems).toMatchObject([{ code: 'bad-parameter' }]);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1 \n\t\'"\\#=:;,.[](){}-+%!éN\r') }), source => {
        const { parameters } = read(source);
        for (const { name } of parameters) expect(source).toContain(name);
      }),
    );
  });
});

describe('readLiteral', () => {
  it('reads back every JSON value written in Python', () => {
    const python = (value: Literal): string => {
      if (value === null) return 'None';
      if (typeof value === 'boolean') return value ? 'True' : 'False';
      if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
      if (typeof value === 'object')
        return `{${Object.entries(value)
          .map(([key, one]) => `${JSON.stringify(key)}: ${python(one)}`)
          .join(', ')}}`;
      return JSON.stringify(value);
    };
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const plain = JSON.parse(JSON.stringify(value)) as Literal;
        expect(readLiteral(logicalLines(python(plain))[0]!.tokens)?.value).toEqual(plain);
      }),
    );
  });
});

describe('parseParameter', () => {
  it.each<[string, ParameterType, Literal | undefined]>([
    ['5', int, 5],
    ['-5', int, -5],
    ['5.5', int, undefined],
    ['five', int, undefined],
    ['5', float, 5],
    ['1e3', float, 1000],
    ['5', str, '5'],
    ['"5"', str, '"5"'],
    ['', str, ''],
    ['true', bool, true],
    ['False', bool, false],
    ['0', bool, false],
    ['maybe', bool, undefined],
    ['[1, 2]', list(int), [1, 2]],
    ['[1, "a"]', list(int), undefined],
    ["{'a': 1}", dict(int), { a: 1 }],
    ['{"a": true}', dict(), { a: true }],
    ['None', optional(int), null],
    ['null', optional(str), null],
    ['7', optional(int), 7],
    ['a', oneOf('a', 'b'), 'a'],
    ['c', oneOf('a', 'b'), undefined],
    ['2', oneOf(1, 2), 2],
    ['2', any, 2],
    ['two words', any, 'two words'],
    ['[1', any, '[1'],
  ])('parses %j as %j', (text, type, value) => {
    expect(parseParameter(text, type)).toEqual(value);
  });
});

describe('checkParameters', () => {
  const { parameters } = read('n: int = 1\nname: str\nrate = 1.0');

  it('gives back what was given and is right', () => {
    expect(checkParameters(parameters, { n: 2, name: 'x' })).toEqual({ values: { n: 2, name: 'x' }, problems: [] });
    expect(checkParameters(parameters, { n: '2', name: '3' }, { fromText: true }).values).toEqual({ n: 2, name: '3' });
  });

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ name: 'x', m: 1 }, 'unknown-parameter', /"m".*Did you mean "n"/],
    [{ name: 'x', n: 'a' }, 'bad-parameter-value', /"n" takes int; "a"/],
    [{ name: 'x', n: 1.5 }, 'bad-parameter-value', /1\.5/],
    [{ name: 'x', rate: Number.NaN }, 'bad-parameter-value', /rate/],
    [{}, 'missing-parameter', /"name"/],
  ])('refuses %j', (given, code, message) => {
    const { problems } = checkParameters(parameters, given);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code, severity: 'error', message: expect.stringMatching(message) });
  });

  it('takes an integer for a number and no number for an integer', () => {
    expect(fits(1, float)).toBe(true);
    expect(fits(1.5, int)).toBe(false);
  });
});
