import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import type { ComponentLogger, Metrics as Libp2pMetrics } from '@libp2p/interface'
import { Counter, Gauge, Registry } from 'prom-client'
import { SITE_METRICS, type Reading, type SiteMetric } from './site-metrics.ts'

/** What /metrics answers: the site's numbers, read at the moment of the scrape and not before, and libp2p's own. */
export class Metrics {
  readonly #site = new Registry()
  readonly #libp2p = new Registry()
  readonly #metrics: readonly { readonly metric: Counter | Gauge, readonly read: SiteMetric['read'] }[]

  constructor () {
    this.#metrics = Object.entries(SITE_METRICS).map(([name, { type, help, labels = [], read }]) => {
      const config = { name, help, labelNames: [...labels], registers: [this.#site] }
      return { metric: type === 'counter' ? new Counter(config) : new Gauge(config), read }
    })
  }

  /** Of the page. */
  get contentType (): string {
    return this.#site.contentType
  }

  /** For the libp2p host, which counts its bytes itself. */
  libp2p (home: string): (components: { logger: ComponentLogger }) => Libp2pMetrics {
    return prometheusMetrics({ registry: this.#libp2p, collectDefaultMetrics: false, statfsLocation: home })
  }

  async page (reading: Reading): Promise<string> {
    for (const { metric, read } of this.#metrics) {
      metric.reset()
      const value = read(reading)
      if (value == null) metric.remove()
      else if (typeof value === 'number') set(metric, {}, value)
      else for (const sample of value) set(metric, sample.labels, sample.value)
    }
    return `${await this.#site.metrics()}\n${await this.#libp2p.metrics()}`
  }
}

function set (metric: Counter | Gauge, labels: Readonly<Record<string, string>>, value: number): void {
  if (metric instanceof Counter) metric.inc(labels, value)
  else metric.set(labels, value)
}
