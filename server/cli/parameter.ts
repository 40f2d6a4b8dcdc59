/** `-p name=value`, as commander collects it. */
import { InvalidArgumentError } from 'commander';

export function collectParameter(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError(`"${text}" is not name=value.`);
  return { ...earlier, [text.slice(0, equals).trim()]: text.slice(equals + 1) };
}
