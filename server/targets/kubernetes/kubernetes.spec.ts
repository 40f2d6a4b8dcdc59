/** The Kubernetes target on a real cluster: what every target must do. What only this one can suffer is in faults.spec.ts. */

import { describeOnCluster, TestNamespace } from '../../engine/cluster-for-tests';
import { targetSuite } from '../suite';
import { podName } from './pod';

jest.setTimeout(90_000);

describeOnCluster('on a real cluster', () => {
  const namespace = new TestNamespace();
  beforeAll(() => namespace.make());
  afterAll(() => namespace.remove());

  targetSuite(
    'kubernetes',
    place => namespace.target(place),
    // A pod takes its processes with it.
    async task => {
      await namespace.until(async () => {
        const pod = await namespace.pod(podName(task));
        return !pod || pod.status?.containerStatuses?.every(({ state }) => state?.terminated);
      });
      return true;
    },
  );
});
