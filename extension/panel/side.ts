/** The panel in the right side area: one tab bar, and below it what each room of the extension puts there. */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { TabPanel, type Widget } from '@lumino/widgets';
import type { ISidePanel } from '../tokens';

export class SidePanel implements ISidePanel {
  readonly widget = new TabPanel();

  /** `bringToFront` opens the side area at this panel. */
  constructor(private readonly _bringToFront: () => void) {
    this.widget.id = 'stepwell-panel';
    this.widget.addClass('stepwell-panel');
  }

  add(widget: Widget, rank: number): IDisposable {
    const { widgets, currentWidget, isVisible } = this.widget;
    const index = widgets.filter(other => this._ranks.get(other)! <= rank).length;
    this._ranks.set(widget, rank);
    this.widget.insertWidget(index, widget);
    // What is added does not take the place of what people look at; as long as nobody looks, the first tab is in front.
    this.widget.currentWidget = isVisible && currentWidget ? currentWidget : this.widget.widgets[0]!;
    return new DisposableDelegate(() => {
      widget.parent = null;
    });
  }

  show(id: string): void {
    this.widget.currentWidget = this.widget.widgets.find(widget => widget.id === id) ?? this.widget.currentWidget;
    this._bringToFront();
  }

  private readonly _ranks = new WeakMap<Widget, number>();
}
