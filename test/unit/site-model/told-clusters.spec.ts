import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Fitted } from '../../../src/dataset/index.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import type { TrainerSetup } from '../../../src/rounds/trainer-messages.ts'
import { toldClusters } from '../../../src/site-model/told-clusters.ts'

const CLUSTERS = { count: 'auto', own: ['^mask_decoder\\.'], neighbours: 3, projection: 4, minimum: 5 } as const

/** One image of each patient, whose embedding is its number. */
function patients (count: number): Fitted[] {
  return Array.from({ length: count }, (_, at) => ({ subject: `p${at}`, id: `p${at}` }) as Fitted)
}

const learner = {
  schema: { baseHash: 'base' },
  initialAdapter: () => undefined,
  segmenter: () => ({
    embedding: async ({ subject = '' }: Fitted) => {
      const at = Number(subject.slice(1))
      return await Promise.resolve({ shape: [1, 1, 1, 3], data: [Math.sin(at), Math.cos(at), at / 10] })
    },
    dispose: async () => { await Promise.resolve() }
  })
} as unknown as Learner

describe('what a site has told of clusters of its patients', () => {
  let privateStore: string

  beforeEach(async () => { privateStore = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(privateStore, { recursive: true }) })

  async function told (count: number, clusters: object = CLUSTERS): ReturnType<typeof toldClusters> {
    const setup = { method: { clusters }, training: { seed: 1 }, privateStore } as unknown as TrainerSetup
    return await toldClusters(setup, learner, patients(count))
  }

  it('stays the same, whoever comes or goes and however often it starts; of other settings it is made anew', async () => {
    const { facts } = await told(9)
    expect(Object.keys(facts!)).to.have.members(['centres', 'shares', 'graph'])
    for (const count of [10, 8, 20]) expect((await told(count)).facts).to.deep.equal(facts)
    expect((await told(10, { ...CLUSTERS, minimum: 6 })).facts).to.not.deep.equal(facts)
  })

  it('is nothing of too few patients, until there are enough, nor where the method asks none', async () => {
    expect(await told(4)).to.deep.equal({ warnings: [] })
    expect(await readdir(privateStore)).to.deep.equal([])
    expect((await told(5)).facts).to.not.equal(undefined)
    expect(await told(9, { ...CLUSTERS, count: 1 })).to.deep.equal({ warnings: [] })
  })

  it('is not made anew where the file is damaged: a sentence says so', async () => {
    await told(9)
    await writeFile(join(privateStore, 'clusters.safetensors'), 'x')
    const { facts, warnings } = await told(9)
    expect(facts).to.equal(undefined)
    expect(warnings.join()).to.match(/^\S+clusters\.safetensors is damaged .+: this site tells nothing of its patients; remove it/)
  })
})
