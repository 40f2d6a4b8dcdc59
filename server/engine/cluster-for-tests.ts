/**
 * A namespace of a real cluster for one spec, with the *restricted* profile enforced; gone afterwards. KUBECONFIG says which cluster;
 * STEPWELL_TEST_IMAGE which image steps run in (default: localhost/stepwell:1), STEPWELL_TEST_GATEWAY where pods reach this machine.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { openArtifacts } from '../artifacts';
import { Away } from '../artifacts/away';
import { attemptFolder } from '../targets/attempt';
import { createKubernetesTarget, type KubernetesTarget } from '../targets/kubernetes';
import { Cluster } from '../targets/kubernetes/cluster';
import { type KubernetesConfig, readKubernetesConfig } from '../targets/kubernetes/config';
import type { DataPath } from '../targets/kubernetes/data';
import type { Pod } from '../targets/kubernetes/reflector';
import type { Place } from '../targets/suite';

const named = process.env.KUBECONFIG;

/** `describe`, where there is a cluster; else one skipped test says what is missing. */
export const describeOnCluster: (name: string, tests: () => void) => void = named
  ? describe
  : name => describe(name, () => test.skip('needs a Kubernetes cluster: set KUBECONFIG', () => {}));

export class TestNamespace {
  readonly name = `stepwell-test-${randomBytes(4).toString('hex')}`;
  readonly cluster = Cluster.load({ namespace: this.name });

  async make(): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    };
    await this.cluster.call('POST', '/api/v1/namespaces', { body });
    // Pods are refused until the namespace has its account.
    for (;;) {
      const found = await this.cluster.call('GET', this.cluster.path('serviceaccounts', 'default')).catch(() => undefined);
      if (found) return;
    }
  }

  async remove(): Promise<void> {
    await this.cluster.call('DELETE', `/api/v1/namespaces/${this.name}`);
    this.cluster.close();
  }

  async target(
    place: Place,
    more: Partial<KubernetesConfig> = {},
    port = 0,
    kubeconfig?: string,
    other?: DataPath,
  ): Promise<KubernetesTarget> {
    const cluster = Cluster.load({ namespace: this.name, kubeconfig });
    const config = { ...readKubernetesConfig(place.home, {}), image: process.env.STEPWELL_TEST_IMAGE ?? 'localhost/stepwell:1', ...more };
    const listen = async () =>
      Away.listen({
        artifacts: openArtifacts(join(place.home, 'artifacts')),
        home: place.home,
        host: process.env.STEPWELL_TEST_GATEWAY ?? (await this.cluster.ownAddress()),
        port,
        attemptFolder: id => attemptFolder(place.home, id),
      });
    const data = other ?? (await listen());
    return createKubernetesTarget({ cluster, config, data, home: place.home, owner: this.name, grace: 1 });
  }

  async pods(): Promise<Pod[]> {
    return (await this.cluster.call<{ items: Pod[] }>('GET', this.cluster.path('pods'))).items;
  }

  pod(name: string): Promise<Pod | undefined> {
    return this.cluster.call<Pod>('GET', this.cluster.path('pods', name)).catch(() => undefined);
  }

  /** Resolves when this is so; asks again until then. */
  async until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}
