import { SITE_METRICS } from '../../src/node/metrics/site-metrics.ts'
import { WARNING_ADVICE } from '../../src/rounds/warning-advice.ts'
import { WARNING_KINDS, type WarningKind } from '../../src/rounds/warning-kinds.ts'
import { code, page, table } from './page.ts'

/** docs/reference/metrics.md: every metric of /metrics, and every kind of warning. */
export function metricsPage (): string {
  const rows = Object.entries(SITE_METRICS).map(([name, { type, labels = [], help }]) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help
  ])
  return page('Metrics', [
    'What `/metrics` of the control port answers ([monitoring](../monitoring.md)). Names end in their unit. Below these stand those of\n' +
    'libp2p, which names its own: `libp2p_data_transfer_bytes_total` and more.',
    table(['metric', 'type', 'labels', 'meaning'], rows),
    '## Kinds of warnings',
    'Of `consilium_warning` and of the setting `notify`. `consilium status` says each that holds in a sentence with what to do.',
    table(
      ['kind', 'holds while', 'what to do'],
      (Object.keys(WARNING_KINDS) as WarningKind[]).map((kind) => [code(kind), WARNING_KINDS[kind].means, WARNING_ADVICE[kind]])
    )
  ])
}
