/** The widget of the Pipeline tab: follows the notebook in front and draws it again when something changed. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import type { Direction } from '../graph/graph';
import type { INotebookPipeline, INotebookPipelines, IProblemActions, IRunModel, IRuns } from '../tokens';
import { PipelineView, type View } from './view';

export interface PipelineTabOptions {
  pipelines: INotebookPipelines;
  commands: CommandRegistry;
  actions: IProblemActions;
  trans: TranslationBundle;
  runs: IRuns | null;
  /** Keeps how the steps are shown, for the next time. */
  keepView: (view: View) => void;
}

export class PipelineTab extends ReactWidget {
  view: View = 'graph';
  direction: Direction = 'down';

  constructor(private readonly _options: PipelineTabOptions) {
    super();
    const { pipelines, trans } = _options;
    this.id = 'stepwell-pipeline';
    this.title.label = trans.__('Pipeline');
    this.title.caption = trans.__('The steps of the notebook');
    this.addClass('stepwell-tab');
    pipelines.currentChanged.connect(this._follow, this);
    _options.runs?.shownChanged.connect(this._followRun, this);
    this._follow();
  }

  /** Makes a step the one whose settings are shown, and goes to its first cell. */
  choose(step: string): void {
    const cell = this._notebook?.pipeline?.steps.find(({ name }) => name === step)?.cells[0]?.cell;
    this._chosen = step;
    if (cell !== undefined) this._notebook?.reveal(cell);
    this.update();
  }

  override render() {
    const { commands, actions, trans } = this._options;
    return (
      <PipelineView
        notebook={this._notebook}
        chosen={this._chosenStep()}
        run={this._run?.detail}
        view={this.view}
        direction={this.direction}
        commands={commands}
        actions={actions}
        trans={trans}
        onView={this._onView}
        onChoose={this._onChoose}
      />
    );
  }

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  protected override onUpdateRequest(message: Message): void {
    // What nobody sees is drawn when it is shown.
    if (this.isVisible) super.onUpdateRequest(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  private _follow(): void {
    const { current } = this._options.pipelines;
    if (current === this._notebook) return;
    this._notebook?.changed.disconnect(this.update, this);
    this._notebook?.panel.content.activeCellChanged.disconnect(this.update, this);
    this._notebook = current;
    this._chosen = undefined;
    current?.changed.connect(this.update, this);
    current?.panel.content.activeCellChanged.connect(this.update, this);
    this._followRun();
    this.update();
  }

  private _followRun(): void {
    const run = (this._notebook && this._options.runs?.shownIn(this._notebook.panel)) ?? null;
    if (run === this._run) return;
    this._run?.changed.disconnect(this.update, this);
    this._run = run;
    run?.changed.connect(this.update, this);
    this.update();
  }

  private _chosenStep(): string | undefined {
    const active = this._notebook?.panel.content.activeCell?.model.id;
    this._chosen = (active && this._notebook?.placeOf(active)?.step) || this._chosen;
    const steps = this._notebook?.pipeline?.steps ?? [];
    return steps.some(({ name }) => name === this._chosen) ? this._chosen : steps[0]?.name;
  }

  // The same each time, so that what did not change is not drawn again.
  private readonly _onChoose = (step: string): void => this.choose(step);
  private readonly _onView = (view: View): void => {
    this.view = view;
    this.update();
    this._options.keepView(view);
  };
  private _notebook: INotebookPipeline | null = null;
  private _run: IRunModel | null = null;
  private _chosen: string | undefined;
}
