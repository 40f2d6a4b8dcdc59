/**
 * What the extension's plugins ask of one another, as JupyterLab tokens. Whoever needs a thing requires its token; nobody imports another
 * plugin's classes. None of these keeps a fact of its own: a notebook's tags and settings are in its shared model, a run's state is the
 * service's.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import type { Notebook } from '../pipeline/model/notebook';
import type { Pipeline } from '../pipeline/model/pipeline';
import type { Problem, Range } from '../pipeline/model/problem';
import type {
  ArtifactView,
  AttemptView,
  CellRun,
  LogLine,
  MetricView,
  Page,
  RunDetail,
  RunSummary,
  ServiceInfo,
  StartRunRequest,
  WarmRequest,
} from '../pipeline/model/protocol';
import type { RunEvent } from '../pipeline/model/run';

/** What a cell is to the pipeline. */
export type CellRole = 'step' | 'parameters' | 'imports' | 'functions' | 'skip';

export interface CellPlace {
  role: CellRole;
  /** The step it runs in; shared and parameter cells have none. */
  step?: string;
  /** Position of the step in notebook order: colours go by it. */
  index?: number;
  /** Its step's first cell: it carries the header chip. */
  first: boolean;
  /** In the step although no tag says so, because of the cells above. */
  implied: boolean;
}

/** One open notebook as a pipeline: compiled anew after each edit, a moment later. */
export interface INotebookPipeline {
  readonly panel: NotebookPanel;
  /** The last compilation. Absent pipeline: nothing could be meant. */
  readonly pipeline: Pipeline | undefined;
  readonly problems: readonly Problem[];
  /** Ids of the cells as they were compiled: `Problem.cell` and `Cell.cell` are indices in here. */
  readonly cells: readonly string[];
  /** The cell at that index as it was compiled: fixes were made for that text. */
  compiledCell(cell: number): { id: string; source: string } | undefined;
  /** Whether any tag of ours (or Kale's) is there: an untagged notebook is left alone. */
  readonly tagged: boolean;
  /** Whether there are tags of Kale that can be rewritten as ours. */
  readonly kale: boolean;
  /** Opened without the right to change it: nothing is written. */
  readonly readOnly: boolean;
  /** After each compilation. */
  readonly changed: ISignal<INotebookPipeline, void>;
  placeOf(cellId: string): CellPlace | undefined;
  /** The notebook as it is in the editor, saved or not. */
  snapshot(): Notebook;
  /** Compiles now, if something changed since, so that what follows goes by the newest text. */
  refresh(): void;
  /** Scrolls to the cell and makes it active; selects the range if one is given. */
  reveal(cell: number, range?: Range): void;
}

export interface INotebookPipelines {
  /** Of the notebook that has the focus, or had it last. */
  readonly current: INotebookPipeline | null;
  readonly currentChanged: ISignal<INotebookPipelines, INotebookPipeline | null>;
  /** Made when first asked for; goes with its panel. */
  of(panel: NotebookPanel): INotebookPipeline;
}

export const INotebookPipelines = new Token<INotebookPipelines>('stepwell:INotebookPipelines', 'Open notebooks as pipelines.');

/** What can be done about a problem, wherever it is shown. */
export interface IProblemActions {
  /** Applies its fix to the notebook; says so when the notebook has changed and it no longer fits. */
  fix(notebook: INotebookPipeline, problem: Problem): void;
  /** Shows what it means and what to do. */
  explain(problem: Problem): Promise<void>;
}

export const IProblemActions = new Token<IProblemActions>('stepwell:IProblemActions', 'Fixes and explanations of problems.');

/** The panel in the right side area. */
export interface ISidePanel {
  /** Adds a tab; `rank` orders them (Pipeline 100, Runs 200). Returns its own undo. */
  add(widget: Widget, rank: number): IDisposable;
  /** Opens the panel at the tab with this widget id. */
  show(id: string): void;
}

export const ISidePanel = new Token<ISidePanel>('stepwell:ISidePanel', "Stepwell's panel in the right side area.");

export type Connection = 'connecting' | 'connected' | 'down';

/** Which runs a list is to show; all when empty. */
export interface RunFilter {
  status?: string;
  path?: string;
  experiment?: string;
  pipeline?: string;
}

/** One attempt of a step (or of a unit of joined steps). */
export interface AttemptKey {
  run: string;
  step: string;
  attempt: number;
}

/**
 * The service, at Jupyter's own address. Promises reject with a `ServiceFault` (`service/fault.ts`) whose message is for people. What is
 * followed is taken up again by itself after a lost connection: in order, without gaps, nothing twice. Disposing ends it.
 */
export interface IService {
  readonly connection: Connection;
  readonly connectionChanged: ISignal<IService, Connection>;
  /** Absent until the service has answered. */
  readonly info: ServiceInfo | undefined;
  /** `key`: asking again with the same starts nothing new. */
  start(request: StartRunRequest, key: string): Promise<RunSummary>;
  warm(request: WarmRequest): Promise<void>;
  cancel(run: string): Promise<RunSummary>;
  resume(run: string): Promise<RunSummary>;
  run(run: string): Promise<RunDetail>;
  /** Newest first. */
  runs(filter: RunFilter, limit: number, cursor?: string): Promise<Page<RunSummary>>;
  attempts(run: string): Promise<AttemptView[]>;
  artifacts(run: string): Promise<ArtifactView[]>;
  metrics(run: string): Promise<MetricView[]>;
  artifact(run: string, digest: string): Promise<Blob>;
  /** As it was when the run started. */
  notebook(run: string): Promise<Notebook>;
  /** With the outputs of this run. */
  executed(run: string): Promise<Notebook>;
  /** The same, unopened: it may be large. */
  executedFile(run: string): Promise<Blob>;
  lines(of: AttemptKey, after: number): Promise<LogLine[]>;
  followRuns(listener: (run: RunSummary) => void): IDisposable;
  /** Its log after the event with that number, and where its cells stand. */
  followRun(run: string, after: number, listener: RunListener): IDisposable;
  /** What an attempt says, after the line with that number. */
  followLog(of: AttemptKey, after: number, listener: (lines: LogLine[]) => void): IDisposable;
}

export interface RunListener {
  events(events: RunEvent[]): void;
  /** `whole`: all cells of the run; otherwise those that changed. */
  cells(cells: CellRun[], whole: boolean): void;
}

export const IService = new Token<IService>('stepwell:IService', 'The service, at the address of Jupyter.');

/** A run that is followed live. Changes come as one signal; read what you need. */
export interface IRunModel extends IDisposable {
  readonly id: string;
  /** Absent until the first answer of the service. */
  readonly detail: RunDetail | undefined;
  /** By the cell's index in the notebook as it ran. */
  readonly cells: ReadonlyMap<number, CellRun>;
  /** Why there is no detail: what was thrown when the run was asked for. */
  readonly fault: unknown;
  readonly changed: ISignal<IRunModel, void>;
  /** The events since `detail` first came, as they come. */
  readonly happened: ISignal<IRunModel, readonly RunEvent[]>;
  cancel(): Promise<void>;
  resume(): Promise<void>;
}

export interface IRuns {
  readonly connection: Connection;
  readonly connectionChanged: ISignal<IRuns, Connection>;
  /** Absent until the service has answered. */
  readonly service: ServiceInfo | undefined;
  /** Starts a run of the notebook and makes it the one whose state its cells show. */
  start(panel: NotebookPanel, request: Omit<StartRunRequest, 'path' | 'notebook'>): Promise<IRunModel>;
  /** The run whose state the notebook's cells show: the latest that was started from it, here or elsewhere. */
  shownIn(panel: NotebookPanel): IRunModel | null;
  readonly shownChanged: ISignal<IRuns, NotebookPanel>;
  /** Shows this run's state on the notebook's cells; null: none, until the next run starts. */
  show(panel: NotebookPanel, run: string | null): IRunModel | null;
  /** Follows a run. Whoever asks disposes of it. */
  follow(run: string): IRunModel;
}

export const IRuns = new Token<IRuns>('stepwell:IRuns', 'Runs, through the service.');
