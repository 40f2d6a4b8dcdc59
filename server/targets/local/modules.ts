/**
 * What the warm parent may import before the first step asks for it, found without the compiler, since the parent starts before that is
 * loaded. Careful rather than complete: a module that is missing here is imported by the steps that need it, which costs time
 * and nothing else, while one that is imported too early could come out different.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** From here on, what an import gives may depend on what the cells above did. */
const changesWhatImportsGive =
  /\b(?:os\.(?:environ|putenv|chdir)|sys\.(?:path|modules|meta_path)|environ\[|load_dotenv|importlib|monkey|exec\s*\(|matplotlib\.use)\b|%\s*(?:env|set_env|cd|run|pip|conda|mamba|load_ext)\b|!.*\b(?:pip|conda|mamba|uv|apt|apt-get)\b/;

/** Modules that start threads or devices when they are imported: a process that has done so is not to be forked. */
const notForked = new Set([
  'tensorflow',
  'keras',
  'jax',
  'jaxlib',
  'flax',
  'ray',
  'pyspark',
  'dask',
  'distributed',
  'cupy',
  'cudf',
  'mxnet',
  'h2o',
  'polars',
  'jpype',
  'rpy2',
  'grpc',
  'gevent',
  'eventlet',
  'mpi4py',
  'ipywidgets',
]);

/** Dotted names of modules that the notebook's cells import at their top level, in order. `folder` is the notebook's. */
export function modulesToWarm(sources: string[], folder: string): string[] {
  const found = new Set<string>();
  for (const source of sources) {
    if (/^\s*%%/.test(source)) {
      // Other magics may be anything; these run the cell as it is.
      if (!/^\s*%%(?:time|timeit|capture)\b/.test(source)) continue;
    }
    for (const line of source.split('\n')) {
      if (changesWhatImportsGive.test(line.replace(/#.*/, ''))) return [...found];
      for (const name of importedBy(line)) {
        const top = name.split('.')[0]!;
        if (!notForked.has(top) && !isLocal(folder, top)) found.add(name);
      }
    }
  }
  return [...found];
}

function importedBy(line: string): string[] {
  const from = /^from\s+([A-Za-z_][\w.]*)\s+import\b/.exec(line);
  if (from) return from[1] === '__future__' ? [] : [from[1]!];
  const plain = /^import\s+([^#;]+)/.exec(line);
  if (!plain) return [];
  return plain[1]!
    .split(',')
    .map(part =>
      part
        .trim()
        .split(/\s+as\s+/)[0]!
        .trim(),
    )
    .filter(name => /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(name));
}

/** A module beside the notebook may be written or changed by the notebook itself. */
const isLocal = (folder: string, top: string) => existsSync(join(folder, `${top}.py`)) || existsSync(join(folder, top));
