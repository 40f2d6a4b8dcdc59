/** The figures that steps told: a table, and a line for those that came as a series. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { MetricView } from '../../pipeline/model/protocol';

export interface Series {
  step: string;
  name: string;
  /** In the order of their positions. */
  points: { at: number; value: number }[];
}

/** One series for each name of each step, in the order in which they were first told. */
export function seriesOf(metrics: readonly MetricView[]): Series[] {
  const all = new Map<string, Series>();
  for (const { step, name, value, at } of metrics) {
    const key = `${step} ${name}`;
    const series = all.get(key) ?? { step, name, points: [] };
    all.set(key, series);
    series.points.push({ at: at ?? series.points.length, value });
  }
  for (const { points } of all.values()) points.sort((a, b) => a.at - b.at);
  return [...all.values()];
}

/** The series as the `points` of an SVG line in a box of this size; values that are no numbers leave it out. */
export function line({ points }: Series, width: number, height: number): string {
  const drawn = points.filter(({ value }) => Number.isFinite(value));
  const values = drawn.map(({ value }) => value);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const span = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - least || 1;
  const first = drawn[0]?.at ?? 0;
  const length = (drawn.at(-1)?.at ?? 0) - first || 1;
  return drawn
    .map(({ at, value }) => `${(((at - first) / length) * width).toFixed(1)},${(height - ((value - least) / span) * height).toFixed(1)}`)
    .join(' ');
}

export function Metrics({ metrics, trans }: { metrics: readonly MetricView[]; trans: TranslationBundle }): JSX.Element {
  const all = seriesOf(metrics);
  if (all.length === 0)
    return <p className="stepwell-run-empty">{trans.__('No metrics. Name variables as metrics in a step’s settings to see them here.')}</p>;
  return (
    <div className="stepwell-table-holder">
      <table className="stepwell-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Metric')}</th>
            <th scope="col">{trans.__('Step')}</th>
            <th scope="col" className="stepwell-number-cell">
              {trans.__('Value')}
            </th>
            <th scope="col">{trans.__('Course')}</th>
          </tr>
        </thead>
        <tbody>
          {all.map(series => (
            <tr key={`${series.step} ${series.name}`}>
              <th scope="row">{series.name}</th>
              <td>{series.step}</td>
              <td className="stepwell-number-cell">{written(series.points.at(-1)!.value)}</td>
              <td>
                {series.points.length > 1 && (
                  <svg
                    className="stepwell-metric-line"
                    viewBox="-2 -2 164 36"
                    role="img"
                    aria-label={trans.__(
                      '%1 values, from %2 to %3',
                      series.points.length,
                      written(series.points[0]!.value),
                      written(series.points.at(-1)!.value),
                    )}
                  >
                    <polyline points={line(series, 160, 32)} />
                  </svg>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const written = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(6)));
