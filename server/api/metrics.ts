/** Figures for Prometheus. Requests go by the pattern of their route, so that ids do not become labels. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type RunStatus, runStatuses } from '../../pipeline/model/run';
import type { Counts } from '../engine/runs';

export class Metrics {
  private readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: 'stepwell_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.registry],
  });
  private readonly moved = new Counter({
    name: 'stepwell_runs_total',
    help: 'Runs that came into this status since the service started.',
    labelNames: ['status'],
    registers: [this.registry],
  });
  private readonly sockets = new Gauge({ name: 'stepwell_sockets', help: 'Clients that listen.', registers: [this.registry] });

  constructor(counts: () => Counts) {
    // Memory, processor time and the delay of the event loop.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 20 });
    for (const status of runStatuses) this.moved.inc({ status }, 0);
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(value());
        },
      });
    gauge('stepwell_runs', 'Runs that this service moves now.', () => counts().runs);
    gauge('stepwell_attempts_running', 'Attempts of steps that run now.', () => counts().attempts);
    gauge('stepwell_attempts_waiting', 'Attempts of steps that wait for a core.', () => counts().waiting);
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.requests.observe({ method, route, status }, seconds);
  }

  run(status: RunStatus): void {
    this.moved.inc({ status });
  }

  connected(change: 1 | -1): void {
    this.sockets.inc(change);
  }

  async text(): Promise<{ text: string; contentType: string }> {
    return { text: await this.registry.metrics(), contentType: this.registry.contentType };
  }
}
