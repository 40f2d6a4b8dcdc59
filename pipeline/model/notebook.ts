/**
 * The notebook on disk, as far as Stepwell reads it: plain nbformat 4.0 to 4.5.
 * Everything else in the file is carried along untouched.
 */

/** A cell's text is one string or a list of lines that keep their line ends (nbformat's "multiline string"). */
export type MultilineString = string | string[];

export interface NotebookCell {
  cell_type: string;
  /** nbformat 4.5 only; unique in the notebook. */
  id?: string;
  source: MultilineString;
  metadata: { tags?: string[]; [key: string]: unknown };
  outputs?: unknown[];
  execution_count?: number | null;
  [key: string]: unknown;
}

export interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: {
    kernelspec?: { name?: string; language?: string; display_name?: string };
    language_info?: { name?: string; version?: string };
    stepwell?: unknown;
    kubeflow_notebook?: unknown;
    [key: string]: unknown;
  };
  cells: NotebookCell[];
  [key: string]: unknown;
}

/** The text of a cell as one string. */
export function text(source: MultilineString): string {
  return Array.isArray(source) ? source.join('') : source;
}
