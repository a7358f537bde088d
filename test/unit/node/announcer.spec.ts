import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { sketchSeed, sketchSlices } from '../../../src/gossip-aggregation/sketch.ts'
import type { Announcement } from '../../../src/protocol/announce/index.ts'
import { Announcer, type AnnouncerInit } from '../../../src/rounds/announcer.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { SiteRecord } from '../../../src/rounds/site-record.ts'
import { announced } from './fakes.ts'

const FEDERATION = 'ab'.repeat(32)
const schema = createSchema({ model: 'fake', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [300], role: 'lora' }] })
const settings = { codec: 'f32' as const, maxMass: 100, clipRadius: 10, normBound: 100, staleness: 3 }

function sketchOf (values: Float32Array): Float32Array {
  const slices = sketchSlices(values, sketchSeed(FEDERATION))
  for (;;) {
    const step = slices.next()
    if (step.done === true) return step.value
  }
}

const DICE = { frozen: 0.1, global: 0.2, personal: 0.3 }

describe('Announcer', () => {
  const initial = new Float32Array(300)
  let averager: Averager
  let peers: PeerTable
  let record: SiteRecord
  let published: Announcement[]
  let announcer: Announcer
  let startedAt: number
  let init: AnnouncerInit

  beforeEach(async () => {
    averager = new Averager({ schema, values: initial.map(() => 1), round: 2, mass: 7, settings })
    peers = new PeerTable(Date.now)
    record = new SiteRecord()
    published = []
    startedAt = performance.now()
    const first = Promise.withResolvers<void>()
    init = {
      federationId: FEDERATION,
      classes: ['core', 'disc'],
      averager,
      initial,
      software: { software: '0.2.0', protocols: ['outcome/1.0.0'] },
      record,
      peers,
      publish: async (each) => {
        published.push(each)
        first.resolve()
      },
      logger: createLogger('silent')
    }
    announcer = new Announcer(init)
    await announcer.start()
    await first.promise
  })

  afterEach(async () => { await announcer.stop() })

  it('says the facts that the document declares once it has them, and none that must not leave', async () => {
    const declared = [{ name: 'loss', length: 1, least: 0, most: 1 }]
    const said: (Float32Array | undefined)[] = []
    for (const facts of [undefined, { loss: Float32Array.of(0.5), pixels: Float32Array.of(9) }, { loss: Float32Array.of(2) }]) {
      record.facts = facts
      const other = new Announcer({ ...init, facts: declared })
      await other.stop()
      said.push(published.at(-1)!.facts)
    }
    expect(said).to.deep.equal([undefined, Float32Array.of(0.5), undefined])
    expect(published.at(-1)).to.include({ phase: record.phase })
  })

  it('says where the site is, at most once a second however much happens, and the latest last', async () => {
    for (let i = 0; i < 20; i++) {
      record.enter('G', i)
      announcer.touch()
      await sleep(20)
    }
    expect(published.length).to.be.at.most(1 + (performance.now() - startedAt) / 1_000)
    record.enter('L', 2)
    record.dice = { frozen: 0.1, global: 0.2, personal: 0.3 }
    record.classes = { disc: record.dice }
    record.labelFits = { asIs: [[1, 2]], exchanged: [] }
    announcer.touch()
    await announcer.stop()
    expect(published.at(-1)).to.deep.equal({
      round: 2,
      phase: 'L',
      steps: { trained: 0, arrived: 0, lost: 0 },
      pace: 1,
      schemaHash: schema.hash,
      sketch: sketchOf(averager.values),
      dice: 0.3,
      classDice: [undefined, 0.3],
      labelFits: { asIs: [[1, 2]], exchanged: [] },
      software: '0.2.0',
      protocols: ['outcome/1.0.0']
    })
  })

  it('says nothing that was measured on images where privacy is promised', async () => {
    const hiding = new Announcer({ ...init, hidesScores: true })
    Object.assign(record, { dice: DICE, classes: { core: DICE }, labelFits: { asIs: [[1, 2]], exchanged: [] } })
    await hiding.start()
    await hiding.stop()
    expect(published.at(-1)).to.have.property('steps')
    for (const key of ['dice', 'classDice', 'labelFits']) expect(published.at(-1)).not.to.have.property(key)
    await announcer.stop()
    expect(published.at(-1), 'where it is not').to.include.keys('dice', 'classDice', 'labelFits')
  })

  it('says nothing after its last word', async () => {
    await announcer.stop()
    const { length } = published
    announcer.touch()
    await announcer.stop()
    await sleep(0)
    expect(published).to.have.length(length)
  })

  it('estimates the consensus distance from the others\' sketches', async () => {
    expect(announcer.distance()).to.equal(undefined)
    peers.connected('b', [])
    peers.announced('b', announced({ schemaHash: schema.hash, sketch: sketchOf(initial.map(() => 1)) }))
    expect(announcer.distance()).to.equal(0)
    // Mean 1.5 and deviation 0.5 in every number: a relative distance of 1/3.
    peers.announced('b', announced({ schemaHash: schema.hash, sketch: sketchOf(initial.map(() => 2)) }))
    expect(announcer.distance()).to.be.closeTo(1 / 3, 1e-6)
  })
})
