/** Names that every Python process has, and module names that notebooks agree on. */

const builtins = new Set(
  `ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError
ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup False
FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError
KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError OSError OverflowError PendingDeprecationWarning
PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError
SystemExit TabError TimeoutError True TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning
ZeroDivisionError __build_class__ __debug__ __doc__ __import__ __loader__ __name__ __package__ __spec__ __builtins__ __builtin__ __file__ __annotations__ abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable
chr classmethod compile complex copyright credits delattr dict dir display divmod enumerate eval exec exit filter float format frozenset get_ipython getattr globals hasattr hash help hex id
input int isinstance issubclass iter len license list locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice
sorted staticmethod str sum super tuple type vars zip exit_code _exit_code _dh`.split(/\s+/),
);

/** Whether the name exists in an IPython process before any cell has run. */
export const isBuiltin = (name: string): boolean => builtins.has(name);

/** Whether the name is IPython's memory of earlier inputs and results (`_`, `__`, `_3`, `Out`, `In`), unless the notebook binds it. */
export const isHistory = (name: string): boolean => /^(?:_{1,3}|_i{1,3}|_i?\d+|Out|In|_oh|_ih)$/.test(name);

/** What a name stands for where this cell neither imports nor binds it: only names that hardly anyone gives to anything else. */
const conventions = new Map<string, string>([
  ['np', 'numpy'],
  ['pd', 'pandas'],
  ['plt', 'matplotlib.pyplot'],
  ['sns', 'seaborn'],
  ['tf', 'tensorflow'],
  ['mpl', 'matplotlib'],
  ['xr', 'xarray'],
  ...'numpy pandas matplotlib seaborn tensorflow torch random os sys warnings logging json pickle joblib math re glob shutil subprocess itertools functools collections scipy sklearn locale gc IPython'
    .split(' ')
    .map((module): [string, string] => [module, module]),
]);

export const conventionalModule = (name: string): string | undefined => conventions.get(name);
