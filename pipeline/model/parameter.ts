/** Typed parameters: read from the cell tagged `parameters`, given when a run starts. */

/**
 * The type of a parameter. Taken from its annotation if it has one (`int`, `float`, `str`, `bool`, `Literal[...]`, `Optional[...]`,
 * `X | None`, `list[...]`, `dict[str, ...]`, `Any`), otherwise from its default.
 */
export type ParameterType =
  | { kind: 'integer' }
  | { kind: 'number' }
  | { kind: 'string' }
  | { kind: 'boolean' }
  | { kind: 'any' }
  | { kind: 'literal'; values: Literal[] }
  | { kind: 'optional'; of: ParameterType }
  | { kind: 'list'; of: ParameterType }
  | { kind: 'dict'; of: ParameterType };

/** A JSON value; what a Python literal of None, bool, number, string, list, tuple and dict with text keys becomes. */
export type Literal = null | boolean | number | string | Literal[] | { [key: string]: Literal };

export interface Parameter {
  name: string;
  type: ParameterType;
  /** Absent when the cell only annotates the name (`path: str`): such a parameter must be given. */
  default?: Literal;
  /** Python source of a default that JSON would not bring back as it was (`1.0`, a tuple, a long integer); `default` is absent then, and the cell itself provides it. */
  source?: string;
  /** The comment at the end of the line, as papermill reads it. */
  description?: string;
  cell: number;
}
