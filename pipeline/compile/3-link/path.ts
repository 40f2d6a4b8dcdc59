/** A path in the code as a path from the notebook's folder, or undefined when it leads out of the folder or is no path at all. */
export function workspacePath(path: string): string | undefined {
  if (path === '' || /^([A-Za-z][\w+.-]+:|[\\/~]|[A-Za-z]:[\\/])/.test(path)) return undefined;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length > 0 ? parts.join('/') : undefined;
}
