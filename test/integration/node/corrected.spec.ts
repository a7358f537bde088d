import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { program } from '../../../src/cli/program.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import { Corrections } from '../../../src/site-model/corrections/corrections.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { readSides } from '../../../src/site-model/sides.ts'
import { png } from '../../unit/dataset/fixtures.ts'
import { Sites } from './sites.ts'

const SIDE = 64
const CORRECTED = 10
const POLL_MS = 100
const PATIENCE_MS = 300_000

const isDisc = (i: number) => (x: number, y: number): boolean => Math.hypot(x - 20 - i % 5, y - 24 - i % 7) < 9
const labels = async (i: number): Promise<Uint8Array> => await png(SIDE, SIDE, (x, y) => isDisc(i)(x, y) ? 1 : 0)

/** Three labelled patients, and of a further one pictures that nobody labelled. */
async function hospital (data: string): Promise<void> {
  for (const name of ['images', 'masks']) await mkdir(join(data, name), { recursive: true })
  const write = async (stem: string, i: number, isLabelled: boolean): Promise<void> => {
    const picture = await png(SIDE, SIDE, (x, y) => isDisc(i)(x, y) ? 220 : 90 + (x * 7 + y * 13) % 17)
    await writeFile(join(data, 'images', `${stem}.png`), picture)
    if (isLabelled) await writeFile(join(data, 'masks', `${stem}.png`), await labels(i))
  }
  for (const subject of ['p1', 'p2', 'p3']) for (let i = 0; i < 4; i++) await write(`${subject}_0${i}`, i, true)
  for (let i = 0; i < CORRECTED; i++) await write(`new_0${i}`, i, false)
}

describe('corrections at a site that trains with another', function () {
  this.timeout(2 * PATIENCE_MS)

  const daemons: Daemon[] = []
  const running: Promise<unknown>[] = []
  let sites: Sites
  after(async () => {
    for (const daemon of daemons) daemon.requestStop()
    await Promise.allSettled(running)
    await sites.remove()
  })

  function start (name: string, bootstrap: string[] = []): void {
    const daemon = sites.realDaemon(name, join(sites.folder, `data-${name}`), { bootstrap })
    daemons.push(daemon)
    running.push(daemon.run())
  }

  it('count from the next round on, and undone no more', async () => {
    const model = await modelSection('no imported models', 'sam-tiny', SIDE)
    const training = { ...trainingSection(model, { rounds: 1, seed: 1 }), batchSize: 4, stepsPerRound: 1 }
    sites = await Sites.create(['a', 'b'], { rounds: 500, model, training })
    const data = (name: string): string => join(sites.folder, `data-${name}`)
    for (const name of ['a', 'b']) await hospital(data(name))
    start('a')
    const { addresses: bootstrap } = await sites.statusOf('a', ({ addresses }) => addresses.length > 0)
    start('b', bootstrap)
    const { home, privateStore } = sites.paths('a')
    const until = async (holds: (digest: string | undefined, images: number) => boolean): Promise<void> => {
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
        const { digest, images = 0 } = await readSides(privateStore)
        if (holds(digest, images)) return
      }
      throw new Error('the site never read its labels so')
    }
    await sites.statusOf('a', ({ exchanges, round }) => exchanges > 0 && round > 1)
    const before = await readSides(privateStore)

    const corrections = new Corrections(privateStore)
    const ids: string[] = []
    for (let i = 0; i < CORRECTED; i++) {
      const saved = { labels: await labels(i), data: data('a'), stem: `new_0${i}`, image: 'x', author: 'x', ending: '.png' } as const
      ids.push((await corrections.save(saved, new Date(i))).id)
    }
    await until((digest, images) => digest !== before.digest && images === before.images! + CORRECTED)
    const { round } = await sites.statusOf('a', ({ exchanges }) => exchanges > 0)
    await sites.statusOf('a', (status) => status.round > round)

    for (const id of ids) await program(['corrections', 'undo', id, '--home', home]).parseAsync()
    await until((digest, images) => digest === before.digest && images === before.images)
    expect(await corrections.list()).to.deep.equal([])
  })
})
