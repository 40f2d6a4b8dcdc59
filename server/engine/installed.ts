/** Versions of installed packages, read from the names of the folders that say so: no Python has to be started to see an upgrade. */
import { readdirSync, statSync } from 'node:fs';

/** By folder, what was found when it was last changed. */
const kept = new Map<string, { time: number; versions: Map<string, string[]> }>();

/** What differs from the packages that were loaded then, in words; nothing when they are all as they were. */
export function changedPackages(packages: Record<string, string>, folders: readonly string[]): string[] {
  const found = folders.map(versionsIn);
  return Object.entries(packages).flatMap(([name, version]) => {
    const now = found.find(versions => versions.has(name))?.get(name);
    if (!now) return [`${name} ${version} is no longer installed`];
    return now.length === 1 && now[0] === version ? [] : [`${name} ${version} → ${now.join(' and ')}`];
  });
}

function versionsIn(folder: string): Map<string, string[]> {
  try {
    const time = statSync(folder).mtimeMs;
    const known = kept.get(folder);
    if (known?.time === time) return known.versions;
    const versions = new Map<string, string[]>();
    for (const entry of readdirSync(folder)) {
      if (!entry.endsWith('.dist-info')) continue;
      const [name, version = ''] = entry.slice(0, -'.dist-info'.length).split(/-(.*)/s);
      const called = name!.replaceAll('_', '-');
      versions.set(called, [...(versions.get(called) ?? []), version]);
    }
    kept.set(folder, { time, versions });
    return versions;
  } catch {
    return new Map();
  }
}
