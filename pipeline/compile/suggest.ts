/**
 * Proposes tags. Steps follow the second-level headings; a notebook without such headings is cut where little data crosses: a new step
 * begins at a cell that uses nothing the step before it made. `convertKaleTags` rewrites Kale's tags as ours.
 */
import { type Notebook, type NotebookCell, text } from '../model/notebook';
import { readNotebook } from './1-read/notebook';
import { readParameters } from './1-read/parameters';
import { isStepName, readTags, validStepName } from './1-read/tags';
import { analyse } from './2-analyse';
import { summary } from './3-link/summary';
import type { CellAnalysis } from './analysis';

/** All tags that the cell would have: those that are not ours are kept. */
export interface CellProposal {
  cell: number;
  tags: string[];
}

interface CodeCell {
  cell: number;
  tags: string[];
  source: string;
  analysis: CellAnalysis;
}

/** Longest name made of a heading. */
const longest = 32;

/** Tags for every code cell of an untagged notebook; cells that are tagged keep their tags. Empty for what is no notebook. */
export function suggest(input: unknown): CellProposal[] {
  const found = readNotebook(input);
  if ('problem' in found) return [];
  const { notebook } = found;
  const headings = headingsOf(notebook);
  const proposals: CellProposal[] = [];
  const names = new Set<string>();
  const untagged: CodeCell[] = [];
  for (const [cell, one] of notebook.cells.entries()) {
    if (one.cell_type !== 'code') continue;
    const tags = tagsOf(one);
    const said = readTags(tags);
    if (said.step) names.add(said.step);
    if (said.role === undefined && text(one.source).trim() !== '')
      untagged.push({ cell, tags, source: text(one.source), analysis: analyse(text(one.source)) });
  }
  const steps: CodeCell[] = [];
  let below = false;
  for (const cell of untagged) {
    const role = roleOf(cell, below);
    if (role) proposals.push({ cell: cell.cell, tags: [...cell.tags, role] });
    else {
      steps.push(cell);
      below = true;
    }
  }
  const groups = headings.length >= 2 ? byHeading(steps, headings) : byDataflow(steps, notebook);
  for (const { title, cells } of groups) {
    const name = unique(nameOf(title), names);
    for (const { cell, tags } of cells) proposals.push({ cell, tags: [...tags, `step:${name}`] });
  }
  return proposals.sort((a, b) => a.cell - b.cell);
}

/** Kale's tags in Stepwell's words, for the cells that have some. What a tag can't say here (`image:`, `limit:`) stays: it is read as it is. */
export function convertKaleTags(input: unknown): CellProposal[] {
  const found = readNotebook(input);
  if ('problem' in found) return [];
  const proposals: CellProposal[] = [];
  for (const [cell, one] of found.notebook.cells.entries()) {
    const before = tagsOf(one);
    const tags = before.flatMap(tag => {
      if (tag === 'pipeline-parameters') return ['parameters'];
      const block = /^(?:block|step):(.*)$/.exec(tag);
      if (!block) return [tag];
      const name = block[1]!.trim();
      if (name === '') return [];
      return [`step:${isStepName(name) ? name : validStepName(name)}`];
    });
    if (tags.length !== before.length || tags.some((tag, index) => tag !== before[index]))
      proposals.push({ cell, tags: [...new Set(tags)] });
  }
  return proposals;
}

const tagsOf = (cell: NotebookCell): string[] =>
  Array.isArray(cell.metadata.tags) ? cell.metadata.tags.filter((tag): tag is string => typeof tag === 'string') : [];

/** What a cell is apart from a step, judged by itself. `below`: a step's cell stands above it. */
function roleOf({ analysis, source, cell }: CodeCell, below: boolean): string | undefined {
  const { assigns, definitions, dynamic, errors, channels, calls, mutates } = analysis;
  if (errors.length > 0 || dynamic.some(one => one.writes || one.reads)) return undefined;
  const { exposed } = summary(analysis);
  const plain = assigns.every(({ code }) => code) && mutates.length === 0 && channels.changes.length === 0;
  const certain = definitions.length > 0 && definitions.every(one => one.certain && one.kind !== 'setup');
  if (plain && certain && calls.length === 0 && nothingElse(source, definitions)) {
    if (definitions.every(one => one.kind === 'import')) return 'imports';
    return 'functions';
  }
  if (!below && definitions.length === 0 && assigns.length > 0 && exposed.size === 0) {
    const { parameters, problems } = readParameters([{ cell, source }]);
    if (problems.length === 0 && parameters.length === assigns.length) return 'parameters';
  }
  return undefined;
}

/** Whether a cell's text is its definitions, comments and blank lines. */
function nothingElse(source: string, definitions: CellAnalysis['definitions']): boolean {
  let rest = source;
  for (const { range } of [...definitions].sort((a, b) => b.range.from - a.range.from))
    rest = rest.slice(0, range.from) + rest.slice(range.to);
  return rest
    .replace(/^\s*(?:"""[\s\S]*?"""|'''[\s\S]*?''')/, '')
    .split('\n')
    .every(line => /^[\s;]*(#.*)?$/.test(line));
}

interface Heading {
  cell: number;
  level: number;
  title: string;
}

function headingsOf(notebook: Notebook): Heading[] {
  const all: Heading[] = [];
  for (const [cell, one] of notebook.cells.entries()) {
    if (one.cell_type !== 'markdown') continue;
    const match = /^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$/m.exec(text(one.source).replace(/^(```|~~~)[\s\S]*?^\1/gm, ''));
    if (match) all.push({ cell, level: match[1]!.length, title: match[2]! });
  }
  const second = all.filter(heading => heading.level === 2);
  if (second.length >= 2) return second;
  const first = all.filter(heading => heading.level === 1);
  return first.length >= 3 ? first : second;
}

interface Group {
  title: string;
  cells: CodeCell[];
}

function byHeading(cells: CodeCell[], headings: Heading[]): Group[] {
  const groups: Group[] = [];
  let next = 0;
  let group: Group | undefined;
  for (const cell of cells) {
    let entered = false;
    while (next < headings.length && headings[next]!.cell < cell.cell) {
      next++;
      entered = true;
    }
    if (!group || entered) {
      group = { title: next > 0 ? headings[next - 1]!.title : 'start', cells: [] };
      groups.push(group);
    }
    group.cells.push(cell);
  }
  return groups;
}

/** Cuts where the cell uses no data of the group so far, and names groups by what they make. */
function byDataflow(cells: CodeCell[], notebook: Notebook): Group[] {
  const groups: Group[] = [];
  let made = new Set<string>();
  let group: Group | undefined;
  for (const cell of cells) {
    const { exposed } = summary(cell.analysis);
    const assigned = cell.analysis.assigns.map(({ name }) => name);
    const connected = [...exposed.keys()].some(name => made.has(name));
    const aside = assigned.length === 0 && cell.analysis.mutates.length === 0;
    if (!group || (!connected && !aside && made.size > 0)) {
      group = { title: titleAbove(notebook, cell.cell) ?? assigned.at(-1) ?? '', cells: [] };
      groups.push(group);
      made = new Set();
    }
    group.cells.push(cell);
    for (const name of assigned) made.add(name);
  }
  return groups;
}

/** The heading right above the cell, of whatever level. */
function titleAbove(notebook: Notebook, cell: number): string | undefined {
  const above = notebook.cells[cell - 1];
  if (above?.cell_type !== 'markdown') return undefined;
  return /^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$/m.exec(text(above.source))?.[1];
}

/** A short step name of a heading: numbering, links and marks go, whole words stay. */
function nameOf(title: string): string {
  const words = title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replace(/^\s*(?:(?:step|part|section|chapter)\s+)?(?:\d+(?:\.\d+)*|[IVX]+)\s*[.):-]\s*/i, '')
    .replace(/^\s*\d+(?:\.\d+)*\s+/, '');
  const name = validStepName(words);
  if (name.length <= longest) return name;
  const cut = name.slice(0, longest + 1).lastIndexOf('-');
  return name.slice(0, cut > 0 ? cut : longest);
}

function unique(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let count = 2; taken.has(candidate); count++) candidate = `${name}-${count}`;
  taken.add(candidate);
  return candidate;
}
