/** Metrics for Prometheus: counted where something happens, or asked for when they are read. Which there are stands in metric-table.ts. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricName } from './metric-table.js';

type Labels = Readonly<Record<string, string>>;

/** From a millisecond to a minute. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #onRead: (() => void | Promise<void>)[] = [];

  constructor() {
    const registers = [this.#registry];
    for (const [key, { name, type, means, ...rest }] of Object.entries(METRICS)) {
      const labelNames = 'labels' in rest ? [...rest.labels] : [];
      const own = { name, help: means, labelNames, registers };
      if (type === 'counter') this.#counters.set(key as MetricName, new Counter(own));
      else if (type === 'gauge') this.#gauges.set(key as MetricName, new Gauge(own));
      else this.#histograms.set(key as MetricName, new Histogram({ ...own, buckets: BUCKETS }));
    }
  }

  /** Adds what prom-client tells of a process: memory, processor time, delays of the event loop. Once in a process, since it watches on. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  count(metric: MetricName, labels: Labels = {}, by = 1): void {
    this.#counters.get(metric)!.inc(labels, by);
  }

  /** Sets a counter to what somebody else has counted. */
  counted(metric: MetricName, total: number, labels: Labels = {}): void {
    const counter = this.#counters.get(metric)!;
    counter.remove(labels);
    counter.inc(labels, total);
  }

  set(metric: MetricName, value: number, labels: Labels = {}): void {
    this.#gauges.get(metric)!.set(labels, value);
  }

  /** Sets a gauge whose labels are what it says: those before are gone. */
  setOnly(metric: MetricName, labels: Labels): void {
    this.#gauges.get(metric)!.reset();
    this.set(metric, 1, labels);
  }

  observe(metric: MetricName, seconds: number, labels: Labels = {}): void {
    this.#histograms.get(metric)!.observe(labels, seconds);
  }

  /** Has something done whenever the metrics are read. What it throws leaves its metrics as they were. */
  onRead(work: () => void | Promise<void>): void {
    this.#onRead.push(work);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The metrics in Prometheus' text form. */
  async text(): Promise<string> {
    await Promise.allSettled(this.#onRead.map(async (work) => work()));
    return this.#registry.metrics();
  }
}
