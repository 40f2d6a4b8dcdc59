/**
 * What cells put out, rendered as JupyterLab does for a notebook that is not trusted: HTML and Markdown are sanitised, scripts never run. SVG
 * becomes an image, in which none can.
 */

import type { IOutput } from '@jupyterlab/nbformat';
import { OutputArea, OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { useLayoutEffect, useRef } from 'react';
import type { Pipeline } from '../../pipeline/model/pipeline';

/** A copy of the registry in which SVG may be shown to anybody. */
export function forStrangers(registry: IRenderMimeRegistry): IRenderMimeRegistry {
  const copy = registry.clone();
  copy.addFactory({ safe: true, mimeTypes: ['image/svg+xml'], createRenderer: options => new SvgAsImage(options) }, 80);
  return copy;
}

class SvgAsImage extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly _options: IRenderMime.IRendererOptions) {
    super();
    this.addClass('stepwell-svg');
  }

  async renderModel({ data }: IRenderMime.IMimeModel): Promise<void> {
    const svg = data[this._options.mimeType];
    const image = document.createElement('img');
    image.alt = '';
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(Array.isArray(svg) ? svg.join('') : String(svg ?? ''))}`;
    this.node.replaceChildren(image);
  }
}

export interface CellWithOutputs {
  cell: number;
  source: string;
  outputs: readonly IOutput[];
  /** Characters left out. */
  cut: number;
}

interface OutputsProps {
  cells: readonly CellWithOutputs[];
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function Outputs({ cells, rendermime, trans }: OutputsProps): JSX.Element {
  const shown = cells.filter(({ outputs, cut }) => outputs.length > 0 || cut > 0);
  if (shown.length === 0) return <p className="stepwell-run-empty">{trans.__('The cells of this step have put out nothing.')}</p>;
  return (
    <div className="stepwell-outputs">
      {shown.map(({ cell, source, outputs, cut }) => (
        <section key={cell} aria-label={trans.__('Cell %1', cell + 1)}>
          <div className="stepwell-outputs-source">
            <span className="stepwell-outputs-cell">{trans.__('Cell %1', cell + 1)}</span>
            <code>{firstLine(source)}</code>
          </div>
          <CellOutput outputs={outputs} rendermime={rendermime} />
          {cut > 0 && (
            <p className="stepwell-log-note">
              {trans.__('%1 more characters are not shown here; the executed notebook has all of it.', cut.toLocaleString())}
            </p>
          )}
        </section>
      ))}
    </div>
  );
}

/** Lumino's part of the page: made anew when the outputs are others. */
function CellOutput({ outputs, rendermime }: { outputs: readonly IOutput[]; rendermime: IRenderMimeRegistry }): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  // Outputs are built up in place, so what they hold tells whether they changed.
  const content = JSON.stringify(outputs);
  // Before React takes the holder out of the page: Lumino wants to be asked first.
  useLayoutEffect(() => {
    const model = new OutputAreaModel({ values: JSON.parse(content) as IOutput[], trusted: false });
    const area = new SimplifiedOutputArea({ model, rendermime, contentFactory: OutputArea.defaultContentFactory, maxNumberOutputs: 100 });
    Widget.attach(area, holder.current!);
    return () => {
      if (area.node.isConnected) Widget.detach(area);
      area.dispose();
      model.dispose();
    };
  }, [content, rendermime]);
  return <div ref={holder} className="stepwell-outputs-area" />;
}

/** The code cells of a step, as they ran; of the first step also those that every step shares. */
export function cellsOf(pipeline: Pipeline, step: string): { cell: number; source: string }[] {
  const index = pipeline.steps.findIndex(({ name }) => name === step);
  const own = pipeline.steps[index]?.cells ?? [];
  const all = index === 0 ? [...pipeline.parameterCells, ...pipeline.sharedCells, ...own] : own;
  return [...all].sort((a, b) => a.cell - b.cell);
}

/** What tells a cell from others at a glance. */
function firstLine(source: string): string {
  const [line = '', ...more] = source.split('\n').filter(each => each.trim() !== '');
  return more.length > 0 || line.length > 120 ? `${line.slice(0, 120)} …` : line;
}
