/** The pipelines of all open notebooks. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';
import type { INotebookPipeline, INotebookPipelines } from '../tokens';
import type { Pace } from './live';
import { NotebookPipeline } from './pipeline';

export class NotebookPipelines implements INotebookPipelines {
  /** `pace` is read again at each edit, so that a changed setting counts at once. */
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _pace: Pace,
  ) {
    _tracker.forEach(panel => void this.of(panel));
    _tracker.widgetAdded.connect((_, panel) => this.of(panel));
    _tracker.currentChanged.connect(() => this._currentChanged.emit(this.current));
  }

  get current(): INotebookPipeline | null {
    const panel = this._tracker.currentWidget;
    return panel && this.of(panel);
  }

  get currentChanged(): ISignal<INotebookPipelines, INotebookPipeline | null> {
    return this._currentChanged;
  }

  of(panel: NotebookPanel): INotebookPipeline {
    let pipeline = this._pipelines.get(panel);
    if (!pipeline) {
      pipeline = new NotebookPipeline(panel, this._pace);
      this._pipelines.set(panel, pipeline);
    }
    return pipeline;
  }

  private readonly _pipelines = new WeakMap<NotebookPanel, NotebookPipeline>();
  private readonly _currentChanged = new Signal<INotebookPipelines, INotebookPipeline | null>(this);
}
