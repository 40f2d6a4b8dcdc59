import type { AttemptView, RunDetail } from '../../pipeline/model/protocol';
import type { LoggedChange, RunEvent } from '../../pipeline/model/run';
import { applyEvents, applyToAttempts } from './changes';

const detail = (more: Partial<RunDetail> = {}): RunDetail => ({
  id: 'r',
  pipeline: 'p',
  pipelineName: 'wine',
  version: 1,
  status: 'queued',
  created: 't0',
  path: 'wine.ipynb',
  target: 'local',
  steps: { waiting: 2 },
  sequence: 1,
  parameters: {},
  keepGoing: false,
  document: {
    format: 1,
    name: 'wine',
    language: 'python',
    parameters: [],
    parameterCells: [],
    sharedCells: [],
    steps: [],
    returns: [],
    settings: {},
  },
  stepRuns: [
    { step: 'load', status: 'waiting', attempts: 0 },
    { step: 'train', status: 'waiting', attempts: 0 },
  ],
  cells: [],
  ...more,
});
const events = (...changes: LoggedChange[]): RunEvent[] =>
  changes.map((change, index) => ({ sequence: index + 2, at: `t${index + 2}`, change }));

const cases: { it: string; from?: Partial<RunDetail>; changes: LoggedChange[]; gives: Partial<RunDetail> }[] = [
  {
    it: 'starts',
    changes: [{ what: 'run', status: 'running' }],
    gives: { status: 'running', started: 't2', ended: undefined, sequence: 2 },
  },
  {
    it: 'ends with its reason',
    from: { status: 'running', started: 't1' },
    changes: [{ what: 'run', status: 'failed', reason: 'Step train failed.' }],
    gives: { status: 'failed', reason: 'Step train failed.', started: 't1', ended: 't2' },
  },
  {
    it: 'goes on from when it first began after it was taken up again',
    from: { status: 'failed', reason: 'x', started: 't0', ended: 't1' },
    changes: [
      { what: 'run', status: 'queued' },
      { what: 'run', status: 'running' },
    ],
    gives: { status: 'running', reason: undefined, started: 't0', ended: undefined },
  },
  {
    it: 'counts its steps by where they stand',
    changes: [
      { what: 'step', step: 'load', status: 'running', attempts: 1 },
      { what: 'step', step: 'load', status: 'succeeded' },
      { what: 'step', step: 'train', status: 'running', attempts: 1, unit: 'train+test' },
    ],
    gives: {
      steps: { succeeded: 1, running: 1 },
      stepRuns: [
        { step: 'load', status: 'succeeded', attempts: 1, started: 't2', ended: 't3' },
        { step: 'train', status: 'running', attempts: 1, unit: 'train+test', started: 't4' },
      ],
    },
  },
  {
    it: 'forgets when a step ran that waits again, and why it failed',
    from: { stepRuns: [{ step: 'load', status: 'failed', attempts: 1, reason: 'lost', started: 't0', ended: 't1' }], steps: { failed: 1 } },
    changes: [{ what: 'step', step: 'load', status: 'waiting', reason: undefined }],
    gives: { steps: { waiting: 1 }, stepRuns: [{ step: 'load', status: 'waiting', attempts: 1 }] },
  },
  {
    it: 'is left as it is by a step that it has not, by attempts, plans and artifacts',
    changes: [
      { what: 'step', step: 'nobody', status: 'running' },
      { what: 'attempt', step: 'load', attempt: 1, status: 'running' },
      { what: 'plan', steps: ['load', 'train'], reason: 'together' },
      { what: 'artifacts', step: 'load', attempt: 1, artifacts: [] },
    ],
    gives: { ...detail(), sequence: 5 },
  },
];

describe('a run', () => {
  it.each(cases)('$it', ({ from, changes, gives }) => {
    const before = detail(from);
    const asItWas = structuredClone(before);
    expect(applyEvents(before, events(...changes))).toMatchObject(JSON.parse(JSON.stringify(gives)));
    expect(before).toEqual(asItWas);
    const after = applyEvents(before, events(...changes));
    for (const [name, value] of Object.entries(gives)) if (value === undefined) expect(after[name as keyof RunDetail]).toBeUndefined();
  });

  it('is the same object when it has seen all of it', () => {
    const seen = detail({ sequence: 9 });
    expect(applyEvents(seen, events({ what: 'run', status: 'running' }))).toBe(seen);
  });
});

describe('attempts', () => {
  const load: AttemptView = { step: 'load', attempt: 1, status: 'running', started: 't0' };

  it('end with what was measured, and new ones join them', () => {
    const overhead = { queued: 0, create: 0.1, start: 0.1, inputs: 0, user: 1, outputs: 0.1, observed: 0 };
    const after = applyToAttempts(
      [load],
      events(
        { what: 'attempt', step: 'load', attempt: 1, status: 'succeeded', overhead, peakMemory: 5, error: undefined },
        { what: 'attempt', step: 'train', attempt: 1, status: 'queued' },
      ),
    );
    expect(after).toEqual([
      { step: 'load', attempt: 1, status: 'succeeded', overhead, peakMemory: 5, started: 't0', ended: 't2' },
      { step: 'train', attempt: 1, status: 'queued' },
    ]);
  });

  it('are the same object when nothing of theirs happened', () => {
    const all = [load];
    expect(applyToAttempts(all, events({ what: 'run', status: 'running' }))).toBe(all);
  });
});
