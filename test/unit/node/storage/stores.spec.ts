import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { PrivateSet } from '../../../../src/adapter/private-set.ts'
import { createSchema } from '../../../../src/adapter/schema.ts'
import { Averager } from '../../../../src/gossip-aggregation/averager.ts'
import { SKETCH_SIZE } from '../../../../src/gossip-aggregation/sketch.ts'
import { NO_STEPS } from '../../../../src/gossip-aggregation/unmixed.ts'
import { AdapterStore, type SavedAdapter, type SiteNotes } from '../../../../src/home/adapter-store.ts'
import { loadConfig } from '../../../../src/home/config/load.ts'
import { removeLeftovers } from '../../../../src/home/files.ts'
import { MetricsLog, type RoundRecord } from '../../../../src/home/metrics-log.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { UnmixedStore } from '../../../../src/home/unmixed-store.ts'
import { Checkpoint, type CheckpointInit } from '../../../../src/rounds/checkpoint.ts'
import { PrivateStore } from '../../../../src/site-model/private-store.ts'

const schema = createSchema({ model: 'fake', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [2], role: 'lora' }] })
const LARGE = 1_100_003
const sketch = Array.from({ length: SKETCH_SIZE }, (_, i) => i)
const account = { root: 'b', left: 1, level: 0.5, hasPushed: true, sum: sketch, pulls: sketch, lengths: 2, times: 3 }
const own = { step: 1, alone: 0, partners: { seed: 7, accounts: [account] } }
const notes: SiteNotes = { included: ['a'.repeat(32)], learnt: { clip: { radius: 2.5, recent: [1, 1.25] }, distance: null, own } }
const state = (value: number, round: number): SavedAdapter & { weight: number, notes: SiteNotes } => ({
  values: Float32Array.of(value, value),
  round,
  weight: 3,
  notes
})

describe('stores', () => {
  let home: string

  beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(home, { recursive: true }) })

  describe('AdapterStore', () => {
    const open = (): AdapterStore => new AdapterStore({ paths: sitePaths(home), schema, now: () => 5 })

    /** Of more than one piece, and no whole number of blocks. */
    function large (): { store: AdapterStore, path: string, values: Float32Array } {
      const paths = sitePaths(home)
      const store = new AdapterStore({
        paths,
        schema: createSchema({ ...schema, tensors: [{ name: 'lora.a', shape: [LARGE], role: 'lora' }] }),
        now: () => 5
      })
      return { store, path: paths.adapter, values: new Float32Array(LARGE) }
    }

    it('gives back the newest adapter, and nothing before the first', async () => {
      const store = open()
      expect(await store.load()).to.equal(undefined)
      await store.save(state(1, 1))
      await store.save(state(2, 2))
      expect(await open().load()).to.deep.equal({ values: Float32Array.of(2, 2), round: 2, notes })
    })

    for (const [damage, harm] of [
      ['cut short', async (file: string) => { await truncate(file, (await stat(file)).size - 3) }],
      ['emptied', async (file: string) => { await truncate(file, 0) }],
      ['overwritten', async (file: string) => { await writeFile(file, Buffer.alloc(200, 0xff)) }]
    ] as const) {
      it(`falls back to the previous one when the newest was ${damage}, and says so`, async () => {
        const store = open()
        await store.save(state(1, 1))
        await store.save(state(2, 2))
        await harm(sitePaths(home).adapter)
        const reopened = open()
        expect(await reopened.load()).to.deep.equal({ values: Float32Array.of(1, 1), round: 1, notes })
        expect(reopened.warnings).to.have.length(1)
        expect(reopened.warnings[0]).to.contain('adapter.safetensors is damaged').and.contain('the checkpoint before it is used')
      })
    }

    it('refuses the adapter of another model', async () => {
      await open().save(state(1, 1))
      const other = createSchema({ ...schema, model: 'other' })
      const error = await new AdapterStore({ paths: sitePaths(home), schema: other, now: () => 5 }).load().then(
        () => undefined,
        (reason: Error) => reason
      )
      expect(error?.name).to.equal('SchemaError')
    })

    it('clears away what a killed process left half-written, and nothing else', async () => {
      await open().save(state(1, 1))
      await writeFile(join(home, 'adapter.safetensors.1234567'), 'half')
      await writeFile(join(home, 'metrics.jsonl.99'), 'half')
      await writeFile(join(home, 'notes.2024'), 'mine')
      await removeLeftovers(home)
      await removeLeftovers(join(home, 'nowhere'))
      expect(await readdir(home)).to.have.members(['adapter.safetensors', 'notes.2024'])
    })

    it('writes what is no whole number of blocks, and one save after the other', async () => {
      const { store, path, values } = large()
      await Promise.all([1, 2, 3].map(async (round) => { await store.save({ ...state(0, round), values: values.slice().fill(round) }) }))
      const { values: saved, round } = (await store.load())!
      expect([round, saved.length, saved.every((value) => value === 3)]).to.deep.equal([3, values.length, true])
      expect((await readFile(path.replace('.safetensors', '.previous.safetensors'))).subarray(-4).readFloatLE()).to.equal(2)
      values[LARGE - 1] = 5
      await store.save({ ...state(0, 4), values })
      expect((await store.load())!.values.subarray(-2)).to.deep.equal(Float32Array.of(0, 5))
    })

    it('saves after one that failed, and refuses numbers that are not finite', async () => {
      const { store, path, values } = large()
      await mkdir(path)
      expect(await store.save({ ...state(0, 1), values }).then(() => 'saved', () => 'failed')).to.equal('failed')
      await rm(path, { recursive: true })
      values[1] = NaN
      expect(await store.save({ ...state(0, 2), values }).then(() => 'saved', ({ name }: Error) => name)).to.equal('SchemaError')
      await store.save({ ...state(0, 3), values: values.fill(3) })
      expect((await store.load())?.round).to.equal(3)
      expect(await readdir(home)).to.deep.equal(['adapter.safetensors'])
    })

    it('writes aside under a name that is cleared away when the process is killed meanwhile', async () => {
      const { store, values } = large()
      const saving = store.save({ ...state(0, 1), values })
      let names: string[] = []
      while (names.length === 0) names = await readdir(home)
      await saving
      expect(names).to.have.length(1).and.not.include('adapter.safetensors')
      await writeFile(join(home, names[0]!), 'half')
      await removeLeftovers(home)
      expect(await readdir(home)).to.deep.equal(['adapter.safetensors'])
    })

    it('keeps one file per round and leaves no half-written ones', async () => {
      const store = open()
      await store.saveRound(state(1, 1))
      await store.saveRound(state(2, 12))
      expect(await readdir(sitePaths(home).roundAdapters)).to.have.members(['round-0001.safetensors', 'round-0012.safetensors'])
    })
  })

  describe('AdapterStore with keepRounds', () => {
    /** What is left of rounds 8, 9, 10 and 12, with the environment that a site was started with. */
    async function left (env: NodeJS.ProcessEnv): Promise<string[]> {
      const paths = sitePaths(home)
      const store = new AdapterStore({ paths, schema, now: () => 5, config: await loadConfig(paths.config, {}, env) })
      for (const round of [8, 9, 10, 12]) await store.saveRound(state(1, round))
      return (await readdir(paths.roundAdapters)).sort().map((name) => name.replace('.safetensors', ''))
    }

    it('keeps that many of the newest, and nothing else goes', async () => {
      const folder = sitePaths(home).roundAdapters
      await mkdir(folder)
      for (const name of ['round-0100', 'round-8', 'mine']) await writeFile(join(folder, `${name}.safetensors`), '')
      expect(await left({ CONSILIUM_KEEP_ROUNDS: '2' })).to.deep.equal(['mine', 'round-0010', 'round-0012', 'round-0100'])
    })

    it('keeps all with 0, and where nothing is said', async () => {
      for (const env of [{ CONSILIUM_KEEP_ROUNDS: '0' }, {}]) {
        expect(await left(env)).to.deep.equal(['round-0008', 'round-0009', 'round-0010', 'round-0012'])
      }
    })

    it('refuses what is no number of rounds', async () => {
      const error = await left({ CONSILIUM_KEEP_ROUNDS: '-1' }).then(() => undefined, (reason: Error) => reason)
      expect(error?.message).to.equal('wrong settings: CONSILIUM_KEEP_ROUNDS must be a whole number from 0')
    })
  })

  describe('PrivateStore', () => {
    const set = (value: number): PrivateSet => new PrivateSet(new Map([['lmoe.0', { shape: [1], data: Float32Array.of(value) }]]))
    const folder = (): string => join(home, 'private')

    it('falls back to the previous experts when the newest are damaged, and keeps them from others', async () => {
      const store = new PrivateStore(folder(), schema.hash)
      await store.save({ round: 1, set: set(1) })
      await store.save({ round: 2, set: set(2) })
      const file = join(folder(), 'experts.safetensors')
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
      expect((await store.load())?.round).to.equal(2)
      await truncate(file, 20)
      const reopened = new PrivateStore(folder(), schema.hash)
      const loaded = await reopened.load()
      expect(loaded?.round).to.equal(1)
      expect(loaded?.set.reveal().get('lmoe.0')?.data).to.deep.equal(Float32Array.of(1))
      expect(reopened.warnings).to.have.length(1)
    })

    it('keeps the checkpoint before a round that is repeated, however often it is', async () => {
      const store = new PrivateStore(folder(), schema.hash)
      expect(await store.loadPrevious()).to.equal(undefined)
      await store.save({ round: 1, keptRound: 1, set: set(1) })
      await store.save({ round: 1, keptRound: 2, set: set(2) })
      for (let time = 0; time < 3; time++) await store.save({ round: 1, keptRound: 2, set: set(3 + time) }, { replaces: true })
      expect(await store.load()).to.include({ round: 1, keptRound: 2 })
      const before = await store.loadPrevious()
      expect(before).to.include({ round: 1, keptRound: 1 })
      expect(before?.set.reveal().get('lmoe.0')?.data).to.deep.equal(Float32Array.of(1))
    })

    it('does not take experts of another model', async () => {
      await new PrivateStore(folder(), schema.hash).save({ round: 1, set: set(1) })
      const other = new PrivateStore(folder(), 'f'.repeat(64))
      expect(await other.load()).to.equal(undefined)
      expect(other.warnings[0]).to.contain('another federation model')
    })
  })

  describe('MetricsLog', () => {
    const line = (round: number): RoundRecord => ({
      t: `2026-01-01T00:00:0${round}.000Z`,
      round,
      dice: { frozen: 0.1, global: 0.2, personal: 0.3 },
      lossG: 1,
      lossL: 1,
      exchanges: 2,
      bytesSent: 1,
      bytesReceived: 1
    })

    it('goes on after a restart, past a line that was cut off', async () => {
      const path = join(home, 'metrics.jsonl')
      const log = await MetricsLog.open(path)
      await log.append(line(1))
      await log.append(line(2))
      await writeFile(path, (await readFile(path, 'utf8')).slice(0, -20))
      const reopened = await MetricsLog.open(path)
      expect(reopened.finishedRounds).to.equal(1)
      await reopened.append(line(2))
      expect((await MetricsLog.open(path)).records).to.deep.equal([line(1), line(2)])
    })

    it('reads the milliseconds of older software as the time that they are', async () => {
      const path = join(home, 'metrics.jsonl')
      await writeFile(path, JSON.stringify({ ...line(1), t: Date.parse(line(1).t) }) + '\n')
      expect((await MetricsLog.open(path)).records).to.deep.equal([line(1)])
    })
  })

  describe('Checkpoint', () => {
    function init (over: Partial<CheckpointInit> = {}): CheckpointInit & { included: string[], calls: string[] } {
      const included: string[] = []
      const calls: string[] = []
      return {
        included,
        calls,
        averager: {
          get state () {
            const { learnt } = notes
            return { values: Float32Array.of(7), round: 2, mass: 3, included: [...included], learnt, steps: NO_STEPS, unmixed: [] }
          },
          async hold (work) { return await work(this.state) },
          saved: async (ids) => { calls.push(`saved ${ids.length}`) }
        },
        store: {
          save: async (saved) => {
            calls.push(`save ${saved.values[0]} ${saved.round} ${saved.weight} ${saved.notes.included.length}`)
          }
        },
        unmixed: { save: async () => {}, settle: async () => {} },
        onFailure: (error) => {
          calls.push((error as Error).message)
        },
        ...over
      }
    }

    it('tells the averager what the file contains once it is durable, and only then', async () => {
      const site = init()
      site.included.push('x', 'y')
      await new Checkpoint(site).save()
      expect(site.calls).to.deep.equal(['save 7 2 3 2', 'saved 2'])
      const failing = init({ store: { save: async () => { throw new Error('disk full') } } })
      expect(await new Checkpoint(failing).save().then(() => 'saved', (error: Error) => error.message)).to.equal('disk full')
      expect(failing.calls).to.deep.equal([])
    })

    it('holds the state of the moment of the call, though training lands while it is written', async () => {
      const averager = new Averager({
        schema,
        values: Float32Array.of(1, 2),
        round: 3,
        mass: 1,
        settings: { codec: 'f32', maxMass: 1, clipRadius: 1, normBound: 100, staleness: 3 }
      })
      const written: number[][] = []
      const store = {
        save: async ({ values, round }: SavedAdapter) => {
          averager.land(Float32Array.of(0, 0), Float32Array.of(10, 10), 4)
          written.push([...values, round])
        }
      }
      await new Checkpoint({ averager, store, unmixed: new UnmixedStore({ folder: home, schema }), onFailure: () => {} }).save()
      expect([written, [...averager.values], averager.round]).to.deep.equal([[[1, 2, 3]], [11, 12], 4])
    })

    it('leaves exchanges to the log until that has grown, then saves once', async () => {
      const site = init()
      const checkpoint = new Checkpoint(site)
      for (let i = 1; i <= 8; i++) {
        site.included.push(String(i))
        checkpoint.exchanged()
        checkpoint.exchanged()
      }
      await checkpoint.settled()
      expect(site.calls).to.deep.equal(['save 7 2 3 8', 'saved 8'])
    })

    it('reports a failed save and tries again at the next exchange', async () => {
      let full = true
      const site = init({ store: { save: async () => { if (full) throw new Error('disk full') } } })
      site.included.push(...'abcdefgh')
      const checkpoint = new Checkpoint(site)
      checkpoint.exchanged()
      await checkpoint.settled()
      full = false
      checkpoint.exchanged()
      await checkpoint.settled()
      expect(site.calls).to.deep.equal(['disk full', 'saved 8'])
    })
  })
})
