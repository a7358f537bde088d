import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Metrics } from '../../../src/node/metrics/metrics.ts'
import { SITE_METRICS, type Reading } from '../../../src/node/metrics/site-metrics.ts'
import { dashboardQueries, faultsIn, needPromtool, otherAlerts, RULES } from '../../promtool.ts'
import { WELL } from '../node/metrics/reading.ts'

const DEPLOY = join(import.meta.dirname, '../../../deploy')

/** Of others: Prometheus' own, and what libp2p counts. */
const FOREIGN = new Set(['up', 'ALERTS', 'libp2p_data_transfer_bytes_total'])

/** What a failure changes of a site that is well, and the alert that it lights. */
const FAILURES: Readonly<Record<string, readonly [Partial<Reading>, string]>> = {
  'a partner is dead': [{ peers: { known: 2, absent: 1, readers: 0 } }, 'ConsiliumPartnerAbsent'],
  'its own clock is off': [{ warnings: { clock: 1 } }, 'ConsiliumClockWrong'],
  "another's clock is off": [{ warnings: { clock_of_peer: 1 } }, 'ConsiliumClockWrong'],
  'the disk is full': [{ warnings: { save: 1, audit: 1, disk: 1 }, diskFreeBytes: 0 }, 'ConsiliumDiskFull'],
  'its certificate ends': [{ certificateSeconds: 20 * 86_400, warnings: { certificate_end: 1 } }, 'ConsiliumCertificateEnds'],
  'the certificate of one that it invited ends': [{ warnings: { certificate_end: 1 } }, 'ConsiliumCertificateEnds'],
  'it is alone, its steps arrive nowhere, and its partners are gone':
    [{ peers: { known: 2, absent: 2, readers: 0 }, warnings: { alone: 1, steps: 1, bootstrap: 1 } }, 'ConsiliumAlone'],
  'its steps do not arrive': [{ warnings: { steps: 1 } }, 'ConsiliumStepsNotArriving'],
  'a liar is named': [{ warnings: { liar: 1 } }, 'ConsiliumLiarNamed'],
  'ledgers disagree': [{ warnings: { ledger: 1 } }, 'ConsiliumLedgersDisagree'],
  'the trainer crashes in a loop':
    [{ trainer: { restarts: 3, deathsInRow: 3, isIsolated: true }, warnings: { trainer: 1 } }, 'ConsiliumTrainerCrashLoop'],
  'the model is worse than last week': [{ warnings: { worse: 1 } }, 'ConsiliumModelWorse']
}

function metricsIn (query: string): string[] {
  const bare = query.replaceAll(/"[^"]*"/g, '').replaceAll(/\{[^}]*\}/g, '').replaceAll(/\b(by|on) \([^)]*\)/g, '')
  return bare.match(/\b(?!and\b|or\b|unless\b|by\b|on\b|site\b)[a-z]\w*\b(?!\s*\()/gi)?.filter((word) => !/^\d/.test(word)) ?? []
}

describe('alerts and dashboard', () => {
  const queries = dashboardQueries()

  it('ask only for metrics that there are', () => {
    const rules = [...readFileSync(RULES, 'utf8').matchAll(/expr: (?:>-\n)?((?:.*\n(?= {10}))*.*)/g)].map(([, expr = '']) => expr)
    expect(rules).to.have.length.above(9)
    const named = [...queries, ...rules].flatMap(metricsIn)
    expect(named).to.include.members(['consilium_round', 'consilium_warning', 'consilium_certificate_remaining_seconds', 'up'])
    expect(named.filter((name) => !(name in SITE_METRICS) && !FOREIGN.has(name))).to.deep.equal([])
  })

  describe('as promtool sees them', function () {
    this.timeout(120_000)

    before(function () { needPromtool(this) })

    it('are well formed', () => {
      expect(faultsIn(['check', 'rules', RULES])).to.equal('')
      expect(faultsIn(['check', 'config', '--syntax-only', join(DEPLOY, 'prometheus/prometheus.yml')])).to.equal('')
      const folder = mkdtempSync(join(tmpdir(), 'consilium-'))
      const file = join(folder, 'queries.yml')
      const rules = queries.map((expr, i) => ({ record: `query:${i}`, expr }))
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
      try {
        expect(faultsIn(['check', 'rules', file])).to.equal('')
      } finally {
        rmSync(folder, { recursive: true })
      }
    })

    it('leave a site in peace that is well', async () => {
      const page = await new Metrics().page(WELL)
      expect(otherAlerts(page, [])).to.equal('')
      expect(otherAlerts(page, ['ConsiliumAlone'])).to.include('FAILED')
    })

    it('say that a site does not answer', () => {
      expect(otherAlerts(undefined, ['ConsiliumDown'])).to.equal('')
    })

    for (const [failure, [changed, alert]] of Object.entries(FAILURES)) {
      it(`light ${alert} and no other within two minutes when ${failure}`, async () => {
        expect(otherAlerts(await new Metrics().page({ ...WELL, ...changed }), [alert])).to.equal('')
      })
    }
  })
})
