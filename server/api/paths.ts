/**
 * Paths that clients name. They come as Jupyter shows them (from its folder, `/` between parts) or absolute, and where the service has a root, none
 * leads out of it: neither by `..` nor through a link.
 */
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ApiError } from './errors';

const refuse = (message: string) => new ApiError('invalid-body', message, { errors: [{ path: '/path', message }] });

export class Paths {
  /** `root` absent: everything this process may read. */
  constructor(private readonly root: string | undefined) {}

  /** The notebook's file, absolute. It need not be there; its folder must. */
  notebook(path: string): string {
    const found = this.inside(path);
    if (!found)
      throw refuse(
        this.root === undefined
          ? `"${path}" is not absolute, and this service has no folder that it could count from.`
          : `"${path}" lies outside of the folder that this service serves.`,
      );
    const folder = dirname(found);
    // Followed to where it really is, since a folder inside may be a link to one outside. The file's own name is kept: it is only a name.
    let real: string;
    try {
      real = realpathSync(folder);
    } catch {
      throw refuse(`There is no folder "${dirname(path)}"; a notebook's steps run in the folder where it lies.`);
    }
    if (!statSync(real).isDirectory()) throw refuse(`"${dirname(path)}" is a file and not a folder.`);
    if (this.root !== undefined && !within(real, realpathSync(this.root)))
      throw refuse(`"${path}" lies, through a link, outside of the folder that this service serves.`);
    return join(folder, basename(found));
  }

  /** The same for a filter: nothing has to be there. Undefined when it could not be a notebook's. */
  filter(path: string): string | undefined {
    return this.inside(path);
  }

  /** As people see it: from the root where it lies in there, else absolute. */
  shown(absolute: string): string {
    if (this.root === undefined || !within(absolute, this.root)) return absolute;
    return relative(this.root, absolute).split(sep).join('/');
  }

  private inside(path: string): string | undefined {
    if (this.root === undefined) {
      if (!isAbsolute(path)) return undefined;
      return resolve(path);
    }
    const found = resolve(this.root, path);
    return within(found, this.root) && found !== this.root ? found : undefined;
  }
}

function within(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
