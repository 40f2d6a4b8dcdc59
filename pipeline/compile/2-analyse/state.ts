/**
 * Definitions that keep something between calls: a default value that can change, a decorator that may remember. Running their source again would start them afresh, so they cross as values.
 * What a decorator is, only the whole notebook tells: here its name is noted, and stage 3 asks `keepsNothing` once it knows where the name comes from.
 */
import type { ClassDefinition, Expr, FunctionDefinition, Parameter, Statement } from './python/tree';
import { dottedText } from './value';

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));

/** Calls that give something immutable, and the same each time. */
const immutable = words(
  'tuple frozenset str int float bool bytes complex range Path PurePath Decimal Fraction timedelta date datetime Timestamp Timedelta compile getenv object slice type len',
);

/** Whether a default is made once and can be changed afterwards. Names and attributes are what they stand for: if that is data, the definition needs it. */
export function canChange(e: Expr | undefined): boolean {
  if (!e) return false;
  switch (e.kind) {
    case 'list':
    case 'set':
    case 'dict':
    case 'comprehension':
      return true;
    case 'tuple':
    case 'operation':
    case 'boolean':
      return e.items.some(canChange);
    case 'conditional':
      return canChange(e.then) || canChange(e.otherwise);
    case 'named':
      return canChange(e.value);
    case 'starred':
      return canChange(e.value);
    case 'call': {
      const name = dottedText(e.callee);
      return !immutable.has(name.slice(name.lastIndexOf('.') + 1)) || e.arguments.some(a => canChange(a.value));
    }
    default:
      return false;
  }
}

/** What may keep state in a definition: its decorators (and those of methods) by name, `?` where one has no name; `remembers` when a default can change. */
export function stateIn(s: FunctionDefinition | ClassDefinition): { decorators: string[]; remembers: boolean } {
  const decorators = new Set<string>();
  let remembers = false;
  const visit = (one: Statement): void => {
    switch (one.kind) {
      case 'function':
        for (const decorator of one.decorators) decorators.add(nameOf(decorator));
        remembers ||= one.parameters.some((p: Parameter) => canChange(p.default));
        return;
      case 'class':
        for (const decorator of one.decorators) decorators.add(nameOf(decorator));
        one.body.forEach(visit);
        return;
      case 'if':
        for (const branch of one.branches) branch.body.forEach(visit);
        one.otherwise?.forEach(visit);
        return;
      case 'try':
        one.body.forEach(visit);
        return;
      default:
    }
  };
  visit(s);
  return { decorators: [...decorators], remembers };
}

function nameOf(decorator: Expr): string {
  return dottedText(decorator.kind === 'call' ? decorator.callee : decorator) || '?';
}

/** Decorators by the last part of their name: they wrap, check or compile, and what they keep cannot be seen. */
const pure = words(`
staticmethod classmethod property cached_property setter getter deleter abstractmethod abstractproperty abstractclassmethod abstractstaticmethod
dataclass dataclass_json define frozen mutable attrs attr s overload final override runtime_checkable no_type_check dataclass_transform deprecated
wraps total_ordering contextmanager asynccontextmanager unique verify member nonmember coroutine
njit jit vectorize guvectorize generated_jit stencil jitclass cfunc vmap pmap grad value_and_grad custom_jvp custom_vjp checkpoint remat compact nowrap
no_grad inference_mode enable_grad custom_fwd custom_bwd script ignore unused export once_differentiable
validator field_validator root_validator model_validator field_serializer model_serializer computed_field validate_arguments validate_call validates beartype typechecked
magics_class line_magic cell_magic line_cell_magic magic_arguments argument needs_local_scope
delayed parametrize fixture skip skipif xfail usefixtures
`);
/** Decorators that enter a definition in a library's table: that table is each process's own, so the source has to run in each. */
const registers = /^(?:register(?:_\w+)?|component|factory)$/;

/**
 * Whether a decorator, by its full name (`functools.wraps`), leaves nothing behind that running the definition again would lose.
 * `imported`: the name comes from a library.
 */
export function keepsNothing(decorator: string, imported: boolean): boolean {
  const last = decorator.slice(decorator.lastIndexOf('.') + 1);
  return pure.has(last) || (imported && registers.test(last));
}
