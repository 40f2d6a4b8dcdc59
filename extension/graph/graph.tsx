/**
 * The steps of a pipeline as a graph. It draws what it is given: statuses of a run come as a property, and choosing a step is told. Names that
 * cross are shown on the links of the chosen step and of the one under the pointer.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  Background,
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getViewportForBounds,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { layout, type Point } from './layout';
import { colourOf, StepNumber, StepStatus } from './status';
import { around, type GraphLink, type GraphStep, type StepGraphData, type StepState, shown } from './steps';

export type Direction = 'down' | 'right';

export interface StepGraphProps {
  data: StepGraphData;
  trans: TranslationBundle;
  direction?: Direction;
  /** By step name. */
  states?: ReadonlyMap<string, StepState>;
  chosen?: string;
  onChoose?: (step: string) => void;
}

/** Up to here all steps are drawn; beyond, the neighbourhood of the chosen one. */
export const drawnAtMost = 150;
const node = { width: 148, height: 46 };

const zoom = { least: 0.15, most: 1.5 };
/** Around the graph; the buttons that zoom stand at the left. */
const margin = { left: '44px', right: '16px', top: '12px', bottom: '12px' } as const;

type StepNode = Node<{ step: GraphStep; state?: StepState; direction: Direction; trans: TranslationBundle }, 'step'>;
type LinkEdge = Edge<{ link: GraphLink; bends: Point[]; direction: Direction; labelled: boolean; trans: TranslationBundle }, 'link'>;

/** Draws again only when a property is another: give it the same `data` as long as it says the same. */
export const StepGraph = memo(function StepGraph(props: StepGraphProps) {
  const { data, chosen, trans } = props;
  const all = data.steps.length <= drawnAtMost;
  const part = useMemo(() => (all ? data : around(data, chosen ?? data.steps[0]!.name, 2)), [all, data, chosen]);
  return (
    <div className="stepwell-graph">
      {all ? null : (
        <p className="stepwell-graph-note">
          {trans.__(
            '%1 steps are too many to read at once: these are the ones around "%2".',
            data.steps.length,
            chosen ?? data.steps[0]!.name,
          )}
        </p>
      )}
      <ReactFlowProvider>
        <Flow {...props} data={part} />
      </ReactFlowProvider>
    </div>
  );
});

function Flow({ data, trans, direction = 'down', states, chosen, onChoose }: StepGraphProps) {
  const [pointed, setPointed] = useState<string>();
  const flow = useReactFlow();
  // Only what moves steps is part of the key: a changed name on a link redraws the link and leaves everything where it was.
  const shape = JSON.stringify([direction, data.steps.map(({ name }) => name), data.links.map(({ from, to }) => [from, to])]);
  const placed = useMemo(
    () =>
      layout(
        data.steps.map(({ name }) => name),
        data.links,
        direction === 'down'
          ? { breadth: node.width, depth: node.height, gap: 14, layerGap: 34 }
          : { breadth: node.height, depth: node.width, gap: 14, layerGap: 48 },
      ),
    [shape],
  );
  // The view follows the shape and the room there is for it, not each drawing.
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Links that pass beside the steps are part of what has to be seen.
    const spot = ({ across, down }: Point): Spot => (direction === 'down' ? { x: across, y: down } : { x: down, y: across });
    const box = bounds([...placed.steps.values()].map(spot), placed.bends.flat().map(spot));
    const fit = () => {
      const { clientWidth, clientHeight } = frame.current!;
      if (clientWidth > 0) void flow.setViewport(getViewportForBounds(box, clientWidth, clientHeight, zoom.least, 1, margin));
    };
    const observer = new ResizeObserver(fit);
    observer.observe(frame.current!);
    const request = requestAnimationFrame(fit);
    return () => {
      cancelAnimationFrame(request);
      observer.disconnect();
    };
  }, [shape]);

  const nodes = useMemo(
    () =>
      data.steps.map((step): StepNode => {
        const { across, down } = placed.steps.get(step.name)!;
        const middle = direction === 'down' ? { x: across, y: down } : { x: down, y: across };
        return {
          id: step.name,
          type: 'step',
          position: { x: middle.x - node.width / 2, y: middle.y - node.height / 2 },
          ...node,
          selected: step.name === chosen,
          ariaLabel: describe(step, states?.get(step.name), trans),
          data: { step, state: states?.get(step.name), direction, trans },
        };
      }),
    [data, placed, direction, chosen, states, trans],
  );
  const edges = useMemo(
    () =>
      data.links.map((link, index): LinkEdge => {
        const id = `${link.from} ${link.to}`;
        const near = id === pointed || link.from === chosen || link.to === chosen;
        return {
          id,
          type: 'link',
          source: link.from,
          target: link.to,
          className: near ? 'stepwell-near' : '',
          markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: 'var(--jp-border-color0)' },
          zIndex: id === pointed ? 1 : 0,
          data: { link, bends: placed.bends[index] ?? [], direction, labelled: id === pointed, trans },
        };
      }),
    [data, placed, direction, chosen, pointed, trans],
  );
  return (
    <ReactFlow
      ref={frame}
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodeClick={(_, { id }) => onChoose?.(id)}
      onNodesChange={changes => {
        for (const change of changes) if (change.type === 'select' && change.selected) onChoose?.(change.id);
      }}
      onEdgeMouseEnter={(_, edge) => setPointed(edge.id)}
      onEdgeMouseLeave={() => setPointed(undefined)}
      nodesDraggable={false}
      nodesConnectable={false}
      edgesFocusable={false}
      deleteKeyCode={null}
      zoomOnDoubleClick={false}
      preventScrolling={false}
      zoomOnScroll={false}
      minZoom={zoom.least}
      maxZoom={zoom.most}
      onlyRenderVisibleElements={data.steps.length > 60}
      aria-label={trans.__('Graph of the steps')}
    >
      <Background gap={16} size={1} color="var(--jp-border-color3)" />
      <Controls showInteractive={false} aria-label={trans.__('Zoom')} />
    </ReactFlow>
  );
}

/** The whole node in words, for those who cannot see it. */
function describe({ name, inputs, outputs, errors, warnings }: GraphStep, state: StepState | undefined, trans: TranslationBundle): string {
  const parts = [
    trans.__('Step %1', name),
    trans._n('%1 input', '%1 inputs', inputs.length),
    trans._n('%1 output', '%1 outputs', outputs.length),
    errors + warnings > 0 ? trans._n('%1 problem', '%1 problems', errors + warnings) : '',
    state ? state.label : '',
  ];
  return parts.filter(part => part !== '').join(', ');
}

const StepNodeView = memo(({ data: { step, state, direction, trans } }: NodeProps<StepNode>) => {
  const { name, index, inputs, outputs, errors, warnings } = step;
  return (
    <div className={`stepwell-node ${colourOf(index)}`} data-status={state?.status} title={name}>
      <Handle type="target" position={direction === 'down' ? Position.Top : Position.Left} isConnectable={false} />
      <div className="stepwell-node-head">
        <StepNumber index={index} />
        <span className="stepwell-node-name">{name}</span>
        {errors > 0 ? <span className="stepwell-mark-error">{errors}</span> : null}
        {warnings > 0 ? <span className="stepwell-mark-warning">{warnings}</span> : null}
      </div>
      <div className="stepwell-node-foot">
        {state ? <StepStatus state={state} trans={trans} /> : trans.__('%1 in · %2 out', inputs.length, outputs.length)}
      </div>
      <Handle type="source" position={direction === 'down' ? Position.Bottom : Position.Right} isConnectable={false} />
    </div>
  );
});

const LinkView = memo(({ id, sourceX, sourceY, targetX, targetY, markerEnd, data }: EdgeProps<LinkEdge>) => {
  const { link, bends, direction, labelled, trans } = data!;
  const points = [
    { x: sourceX, y: sourceY },
    // Straight past the steps of a layer, so that no curve touches them.
    ...bends.flatMap(({ across, down }): Spot[] => {
      const half = (direction === 'down' ? node.height : node.width) / 2;
      const ends = [down - half, down + half];
      return ends.map(end => (direction === 'down' ? { x: across, y: end } : { x: end, y: across }));
    }),
    { x: targetX, y: targetY },
  ];
  const at = points.length % 2 ? points[(points.length - 1) / 2]! : between(points[points.length / 2 - 1]!, points[points.length / 2]!);
  return (
    <>
      <BaseEdge
        id={id}
        path={curve(points, direction)}
        markerEnd={markerEnd}
        interactionWidth={16}
        className={link.names.length === 0 ? 'stepwell-order' : ''}
      />
      {labelled ? (
        <EdgeLabelRenderer>
          <div className="stepwell-link-label" style={{ transform: `translate(-50%, -50%) translate(${at.x}px, ${at.y}px)` }}>
            {link.names.length === 0 ? trans.__('order only') : shorten(link.names.map(shown))}
          </div>
        </EdgeLabelRenderer>
      ) : null}
    </>
  );
});

const nodeTypes = { step: StepNodeView };
const edgeTypes = { link: LinkView };

interface Spot {
  x: number;
  y: number;
}

/** The rectangle that holds steps with these middles, and these points. */
function bounds(middles: readonly Spot[], points: readonly Spot[]) {
  const across = [...middles.flatMap(({ x }) => [x - node.width / 2, x + node.width / 2]), ...points.map(({ x }) => x)];
  const down = [...middles.flatMap(({ y }) => [y - node.height / 2, y + node.height / 2]), ...points.map(({ y }) => y)];
  const [x, y] = [Math.min(...across), Math.min(...down)];
  return { x, y, width: Math.max(...across) - x, height: Math.max(...down) - y };
}

const between = (a: Spot, b: Spot): Spot => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/** A smooth line through the points that leaves and arrives along the direction of the graph. */
function curve(points: readonly Spot[], direction: Direction): string {
  let path = `M${points[0]!.x},${points[0]!.y}`;
  for (const [index, to] of points.entries()) {
    if (index === 0) continue;
    const from = points[index - 1]!;
    const half = between(from, to);
    path +=
      direction === 'down'
        ? ` C${from.x},${half.y} ${to.x},${half.y} ${to.x},${to.y}`
        : ` C${half.x},${from.y} ${half.x},${to.y} ${to.x},${to.y}`;
  }
  return path;
}

const shorten = (names: readonly string[]): string =>
  names.length > 8 ? `${names.slice(0, 7).join(', ')} … +${names.length - 7}` : names.join(', ');
