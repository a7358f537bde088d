import { expect } from 'chai'
import { Metrics } from '../../../../src/node/metrics/metrics.ts'
import { SITE_METRICS, type Reading } from '../../../../src/node/metrics/site-metrics.ts'
import { faultsIn, needPromtool } from '../../../promtool.ts'
import { WELL } from './reading.ts'

describe('Metrics', () => {
  let metrics: Metrics

  beforeEach(() => { metrics = new Metrics() })

  it('has a value for every metric of the table', async () => {
    const page = await metrics.page(WELL)
    for (const name of Object.keys(SITE_METRICS)) expect(page, name).to.match(new RegExp(`^${name}(\\{[^}]*\\})? [\\d.e+-]+$`, 'm'))
  })

  it('says what was read, in base units', async () => {
    const lines = (await metrics.page({ ...WELL, warnings: { alone: 1, slow: 3 } })).split('\n')
    expect(lines).to.include.members([
      'consilium_round 3',
      'consilium_label_free 0',
      'consilium_phase{phase="exchange"} 1',
      'consilium_phase{phase="G"} 0',
      'consilium_dice_ratio{model="personal"} 0.7',
      'consilium_class_dice_ratio{class="tumour",model="alone"} 0.25',
      'consilium_sent_bytes_total 1000',
      'consilium_streams_total{protocol="/kad/1.0.0",outcome="handled"} 7',
      'consilium_event_loop_delay_seconds 0.012',
      'consilium_warning{kind="alone"} 1',
      'consilium_warning{kind="slow"} 3',
      'consilium_warning{kind="clock"} 0'
    ])
  })

  it('does not add up counters from scrape to scrape, and says nothing of what is not known', async () => {
    await metrics.page(WELL)
    const status: Reading['status'] = { ...WELL.status, exchanges: 7 }
    for (const key of ['dice', 'steps', 'consensus', 'labelFree'] as const) delete status[key]
    const page = await metrics.page({ ...WELL, status, certificateSeconds: undefined })
    expect(page).to.match(/^consilium_exchanges_total 7$/m)
    for (const name of ['dice_ratio', 'steps_trained_total', 'consensus_ratio', 'certificate_remaining_seconds', 'label_free']) {
      expect(page, name).not.to.match(new RegExp(`^consilium_${name}[ {]`, 'm'))
    }
  })

  it('says of a site without labels that it reads, and no Dice of it', async () => {
    expect(await metrics.page(WELL)).to.match(/^consilium_reads 0$/m)
    const status: Reading['status'] = { ...WELL.status, reads: true }
    for (const key of ['dice', 'classes'] as const) delete status[key]
    const page = await metrics.page({ ...WELL, status })
    expect(page).to.match(/^consilium_reads 1$/m).and.not.match(/^consilium_(class_)?dice_ratio[ {]/m)
  })

  it('pleases promtool', async function () {
    needPromtool(this)
    expect(faultsIn(['check', 'metrics'], await metrics.page(WELL))).to.equal('')
    expect(faultsIn(['check', 'metrics'], 'x_milliseconds 3\n')).to.include('seconds')
  })
})
