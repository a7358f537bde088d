import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const RULES = join(import.meta.dirname, '../deploy/prometheus/alerts.yml')
const DASHBOARD = join(import.meta.dirname, '../deploy/grafana/consilium.json')

/** Skips what needs promtool where it is missing, and says so. */
export function needPromtool (context: Mocha.Context): void {
  if (spawnSync('promtool', ['--version']).error == null) return
  console.log('      skipped: promtool (Debian package prometheus) is missing')
  context.skip()
}

/** What promtool says, where it finds fault. */
export function faultsIn (args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', [...args], { input, encoding: 'utf8' })
  return status === 0 ? '' : stdout + stderr
}

/** Of all panels of the dashboard, as Prometheus gets them for all sites. */
export function dashboardQueries (): string[] {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: Array<{ targets: Array<{ expr: string }> }> }
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$site', '.*')))
}

interface ExprTest { readonly expr: string, readonly exp_samples: ReadonlyArray<{ readonly labels: string, readonly value: number }> }

/**
 * Where the alerts that fire within two minutes, while /metrics answers this page, are others than these: what promtool says of it.
 * Undefined for a page that is not answered.
 */
export function otherAlerts (page: string | undefined, expected: readonly string[]): string {
  const samples = expected.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 }))
  return failed(page, [{ expr: 'count by (alertname) (ALERTS{alertstate="firing"})', exp_samples: samples }])
}

/** Of these queries those that find nothing while /metrics answers this page: what promtool says of them. */
export function emptyOf (queries: readonly string[], page: string): string {
  return failed(page, queries.map((query) => ({ expr: `absent(${query})`, exp_samples: [] })))
}

function failed (page: string | undefined, tests: readonly ExprTest[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'consilium-'))
  try {
    const file = join(folder, 'test.yml')
    writeFileSync(file, JSON.stringify({
      rule_files: [RULES],
      evaluation_interval: '15s',
      tests: [{
        interval: '15s',
        input_series: seriesOf(page),
        promql_expr_test: tests.map((each) => ({ ...each, eval_time: '2m' }))
      }]
    }))
    return faultsIn(['test', 'rules', file])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Each value of the page, for ten scrapes. */
function seriesOf (page: string | undefined): Array<{ series: string, values: string }> {
  const target = 'instance="site",job="consilium"'
  const lines = (page ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const samples = lines.map((line) => {
    const [, name = '', labels, value = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return { series: `${name}{${labels == null ? '' : `${labels},`}${target}}`, values: `${Number(value)}x10` }
  })
  return [...samples, { series: `up{${target}}`, values: `${page == null ? 0 : 1}x10` }]
}
